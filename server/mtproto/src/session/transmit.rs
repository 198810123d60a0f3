//! Packing what waits into packets.
//!
//! A lone message is sent from where it was encoded, with its header written in front. Several share a container, which
//! copies them. Messages sent again always travel in a container, whose identifier is fresh while theirs are old.

use bytes::Bytes;
use tl::Layer;
use tl::mtproto::types::MsgsAck;

use crate::buffer::Buffer;
use crate::envelope;
use crate::limits::{CONTAINER_SENT_COUNT_MAX, CONTAINER_SENT_LEN_MAX, ID_LIST_COUNT_MAX};
use crate::msg_id::{MsgId, Origin};
use crate::time::UnixTime;

use super::containers::{ITEM_HEADER_LEN, Writer};
use super::outbox::{Place, Sent, Waiting, What};
use super::{ConnId, Session};

/// A packet for a connection.
#[derive(Debug)]
pub struct Outgoing {
    /// Where it goes.
    pub conn: ConnId,
    /// The plaintext, for [`crate::envelope::seal`].
    pub packet: Buffer,
}

/// Acknowledgements that we owe.
#[derive(Debug, Default)]
pub(super) struct Acks {
    msg_ids: Vec<i64>,
    /// When they go out at the latest.
    due: Option<UnixTime>,
    /// They go out with the next packet, or as one.
    overdue: bool,
}

impl Acks {
    pub(super) fn add(&mut self, msg_id: MsgId, due: UnixTime) {
        if self.msg_ids.len() < ID_LIST_COUNT_MAX && !self.msg_ids.contains(&msg_id.0) {
            self.msg_ids.push(msg_id.0);
        }
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
    }

    pub(super) fn handle_timeout(&mut self, now: UnixTime) {
        if self.due.is_some_and(|due| due <= now) {
            self.due = None;
            self.overdue = true;
        }
    }

    pub(super) const fn poll_timeout(&self) -> Option<UnixTime> {
        self.due
    }

    const fn is_empty(&self) -> bool {
        self.msg_ids.is_empty()
    }

    fn must_go(&self, now: UnixTime) -> bool {
        !self.is_empty() && (self.overdue || self.due.is_some_and(|due| due <= now))
    }

    fn take(&mut self) -> Option<MsgsAck> {
        let Self { msg_ids, .. } = core::mem::take(self);
        (!msg_ids.is_empty()).then(|| MsgsAck::new(msg_ids))
    }

    pub(super) const fn memory_len(&self) -> usize {
        self.msg_ids.capacity() * size_of::<i64>()
    }
}

impl Session {
    /// The next packet to seal and send; `None` when nothing waits that a writable connection could take.
    ///
    /// What waits is packed together, so call this after handling all input that is there.
    pub fn poll_transmit(&mut self, now: UnixTime) -> Option<Outgoing> {
        self.report_lost_pushes();
        let main = self.connections.main();
        let mut nth = 0;
        loop {
            let conn = self.connections.writable().nth(nth)?;
            if let Some(packet) = self.transmit_on(now, conn, main == Some(conn)) {
                return Some(Outgoing { conn, packet });
            }
            nth = nth.saturating_add(1);
        }
    }

    /// The next packet for `conn`. The main one takes what is for nobody in particular.
    fn transmit_on(&mut self, now: UnixTime, conn: ConnId, is_main: bool) -> Option<Buffer> {
        let connections = &self.connections;
        let goes = |to: Option<ConnId>| match to {
            Some(to) if connections.contains(to) => to == conn,
            _ => is_main,
        };
        let len_max = CONTAINER_SENT_LEN_MAX;
        let due = self.outbox.take_due(conn, goes, CONTAINER_SENT_COUNT_MAX / 2, len_max);
        let mut len = due
            .iter()
            .fold(0_usize, |len, (.., body)| len.saturating_add(ITEM_HEADER_LEN + body.len()));
        // A long message travels alone.
        let first_len_max = if due.is_empty() { usize::MAX } else { len_max.saturating_sub(len) };
        let Some(first) = self.outbox.take_first(goes, first_len_max) else {
            let must_ack = is_main && self.acks.must_go(now);
            if due.is_empty() && !must_ack {
                return None;
            }
            let acks = if is_main { self.acks.take() } else { None };
            return Some(self.container(now, conn, due, acks, Vec::new(), len));
        };
        if due.is_empty() && first.body.len() > len_max {
            return Some(self.lone(now, conn, first));
        }
        len = len.saturating_add(ITEM_HEADER_LEN + first.body.len());
        let mut messages = Vec::new();
        while messages.len() < CONTAINER_SENT_COUNT_MAX / 2 - 2
            && let Some(next) = self.outbox.take_first(goes, len_max.saturating_sub(len))
        {
            len = len.saturating_add(ITEM_HEADER_LEN + next.body.len());
            messages.push(next);
        }
        let acks = if is_main { self.acks.take() } else { None };
        if due.is_empty() && messages.is_empty() && acks.is_none() {
            return Some(self.lone(now, conn, first));
        }
        messages.insert(0, first);
        Some(self.container(now, conn, due, acks, messages, len))
    }

    /// A packet of one message, in place.
    fn lone(&mut self, now: UnixTime, conn: ConnId, message: Waiting) -> Buffer {
        let Waiting { what, mut body, .. } = message;
        let (msg_id, seq_no) = self.number(now, what.origin(), what.is_content());
        if what.is_content() {
            // The packet is about to be encrypted where it lies; this copy is what could be sent again.
            let body = Bytes::copy_from_slice(body.as_slice());
            self.outbox.keep(Sent { msg_id, seq_no, what, body, place: Place::On(conn) });
        }
        let salt = self.salts.current(now);
        envelope::write_header(&mut body, salt, self.session_id, msg_id, seq_no);
        body
    }

    /// A packet of several messages: old ones, acknowledgements, new ones. `len` is a hint.
    fn container(
        &mut self,
        now: UnixTime,
        conn: ConnId,
        due: Vec<(MsgId, i32, Bytes)>,
        acks: Option<MsgsAck>,
        messages: Vec<Waiting>,
        len: usize,
    ) -> Buffer {
        let acks = acks.map(|acks| Buffer::encode(&acks, Layer::NEWEST));
        if let (Some(_), true) = (&acks, due.is_empty() && messages.is_empty())
            && let Some(acks) = acks
        {
            return self.lone_acks(now, acks);
        }
        let acks_len = acks.as_ref().map_or(0, |acks| ITEM_HEADER_LEN.saturating_add(acks.len()));
        let mut container = Writer::new(len.saturating_add(acks_len));
        let mut origin = Origin::Push;
        for (msg_id, seq_no, body) in due {
            container.put(msg_id, seq_no, &body);
        }
        if let Some(acks) = acks {
            let (msg_id, seq_no) = self.number(now, Origin::Push, false);
            container.put(msg_id, seq_no, acks.as_slice());
        }
        for Waiting { what, body, .. } in messages {
            let (msg_id, seq_no) = self.number(now, what.origin(), what.is_content());
            container.put(msg_id, seq_no, body.as_slice());
            if what.origin() == Origin::Answer {
                origin = Origin::Answer;
            }
            if what.is_content() {
                // The body was copied, so the original can be kept.
                let body = body.into_bytes().freeze();
                self.outbox.keep(Sent { msg_id, seq_no, what, body, place: Place::On(conn) });
            }
        }
        let (msg_id, seq_no) = self.number(now, origin, false);
        let mut packet = container.finish();
        let salt = self.salts.current(now);
        envelope::write_header(&mut packet, salt, self.session_id, msg_id, seq_no);
        packet
    }

    fn lone_acks(&mut self, now: UnixTime, mut acks: Buffer) -> Buffer {
        let (msg_id, seq_no) = self.number(now, Origin::Push, false);
        let salt = self.salts.current(now);
        envelope::write_header(&mut acks, salt, self.session_id, msg_id, seq_no);
        acks
    }

    /// Identifier and number of the next message.
    pub(super) fn number(&mut self, now: UnixTime, origin: Origin, content: bool) -> (MsgId, i32) {
        let seq_no = self.content_count.wrapping_mul(2) | i32::from(content);
        self.content_count = self.content_count.wrapping_add(i32::from(content));
        (self.msg_ids.next(now, origin), seq_no)
    }

    /// Tells the client once that it missed updates, as soon as it can be told.
    fn report_lost_pushes(&mut self) {
        if !self.outbox.lost_pushes
            || self.outbox.has_waiting_pushes()
            || self.connections.main().is_none()
        {
            return;
        }
        self.outbox.lost_pushes = false;
        if self.wants_updates && !self.updates_too_long.is_empty() {
            let body = Buffer::from_body(&self.updates_too_long);
            self.enqueue(Waiting { to: None, what: What::Push, body });
        }
    }
}
