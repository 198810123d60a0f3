//! One MTProto session, client side: for tests and the load generator.
//!
//! It does what a careful client does: numbers and packs requests, acknowledges, follows salts and the server's clock, and
//! sends again what a lost connection or a forgotten session took away. A request that may have arrived is sent again with
//! its old identifier, so that the server can tell; one that was refused gets a new one.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use tl::mtproto::{enums, types};
use tl::{Cursor, Decode as _, DecodeError, Encode as _, Layer};

use crate::buffer::Buffer;
use crate::envelope;
use crate::msg_id::{MsgId, MsgIds, Origin};
use crate::session::containers::{self, Inner, Writer};
use crate::session::gzip;
use crate::time::UnixTime;

/// A request of this session, however often it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What came from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The answer to a request: a TL object, unpacked.
    Answer {
        /// The request.
        request: RequestId,
        /// What `rpc_result` held.
        body: Bytes,
    },
    /// An update.
    Update(Bytes),
    /// The server knows nothing of what was before.
    NewSession {
        /// The first message that it knows.
        first_msg_id: MsgId,
        /// Which life of the session this is.
        unique_id: i64,
    },
    /// A message was refused for good.
    Refused {
        /// The message.
        msg_id: MsgId,
        /// The code of `bad_msg_notification`.
        code: i32,
    },
    /// Another service message: `pong`, `future_salts`, `msgs_state_info`, …
    Service(Bytes),
}

/// Why a message of the server is not acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It belongs to another session.
    #[error("message for another session")]
    WrongSession,
    /// Its identifier is none that a server makes.
    #[error("a client's identifier in {0}")]
    WrongMsgId(MsgId),
    /// It does not decode.
    #[error("message does not decode: {0}")]
    Malformed(#[from] DecodeError),
    /// A container breaks the rules, or an answer cannot be unpacked.
    #[error("message does not unpack")]
    BadWrapper,
}

/// A message of ours that the server may not have.
#[derive(Clone, Debug)]
struct Pending {
    /// `None` for a service message.
    request: Option<RequestId>,
    is_content: bool,
    body: Bytes,
    /// Once it was sent.
    sent_as: Option<(MsgId, i32)>,
}

/// A session.
#[derive(Debug)]
pub struct Session {
    session_id: i64,
    salt: i64,
    /// The server's clock minus ours, in nanoseconds.
    clock_offset_ns: i64,
    msg_ids: MsgIds,
    content_count: i32,
    last_request: u64,
    waiting: VecDeque<Pending>,
    sent: BTreeMap<MsgId, Pending>,
    /// Which messages the last containers held.
    containers: VecDeque<(MsgId, Vec<MsgId>)>,
    acks: Vec<i64>,
    seen: VecDeque<MsgId>,
    events: VecDeque<Event>,
}

impl Session {
    /// A session with a key's first salt, and a number of our choice.
    #[must_use]
    pub fn new(session_id: i64, salt: i64) -> Self {
        Self {
            session_id,
            salt,
            clock_offset_ns: 0,
            msg_ids: MsgIds::default(),
            content_count: 0,
            last_request: 0,
            waiting: VecDeque::new(),
            sent: BTreeMap::new(),
            containers: VecDeque::new(),
            acks: Vec::new(),
            seen: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Queues a request.
    pub fn send(&mut self, body: Bytes) -> RequestId {
        self.last_request = self.last_request.saturating_add(1);
        let request = RequestId(self.last_request);
        let request_id = Some(request);
        self.waiting.push_back(Pending {
            request: request_id,
            is_content: true,
            body,
            sent_as: None,
        });
        request
    }

    /// An identifier for a request that must name its own (`auth.bindTempAuthKey`); give it to [`Session::send_as`].
    pub fn next_msg_id(&mut self, now: UnixTime) -> MsgId {
        self.number(now, false).0
    }

    /// As [`Session::send`], under an identifier taken before.
    pub fn send_as(&mut self, msg_id: MsgId, body: Bytes) -> RequestId {
        let request = self.send(body);
        let seq_no = self.content_count.wrapping_mul(2) | 1;
        self.content_count = self.content_count.wrapping_add(1);
        if let Some(pending) = self.waiting.back_mut() {
            pending.sent_as = Some((msg_id, seq_no));
        }
        request
    }

    /// Queues a service message.
    pub fn send_service(&mut self, body: Bytes) {
        self.waiting.push_back(Pending { request: None, is_content: false, body, sent_as: None });
    }

    /// The identifier that a request was sent with.
    #[must_use]
    pub fn msg_id_of(&self, request: RequestId) -> Option<MsgId> {
        let mut sent = self.sent.iter();
        sent.find(|(_, pending)| pending.request == Some(request)).map(|(msg_id, _)| *msg_id)
    }

    /// How many requests have no answer yet.
    #[must_use]
    pub fn unanswered_count(&self) -> usize {
        let all = self.waiting.iter().chain(self.sent.values());
        all.filter(|pending| pending.request.is_some()).count()
    }

    /// The session has a new connection: what was not answered goes out again, with its old identifiers.
    pub fn reconnected(&mut self) {
        self.waiting.retain(|pending| pending.request.is_some());
        for (_, pending) in core::mem::take(&mut self.sent).into_iter().rev() {
            if pending.request.is_some() {
                self.waiting.push_front(pending);
            }
        }
    }

    /// What came from the server.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next packet, for [`crate::envelope::seal`] and the only connection.
    pub fn poll_transmit(&mut self, now: UnixTime) -> Option<Buffer> {
        if self.waiting.is_empty() && self.acks.is_empty() {
            return None;
        }
        let mut messages = Vec::new();
        if !self.acks.is_empty() {
            let acks = types::MsgsAck::new(core::mem::take(&mut self.acks)).to_vec(Layer::NEWEST);
            let (msg_id, seq_no) = self.number(now, false);
            messages.push((msg_id, seq_no, Bytes::from(acks)));
        }
        let mut is_old = false;
        while let Some(mut pending) = self.waiting.pop_front() {
            is_old |= pending.sent_as.is_some();
            let (msg_id, seq_no) =
                pending.sent_as.unwrap_or_else(|| self.number(now, pending.is_content));
            pending.sent_as = Some((msg_id, seq_no));
            messages.push((msg_id, seq_no, pending.body.clone()));
            self.sent.insert(msg_id, pending);
            if messages.len() >= BATCH_COUNT {
                break;
            }
        }
        let (msg_id, seq_no, mut packet) = match messages.as_slice() {
            [(msg_id, seq_no, body)] if !is_old => (*msg_id, *seq_no, Buffer::from_body(body)),
            _ => {
                let mut container = Writer::new(1024);
                for (msg_id, seq_no, body) in &messages {
                    container.put(*msg_id, *seq_no, body);
                }
                let (msg_id, seq_no) = self.number(now, false);
                let ids = messages.iter().map(|(msg_id, ..)| *msg_id).collect();
                self.containers.push_back((msg_id, ids));
                if self.containers.len() > MEMORY_COUNT {
                    self.containers.pop_front();
                }
                (msg_id, seq_no, container.finish())
            }
        };
        envelope::write_header(&mut packet, self.salt, self.session_id, msg_id, seq_no);
        Some(packet)
    }

    /// Takes a decrypted message of the server.
    ///
    /// # Errors
    ///
    /// See [`Error`]; a real client would close the connection.
    pub fn handle_message(
        &mut self,
        now: UnixTime,
        message: envelope::Message,
    ) -> Result<(), Error> {
        let envelope::Message { session_id, msg_id, seq_no, body, .. } = message;
        if session_id != self.session_id {
            return Err(Error::WrongSession);
        }
        let body = body.freeze();
        if Cursor::new(&body).peek_id()? != types::MsgContainer::ID {
            return self.handle_inner(now, msg_id, Inner { msg_id, seq_no, body });
        }
        for inner in containers::read(&body).map_err(|_| Error::BadWrapper)? {
            if inner.msg_id >= msg_id {
                return Err(Error::WrongMsgId(inner.msg_id));
            }
            self.handle_inner(now, msg_id, inner)?;
        }
        Ok(())
    }

    /// `packet_id` is that of the container, whose time is the server's.
    fn handle_inner(
        &mut self,
        now: UnixTime,
        packet_id: MsgId,
        message: Inner,
    ) -> Result<(), Error> {
        let Inner { msg_id, seq_no, body } = message;
        if !msg_id.is_of_server() {
            return Err(Error::WrongMsgId(msg_id));
        }
        if seq_no & 1 == 1 {
            self.acks.push(msg_id.0);
        }
        if self.seen.contains(&msg_id) {
            return Ok(());
        }
        self.seen.push_back(msg_id);
        if self.seen.len() > MEMORY_COUNT {
            self.seen.pop_front();
        }
        let mut input = Cursor::new(&body);
        match input.peek_id()? {
            types::RpcResult::ID => {
                let result = types::RpcResult::decode(&mut input)?;
                self.answer(MsgId(result.req_msg_id), body.slice_ref(result.result.0))?;
            }
            types::BadServerSalt::ID | types::BadMsgNotification::ID => {
                match enums::BadMsgNotification::decode(&mut input)? {
                    enums::BadMsgNotification::BadServerSalt(bad) => {
                        self.salt = bad.new_server_salt;
                        self.again(MsgId(bad.bad_msg_id), true);
                    }
                    enums::BadMsgNotification::BadMsgNotification(bad) => {
                        self.bad_message(now, packet_id, MsgId(bad.bad_msg_id), bad.error_code);
                    }
                }
            }
            types::NewSessionCreated::ID => {
                let new = types::NewSessionCreated::decode(&mut input)?;
                let first_msg_id = MsgId(new.first_msg_id);
                self.salt = new.server_salt;
                // They may still arrive on another connection, so they keep their identifiers.
                let later = self.sent.split_off(&first_msg_id);
                let lost = core::mem::replace(&mut self.sent, later);
                self.waiting.extend(lost.into_values().filter(|lost| lost.request.is_some()));
                let unique_id = new.unique_id;
                self.events.push_back(Event::NewSession { first_msg_id, unique_id });
            }
            types::MsgDetailedInfo::ID => {
                let info = types::MsgDetailedInfo::decode(&mut input)?;
                if self.sent.contains_key(&MsgId(info.msg_id)) {
                    let again = types::MsgResendReq::new(vec![info.answer_msg_id]);
                    self.send_service(Bytes::from(again.to_vec(Layer::NEWEST)));
                } else {
                    self.acks.push(info.answer_msg_id);
                }
            }
            types::MsgsAck::ID => {}
            _ if seq_no & 1 == 1 => self.events.push_back(Event::Update(body)),
            _ => self.events.push_back(Event::Service(body)),
        }
        Ok(())
    }

    fn answer(&mut self, msg_id: MsgId, body: Bytes) -> Result<(), Error> {
        let Some(Pending { request: Some(request), .. }) = self.sent.remove(&msg_id) else {
            return Ok(());
        };
        let is_packed = Cursor::new(&body).peek_id() == Ok(gzip::ID);
        let body = match is_packed {
            true => gzip::unpack(&body).map_err(|_| Error::BadWrapper)?,
            false => body,
        };
        self.events.push_back(Event::Answer { request, body });
        Ok(())
    }

    fn bad_message(&mut self, now: UnixTime, packet_id: MsgId, bad: MsgId, code: i32) {
        match code {
            16 | 17 => {
                let server_ns = packet_id.time().nanos().cast_signed();
                let offset_ns = server_ns.saturating_sub(now.nanos().cast_signed());
                // Identifiers made by the wrong clock must not hold the next ones back; those made since then must, or
                // some would be given twice.
                if offset_ns.abs_diff(self.clock_offset_ns) > CLOCK_SLACK_NS {
                    self.clock_offset_ns = offset_ns;
                    self.msg_ids = MsgIds::default();
                }
                self.again(bad, false);
            }
            20 | 32 | 33 => self.again(bad, false),
            _ => self.events.push_back(Event::Refused { msg_id: bad, code }),
        }
    }

    /// Sends again what a refused packet held.
    ///
    /// A packet with a wrong salt was not looked at, but another one with the same messages may have been: they keep their
    /// identifiers.
    fn again(&mut self, refused: MsgId, keeps_ids: bool) {
        let at = self.containers.iter().position(|(msg_id, _)| *msg_id == refused);
        let ids = match at.and_then(|at| self.containers.remove(at)) {
            Some((_, ids)) => ids,
            None => vec![refused],
        };
        for pending in ids.iter().filter_map(|msg_id| self.sent.remove(msg_id)) {
            let sent_as = pending.sent_as.filter(|_| keeps_ids);
            self.waiting.push_back(Pending { sent_as, ..pending });
        }
    }

    fn number(&mut self, now: UnixTime, is_content: bool) -> (MsgId, i32) {
        let seq_no = self.content_count.wrapping_mul(2) | i32::from(is_content);
        self.content_count = self.content_count.wrapping_add(i32::from(is_content));
        let here = now.nanos().cast_signed();
        let there = here.saturating_add(self.clock_offset_ns).max(0).cast_unsigned();
        (self.msg_ids.next(UnixTime::from_nanos(there), Origin::Client), seq_no)
    }
}

/// Less is the network's delay rather than a wrong clock.
const CLOCK_SLACK_NS: u64 = 10_000_000_000;
/// Messages packed together.
const BATCH_COUNT: usize = 100;
/// Identifiers remembered.
const MEMORY_COUNT: usize = 4096;
