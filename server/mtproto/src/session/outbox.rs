//! What goes out: messages that wait to be sent, and those that were sent and not acknowledged.
//!
//! ```text
//! waiting --poll_transmit--> sent (if content-related) --ack--> gone
//!                              |  ^
//!        connection lost,      v  | again, in a container, with its old identifier
//!        asked for again      due-+
//! ```
//!
//! A message gets its identifier when it is first sent, so that it is never older than its packet. Both parts are
//! bounded. Pushed updates that do not fit are dropped, and the client is told once that it missed some.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::buffer::Buffer;
use crate::limits::{
    PUSH_COUNT_MAX, PUSH_LEN_MAX, QUEUE_COUNT_MAX, QUEUE_LEN_MAX, UNACKED_COUNT_MAX,
    UNACKED_LEN_MAX,
};
use crate::msg_id::{MsgId, Origin};

use super::ConnId;

/// What a message is to the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// An `rpc_result`, to this request.
    Answer(MsgId),
    /// An update.
    Push,
    /// `new_session_created`.
    NewSession,
    /// A service message that answers one.
    Reply,
}

impl What {
    /// Whether the message counts in `seq_no` and wants an acknowledgement.
    pub(super) const fn is_content(self) -> bool {
        !matches!(self, Self::Reply)
    }

    pub(super) const fn origin(self) -> Origin {
        match self {
            Self::Answer(_) | Self::Reply => Origin::Answer,
            Self::Push | Self::NewSession => Origin::Push,
        }
    }
}

/// A message that was not sent yet.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The connection that it should travel on; any if that is gone.
    pub(super) to: Option<ConnId>,
    pub(super) what: What,
    pub(super) body: Buffer,
}

/// A message that was sent and not acknowledged.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) msg_id: MsgId,
    pub(super) seq_no: i32,
    pub(super) what: What,
    pub(super) body: Bytes,
    pub(super) place: Place,
}

/// Where a sent message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Under way on this connection, or arrived.
    On(ConnId),
    /// To be sent again, preferably here.
    Due(Option<ConnId>),
}

/// There is no room for another message.
#[derive(Debug)]
pub(super) struct Full;

/// Everything that goes out.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Waiting>,
    waiting_len: usize,
    push_count: usize,
    push_len: usize,
    /// By identifier.
    sent: VecDeque<Sent>,
    sent_len: usize,
    due_count: usize,
    /// Sent updates were forgotten before they were acknowledged; they are lost if their connection is.
    forgot_pushes: bool,
    /// Updates were dropped, and the client was not told yet.
    pub(super) lost_pushes: bool,
}

impl Outbox {
    // ===== Waiting =====

    pub(super) fn push(&mut self, message: Waiting) -> Result<(), Full> {
        let waiting_len = self.waiting_len.saturating_add(message.body.len());
        if self.waiting.len() >= QUEUE_COUNT_MAX || waiting_len > QUEUE_LEN_MAX {
            return Err(Full);
        }
        self.waiting_len = waiting_len;
        if message.what == What::Push {
            self.push_count = self.push_count.saturating_add(1);
            self.push_len = self.push_len.saturating_add(message.body.len());
        }
        reserve_first(&mut self.waiting, IDLE_CAPACITY);
        self.waiting.push_back(message);
        Ok(())
    }

    pub(super) fn has_room_for_push(&self, len: usize) -> bool {
        self.push_count < PUSH_COUNT_MAX && self.push_len.saturating_add(len) <= PUSH_LEN_MAX
    }

    pub(super) const fn waiting_len(&self) -> usize {
        self.waiting_len
    }

    pub(super) const fn has_waiting_pushes(&self) -> bool {
        self.push_count > 0
    }

    /// Drops the updates that were not sent, or are to be sent again.
    pub(super) fn drop_pushes(&mut self) {
        while let Some(at) = self.waiting.iter().position(|waiting| waiting.what == What::Push) {
            self.take(at);
        }
        let is_due_push =
            |sent: &Sent| sent.what == What::Push && matches!(sent.place, Place::Due(_));
        while let Some(at) = self.sent.iter().position(is_due_push) {
            self.remove_sent(at);
        }
        self.lost_pushes = true;
    }

    /// Takes the first waiting message that may travel where `goes` says, if it has at most `len_max` bytes.
    pub(super) fn take_first(
        &mut self,
        goes: impl Fn(Option<ConnId>) -> bool,
        len_max: usize,
    ) -> Option<Waiting> {
        let at = self.waiting.iter().position(|waiting| goes(waiting.to))?;
        if self.waiting.get(at)?.body.len() > len_max {
            return None;
        }
        self.take(at)
    }

    fn take(&mut self, at: usize) -> Option<Waiting> {
        let message = self.waiting.remove(at)?;
        self.waiting_len = self.waiting_len.saturating_sub(message.body.len());
        if message.what == What::Push {
            self.push_count = self.push_count.saturating_sub(1);
            self.push_len = self.push_len.saturating_sub(message.body.len());
        }
        if self.waiting.is_empty() {
            self.waiting.shrink_to(IDLE_CAPACITY);
        }
        Some(message)
    }

    // ===== Sent =====

    /// Keeps a message that is being sent until it is acknowledged. The oldest ones are forgotten for it.
    pub(super) fn keep(&mut self, message: Sent) {
        self.sent_len = self.sent_len.saturating_add(message.body.len());
        reserve_first(&mut self.sent, SENT_CAPACITY);
        self.sent.push_back(message);
        while self.sent.len() > 1
            && (self.sent.len() > UNACKED_COUNT_MAX || self.sent_len > UNACKED_LEN_MAX)
        {
            if let Some(forgotten) = self.remove_sent(0)
                && forgotten.what == What::Push
            {
                match forgotten.place {
                    Place::On(_) => self.forgot_pushes = true,
                    Place::Due(_) => self.lost_pushes = true,
                }
            }
        }
    }

    /// Forgets a message that arrived; answers what it was.
    pub(super) fn acknowledge(&mut self, msg_id: MsgId) -> Option<What> {
        let at = self.find(msg_id)?;
        let what = self.remove_sent(at)?.what;
        if self.sent.is_empty() {
            self.forgot_pushes = false;
        }
        Some(what)
    }

    /// Sends a message again; false if it is not known.
    pub(super) fn send_again(&mut self, msg_id: MsgId, to: ConnId) -> bool {
        match self.find(msg_id) {
            Some(at) => {
                self.make_due(at, Some(to));
                true
            }
            None => false,
        }
    }

    /// Sends the answers to `requests`, which are sorted, again.
    pub(super) fn send_answers_again(&mut self, requests: &[i64], to: ConnId) {
        for at in 0..self.sent.len() {
            if let Some(What::Answer(request)) = self.sent.get(at).map(|sent| sent.what)
                && requests.binary_search(&request.0).is_ok()
            {
                self.make_due(at, Some(to));
            }
        }
    }

    /// Whether the answer to `request` waits to be sent; it is directed to `to`.
    pub(super) fn redirect_answer(&mut self, request: MsgId, to: ConnId) -> bool {
        let waiting = self.waiting.iter_mut().find(|w| w.what == What::Answer(request));
        match waiting {
            Some(waiting) => {
                waiting.to = Some(to);
                true
            }
            None => false,
        }
    }

    /// Whether the answer to `request` waits or was sent and not acknowledged.
    pub(super) fn has_answer(&self, request: MsgId) -> bool {
        let what = What::Answer(request);
        self.waiting.iter().any(|waiting| waiting.what == what)
            || self.sent.iter().any(|sent| sent.what == what)
    }

    /// The sent answer to `request`.
    pub(super) fn sent_answer(&self, request: MsgId) -> Option<&Sent> {
        self.sent.iter().find(|sent| sent.what == What::Answer(request))
    }

    /// Drops the answer to `request`; answers its identifier and number if it was sent, and its length.
    pub(super) fn drop_answer(&mut self, request: MsgId) -> Option<(Option<(MsgId, i32)>, usize)> {
        let what = What::Answer(request);
        if let Some(at) = self.waiting.iter().position(|waiting| waiting.what == what) {
            return self.take(at).map(|waiting| (None, waiting.body.len()));
        }
        let at = self.sent.iter().position(|sent| sent.what == what)?;
        let sent = self.remove_sent(at)?;
        Some((Some((sent.msg_id, sent.seq_no)), sent.body.len()))
    }

    /// A connection is gone: what it carried is sent again elsewhere. Replies to it are not wanted by anyone else.
    pub(super) fn connection_lost(&mut self, conn: ConnId) {
        let is_stale = |waiting: &Waiting| waiting.what == What::Reply && waiting.to == Some(conn);
        while let Some(at) = self.waiting.iter().position(is_stale) {
            self.take(at);
        }
        for at in 0..self.sent.len() {
            if self.sent.get(at).is_some_and(|sent| sent.place == Place::On(conn)) {
                self.make_due(at, None);
            }
        }
        if core::mem::take(&mut self.forgot_pushes) {
            self.lost_pushes = true;
        }
    }

    /// Hands out the messages to be sent again on `conn`, up to a number and a length, oldest first.
    pub(super) fn take_due(
        &mut self,
        conn: ConnId,
        goes: impl Fn(Option<ConnId>) -> bool,
        count_max: usize,
        len_max: usize,
    ) -> Vec<(MsgId, i32, Bytes)> {
        let mut due = Vec::new();
        let mut len = 0_usize;
        if self.due_count == 0 {
            return due;
        }
        for sent in &mut self.sent {
            let Place::Due(to) = sent.place else { continue };
            if !goes(to) {
                continue;
            }
            len = len.saturating_add(sent.body.len());
            if due.len() >= count_max || (len > len_max && !due.is_empty()) {
                break;
            }
            sent.place = Place::On(conn);
            self.due_count = self.due_count.saturating_sub(1);
            due.push((sent.msg_id, sent.seq_no, sent.body.clone()));
        }
        due
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.sent.is_empty()
    }

    /// Bytes of memory.
    pub(super) fn memory_len(&self) -> usize {
        let waiting = self.waiting.capacity().saturating_mul(size_of::<Waiting>());
        let sent = self.sent.capacity().saturating_mul(size_of::<Sent>());
        [waiting, sent, self.waiting_len, self.sent_len].into_iter().fold(0, usize::saturating_add)
    }

    fn find(&self, msg_id: MsgId) -> Option<usize> {
        self.sent.binary_search_by_key(&msg_id, |sent| sent.msg_id).ok()
    }

    fn make_due(&mut self, at: usize, to: Option<ConnId>) {
        if let Some(sent) = self.sent.get_mut(at) {
            if matches!(sent.place, Place::On(_)) {
                self.due_count = self.due_count.saturating_add(1);
            }
            sent.place = Place::Due(to);
        }
    }

    fn remove_sent(&mut self, at: usize) -> Option<Sent> {
        let sent = self.sent.remove(at)?;
        self.sent_len = self.sent_len.saturating_sub(sent.body.len());
        if matches!(sent.place, Place::Due(_)) {
            self.due_count = self.due_count.saturating_sub(1);
        }
        if self.sent.is_empty() {
            self.sent.shrink_to(IDLE_CAPACITY);
        }
        Some(sent)
    }
}

/// Room for so many entries is kept when a queue runs empty.
const IDLE_CAPACITY: usize = 1;

/// Room for so many sent messages at first: most sessions are idle after `new_session_created` and one answer.
const SENT_CAPACITY: usize = 2;

/// Makes room for so many instead of what a queue grows to by itself.
fn reserve_first<T>(queue: &mut VecDeque<T>, count: usize) {
    if queue.capacity() == 0 {
        queue.reserve_exact(count);
    }
}
