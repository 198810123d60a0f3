//! From a message to what it asks for: the checks that every message goes through.
//!
//! ```text
//! packet --> container? --> each message --> identifier --> known? --> what was answered before
//!                                                       |
//!                                                       +-> number --> request, or service message
//! ```
//!
//! Source: <https://core.telegram.org/mtproto/description#message-identifier-msg-id>,
//! <https://core.telegram.org/mtproto/service_messages_about_messages>.

use tl::mtproto::types;

use crate::buffer::Buffer;
use crate::limits::{MSG_ID_AGE_MAX, MSG_ID_AHEAD_MAX, REPEATED_ANSWER_LEN_MAX, SEQ_NO_SLACK};
use crate::msg_id::MsgId;
use crate::time::UnixTime;

use super::containers::{self, Inner};
use super::outbox::{Place, Waiting, What};
use super::received::{Fate, Known};
use super::{ConnId, Event, Predecessors, Request, Session, Violation, encode, gzip, service};

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// It is all of a packet.
    Packet,
    /// It is in a container or a copy.
    Container,
}

impl Session {
    pub(super) fn handle_container(
        &mut self,
        now: UnixTime,
        conn: ConnId,
        container: &Inner,
    ) -> Result<(), Violation> {
        let code = match self.check_id(now, container.msg_id, Level::Packet) {
            Err(code) => Some(code),
            // The same container again is taken apart: its messages are known one by one.
            Ok(Some(Fate::Container)) | Ok(None) => self.check_seq_no(container),
            Ok(Some(_)) => Some(19),
        };
        if let Some(code) = code {
            return Err(self.bad_message(conn, container, code));
        }
        let Ok(messages) = containers::read(&container.body) else {
            return Err(self.bad_message(conn, container, 64));
        };
        // Containers do not nest. One bad message does not spoil the rest.
        if messages.iter().any(|message| message.id() == Some(types::MsgContainer::ID)) {
            return Err(self.bad_message(conn, container, 64));
        }
        if !matches!(self.received.known(container.msg_id), Known::Yes(_)) {
            self.connections.prove(conn);
        }
        self.received.insert(now, container.msg_id, container.seq_no, Fate::Container);
        self.settle(container.msg_id, false);
        let acceptable = messages
            .iter()
            .map(|message| message.msg_id)
            .filter(|msg_id| self.check_id(now, *msg_id, Level::Container) == Ok(None))
            .min();
        if let Some(first) = acceptable {
            self.begin(now, first);
        }
        let mut result = Ok(());
        for message in messages {
            let handled = self.handle_inner(now, conn, message, Level::Container);
            result = result.and(handled);
        }
        result
    }

    /// A message that is no container.
    pub(super) fn handle_inner(
        &mut self,
        now: UnixTime,
        conn: ConnId,
        message: Inner,
        level: Level,
    ) -> Result<(), Violation> {
        let Some(id) = message.id() else {
            return Err(Violation::Malformed { msg_id: message.msg_id });
        };
        match self.check_id(now, message.msg_id, level) {
            Err(code) => Err(self.bad_message(conn, &message, code)),
            Ok(None) => {
                if let Some(code) = self.check_seq_no(&message) {
                    return Err(self.bad_message(conn, &message, code));
                }
                self.connections.prove(conn);
                self.begin(now, message.msg_id);
                self.dispatch(now, conn, message, id)
            }
            // Service messages may be handled twice; an answer that got lost is made again.
            Ok(Some(Fate::Service)) => self.dispatch(now, conn, message, id),
            Ok(Some(Fate::Container)) => Err(self.bad_message(conn, &message, 19)),
            Ok(Some(Fate::Running)) => {
                self.requests.acknowledge(message.msg_id);
                self.acks.add(message.msg_id, now);
                Ok(())
            }
            Ok(Some(Fate::Acknowledged | Fate::AcknowledgedFailure)) => {
                self.acks.add(message.msg_id, now);
                Ok(())
            }
            Ok(Some(Fate::Answered | Fate::Failed)) => self.repeat_answer(conn, &message),
        }
    }

    /// Answers a request again from what was answered.
    fn repeat_answer(&mut self, conn: ConnId, message: &Inner) -> Result<(), Violation> {
        let request = message.msg_id;
        if self.outbox.redirect_answer(request, conn) {
            return Ok(());
        }
        let Some(sent) = self.outbox.sent_answer(request) else {
            // The answer was forgotten for want of room. To run the request again would be worse.
            return Err(self.bad_message(conn, message, 20));
        };
        let (answer_id, len) = (sent.msg_id, sent.body.len());
        let is_under_way = matches!(sent.place, Place::On(on) if self.connections.contains(on));
        if is_under_way && len > REPEATED_ANSWER_LEN_MAX {
            let len = i32::try_from(len).unwrap_or(i32::MAX);
            self.reply(conn, &types::MsgDetailedInfo::new(request.0, answer_id.0, len, 0));
        } else {
            self.outbox.send_again(answer_id, conn);
        }
        Ok(())
    }

    /// Whether a message's identifier is acceptable, and what is known of it.
    fn check_id(&self, now: UnixTime, msg_id: MsgId, level: Level) -> Result<Option<Fate>, i32> {
        if !msg_id.is_of_client() {
            return Err(18);
        }
        // What runs for longer than identifiers are remembered is still known.
        if self.requests.contains(msg_id) {
            return Ok(Some(Fate::Running));
        }
        let is_old = msg_id.time() + MSG_ID_AGE_MAX < now;
        match self.received.known(msg_id) {
            Known::Yes(fate) => Ok(Some(fate)),
            // The identifier is forgotten by its age, but the client has not acknowledged the answer.
            Known::Forgotten if self.outbox.has_answer(msg_id) => Ok(Some(Fate::Answered)),
            // A message may be sent again in a fresh container long after it was made.
            _ if is_old && level == Level::Packet => Err(16),
            Known::Forgotten => Err(20),
            _ if msg_id.time() > now + MSG_ID_AHEAD_MAX => Err(17),
            Known::No | Known::TooHigh => Ok(None),
        }
    }

    /// Whether a message's number is acceptable, as far as real clients get it right: mtcute numbers its acks as if they were
    /// content.
    fn check_seq_no(&self, message: &Inner) -> Option<i32> {
        let Inner { msg_id, seq_no, .. } = *message;
        let is_odd = seq_no & 1 == 1;
        match message.id() {
            Some(types::MsgContainer::ID) if is_odd => return Some(34),
            Some(id) if !is_odd && service::is_request(id) && id != gzip::ID => return Some(35),
            _ => {}
        }
        let (highest_id, highest) = self.received.highest();
        if seq_no < 0 || (msg_id > highest_id && seq_no.saturating_add(SEQ_NO_SLACK) < highest) {
            return Some(32);
        }
        (msg_id < highest_id && seq_no > highest.saturating_add(SEQ_NO_SLACK)).then_some(33)
    }

    /// Notes the lowest identifier, and tells the client of it.
    fn begin(&mut self, now: UnixTime, msg_id: MsgId) {
        if self.first_msg_id.is_some_and(|first| first <= msg_id) {
            return;
        }
        self.first_msg_id = Some(msg_id);
        let salt = self.salts.current(now);
        let body = encode(&types::NewSessionCreated::new(msg_id.0, self.unique_id, salt));
        self.enqueue(Waiting { to: None, what: What::NewSession, body });
    }

    fn dispatch(
        &mut self,
        now: UnixTime,
        conn: ConnId,
        message: Inner,
        id: u32,
    ) -> Result<(), Violation> {
        if service::is_request(id) {
            self.request(now, conn, message);
            return Ok(());
        }
        self.service(now, conn, message, id)
    }

    fn request(&mut self, now: UnixTime, conn: ConnId, message: Inner) {
        let Inner { msg_id, seq_no, body } = message;
        self.received.insert(now, msg_id, seq_no, Fate::Running);
        if self.requests.is_full() {
            self.answer(msg_id, conn, Buffer::rpc_error(500, "MT_SEND_QUEUE_TOO_LONG"));
            return;
        }
        self.requests.insert(now, msg_id, conn);
        let predecessors = Predecessors::Unchecked;
        self.events.push_back(Event::Request(Request { msg_id, conn, body, predecessors }));
    }
}
