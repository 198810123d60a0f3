//! One MTProto session, server side: what was received, what is owed, what was sent but not acknowledged.
//!
//! ```text
//! packet --handle_message--> checks --> container, msg_copy are opened
//!                              |          +--> service message: answered here
//!                              |          +--> request: Event::Request --> send_result --+
//!                              +--> bad_msg_notification, bad_server_salt --+            |
//! packet <--poll_transmit-- container or lone message <--- outbox <---------+------------+
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `salts` | which salt is right |
//! | `receive` | the checks that every message goes through |
//! | `received` | identifiers seen, and what became of the messages |
//! | `requests`, `after` | what runs, what waits for others |
//! | `containers` | several messages in one |
//! | [`gzip`] | for who runs requests: a session leaves them packed |
//! | `service` | messages about messages |
//! | `outbox`, `transmit` | what waits, what is not acknowledged, packets |
//! | `connections` | who serves the session now |
//!
//! After any call that takes `&mut self`, call `poll_event` and `poll_transmit` until both are empty, then set a timer
//! for `poll_timeout`. `now` never decreases. Nothing here reads a clock or draws a random number.
//!
//! Source: <https://core.telegram.org/mtproto/description>, <https://core.telegram.org/mtproto/service_messages>.

mod after;
mod connections;
pub(crate) mod containers;
pub mod gzip;
mod outbox;
mod receive;
mod received;
mod requests;
mod salts;
mod service;
#[cfg(test)]
mod tests;
mod transmit;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use crypto::AuthKeyId;
use tl::mtproto::types;
use tl::{Encode, Layer};

use crate::buffer::Buffer;
use crate::envelope;
use crate::limits::SESSION_IDLE;
use crate::msg_id::{MsgId, MsgIds};
use crate::time::UnixTime;

pub use connections::ConnId;
pub use salts::{FirstSalt, SaltSecret};
pub use service::DestroyAuthKey;
pub use transmit::Outgoing;

use connections::Connections;
use containers::Inner;
use outbox::{Outbox, Waiting, What};
use receive::Level;
use received::{Fate, Received};
use requests::Requests;
use salts::Salts;
use transmit::Acks;

/// A TL object to be sent, behind room for the headers: an answer or an update.
pub type Reply = Buffer;

/// What a session needs to know.
#[derive(Debug)]
pub struct Config {
    /// The key that its packets come under.
    pub auth_key_id: AuthKeyId,
    /// Its number, which the client chose.
    pub session_id: i64,
    /// A random number that tells the client which life of the session this is.
    pub unique_id: i64,
    /// What the salts derive from.
    pub salt_secret: Arc<SaltSecret>,
    /// The key's salt from the handshake, while it is young.
    pub first_salt: Option<FirstSalt>,
    /// What [`Session::received_up_to`] said of a session of this number that was dropped: nothing is taken twice.
    pub received_up_to: Option<MsgId>,
    /// The encoded update that is sent after others had to be dropped; empty for none.
    pub updates_too_long: Bytes,
}

/// A request to be run once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its identifier, for [`Session::send_result`].
    pub msg_id: MsgId,
    /// The connection that it came on.
    pub conn: ConnId,
    /// The TL function, constructor id first; or a `gzip_packed`, which may become much longer.
    pub body: Bytes,
    /// Whether `invokeAfterMsg` inside was honoured already.
    pub predecessors: Predecessors,
}

/// Whether the requests that another one must wait for were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predecessors {
    /// Not yet: give the request to [`Session::hold`] if it names some.
    Unchecked,
    /// All are finished: run it.
    Finished,
}

/// What the owner of a session has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Run a request, and answer with [`Session::send_result`].
    Request(Request),
    /// The client no longer wants the answer to a running request.
    Cancelled {
        /// The request.
        msg_id: MsgId,
    },
    /// Forget another session of the same key, then call [`Session::send_destroy_session`].
    DestroySession {
        /// The message that asks for it.
        msg_id: MsgId,
        /// The session to forget.
        session_id: i64,
    },
    /// Forget the key, then call [`Session::send_destroy_auth_key`], send that, and close.
    DestroyAuthKey {
        /// The message that asks for it.
        msg_id: MsgId,
    },
    /// Close a connection: `ping_delay_disconnect` ran out, or it is too slow, or one of too many.
    Close {
        /// The connection.
        conn: ConnId,
    },
    /// Nobody came back in time: drop the session.
    Expired,
}

/// How a message broke the rules. The peer is at fault, and was answered where the protocol has an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A message for another session.
    #[error("message for another session")]
    WrongSession,
    /// A salt that is not valid now; answered with `bad_server_salt`.
    #[error("wrong salt in {msg_id}")]
    WrongSalt {
        /// The message.
        msg_id: MsgId,
    },
    /// Answered with `bad_msg_notification`.
    #[error("bad message {msg_id}: {code}")]
    BadMessage {
        /// The message.
        msg_id: MsgId,
        /// Why, as the protocol numbers it.
        code: i32,
    },
    /// A service message does not decode, or a message is empty.
    #[error("message {msg_id} does not decode")]
    Malformed {
        /// The message.
        msg_id: MsgId,
    },
    /// More than anyone needs; send -429 and close.
    #[error("flood")]
    Flood,
}

impl Violation {
    /// Whether the connection should be closed.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::Flood)
    }
}

/// A session. See the module for the order of calls.
#[derive(Debug)]
pub struct Session {
    session_id: i64,
    unique_id: i64,
    updates_too_long: Bytes,
    salts: Salts,
    connections: Connections,
    received: Received,
    requests: Requests,
    outbox: Outbox,
    acks: Acks,
    events: VecDeque<Event>,
    msg_ids: MsgIds,
    /// Content-related messages numbered so far.
    content_count: i32,
    /// The lowest identifier accepted; `None` until the session has begun.
    first_msg_id: Option<MsgId>,
    wants_updates: bool,
    /// Since when there is no connection.
    idle_since: UnixTime,
}

impl Session {
    /// A session that nobody has sent anything to yet.
    #[must_use]
    pub fn new(now: UnixTime, config: Config) -> Self {
        let Config { auth_key_id, session_id, unique_id, salt_secret, .. } = config;
        Self {
            session_id,
            unique_id,
            updates_too_long: config.updates_too_long,
            salts: Salts::new(now, salt_secret, auth_key_id, config.first_salt),
            connections: Connections::default(),
            received: Received::new(now, config.received_up_to),
            requests: Requests::default(),
            outbox: Outbox::default(),
            acks: Acks::default(),
            events: VecDeque::new(),
            msg_ids: MsgIds::default(),
            content_count: 0,
            first_msg_id: None,
            wants_updates: false,
            idle_since: now,
        }
    }

    // ===== Connections =====

    /// A connection serves the session from now on. The latest one that has brought something new gets what is for none in
    /// particular.
    pub fn attach(&mut self, now: UnixTime, conn: ConnId) {
        if let Some(oldest) = self.connections.add(conn) {
            self.events.push_back(Event::Close { conn: oldest });
            self.detach(now, oldest);
        }
        // Somebody came back just in time.
        self.events.retain(|event| *event != Event::Expired);
    }

    /// A connection is gone. What it carried and was not acknowledged is sent again on another one.
    pub fn detach(&mut self, now: UnixTime, conn: ConnId) {
        if !self.connections.remove(conn) {
            return;
        }
        self.outbox.connection_lost(conn);
        if self.connections.is_empty() {
            self.idle_since = now;
            self.received.shrink(now);
            if self.first_msg_id.is_none() {
                self.events.push_back(Event::Expired);
            }
        }
    }

    /// Says whether a connection can take packets. It can at first.
    pub fn set_writable(&mut self, conn: ConnId, writable: bool) {
        self.connections.set_writable(conn, writable);
    }

    /// The connections that serve the session, latest first.
    pub fn connections(&self) -> impl Iterator<Item = ConnId> {
        self.connections.ids()
    }

    /// Whether there is a connection whose peer has shown that it has the key, and not only a recording.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connections.any_proven()
    }

    // ===== Input =====

    /// Takes a decrypted message that came on `conn`.
    ///
    /// # Errors
    ///
    /// A [`Violation`] says how the message broke the rules; what else was in a container is handled all the same.
    pub fn handle_message(
        &mut self,
        now: UnixTime,
        conn: ConnId,
        message: envelope::Message,
    ) -> Result<(), Violation> {
        let envelope::Message { salt, session_id, msg_id, seq_no, body } = message;
        if session_id != self.session_id {
            return Err(Violation::WrongSession);
        }
        self.attach(now, conn);
        let message = Inner { msg_id, seq_no, body: body.freeze() };
        // Before anything else, so that a client without the time gets it together with the salt.
        if !self.salts.accepts(now, salt) {
            let salt = self.salts.current(now);
            self.reply(conn, &types::BadServerSalt::new(msg_id.0, seq_no, 48, salt));
            return Err(Violation::WrongSalt { msg_id });
        }
        if message.id() == Some(types::MsgContainer::ID) {
            self.handle_container(now, conn, &message)
        } else {
            self.handle_inner(now, conn, message, Level::Packet)
        }
    }

    /// Does what has become due.
    pub fn handle_timeout(&mut self, now: UnixTime) {
        while let Some(conn) = self.connections.take_overdue(now) {
            self.events.push_back(Event::Close { conn });
        }
        for msg_id in self.requests.acknowledge_slow(now) {
            self.acks.add(msg_id, now);
        }
        self.acks.handle_timeout(now);
        self.end_waiting(now);
        if self.connections.is_empty() && now >= self.idle_since + SESSION_IDLE {
            self.idle_since = now;
            self.events.push_back(Event::Expired);
        }
    }

    /// Answers a request. An unknown, cancelled or answered one is ignored.
    pub fn send_result(&mut self, request: MsgId, result: Reply) {
        let Some(running) = self.requests.remove(request) else { return };
        self.answer(request, running.conn, result);
    }

    /// Sends an update; false if the session wants none, or too many wait already.
    pub fn send_update(&mut self, update: Reply) -> bool {
        // Once some are lost, the client asks for the difference anyway.
        if !self.wants_updates || self.outbox.lost_pushes {
            return false;
        }
        if !self.outbox.has_room_for_push(update.len()) {
            self.outbox.drop_pushes();
            return false;
        }
        self.enqueue(Waiting { to: None, what: What::Push, body: update });
        true
    }

    /// Says whether the client wants updates in this session. At first it does not.
    pub const fn set_wants_updates(&mut self, wants: bool) {
        self.wants_updates = wants;
    }

    /// The highest identifier of a message that was taken.
    #[must_use]
    pub fn received_up_to(&self) -> Option<MsgId> {
        Some(self.received.highest().0).filter(|highest| *highest != MsgId::default())
    }

    // ===== Output =====

    /// What there is to do next.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if self.events.is_empty() {
            self.events.shrink_to(1);
        }
        event
    }

    /// When [`Session::handle_timeout`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<UnixTime> {
        let expiry = self.connections.is_empty().then(|| self.idle_since + SESSION_IDLE);
        [
            expiry,
            self.connections.poll_timeout(),
            self.requests.poll_timeout(),
            self.acks.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The session's number.
    #[must_use]
    pub const fn session_id(&self) -> i64 {
        self.session_id
    }

    /// Whether the client wants updates in this session.
    #[must_use]
    pub const fn wants_updates(&self) -> bool {
        self.wants_updates
    }

    /// Whether nothing runs, waits to be sent or waits for an acknowledgement.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.requests.is_empty() && self.outbox.is_empty() && self.events.is_empty()
    }

    /// How many bytes of messages were not sent yet.
    #[must_use]
    pub const fn waiting_len(&self) -> usize {
        self.outbox.waiting_len()
    }

    /// About how many bytes of memory the session takes.
    #[must_use]
    pub fn memory_len(&self) -> usize {
        [
            size_of::<Self>(),
            self.connections.memory_len(),
            self.received.memory_len(),
            self.requests.memory_len(),
            self.outbox.memory_len(),
            self.acks.memory_len(),
            self.events.capacity().saturating_mul(size_of::<Event>()),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }

    // ===== Sending =====

    /// Answers a request, and lets those go on that wait for it.
    fn answer(&mut self, request: MsgId, conn: ConnId, result: Buffer) {
        let failed = result.as_slice().starts_with(&types::RpcError::ID.to_le_bytes());
        let fate = if failed { Fate::Failed } else { Fate::Answered };
        self.answer_as(request, conn, result, fate);
        self.settle(request, failed);
    }

    /// Queues an `rpc_result` and notes what became of the request.
    fn answer_as(&mut self, request: MsgId, conn: ConnId, mut result: Buffer, fate: Fate) {
        self.received.set(request, fate);
        result.prepend(&request.0.to_le_bytes());
        result.prepend(&types::RpcResult::ID.to_le_bytes());
        self.enqueue(Waiting { to: Some(conn), what: What::Answer(request), body: result });
    }

    /// Queues a service message that answers one that came on `conn`.
    fn reply(&mut self, conn: ConnId, body: &impl Encode) {
        self.enqueue(Waiting { to: Some(conn), what: What::Reply, body: encode(body) });
    }

    fn enqueue(&mut self, message: Waiting) {
        let conn = message.to.or_else(|| self.connections.latest());
        // A client that asks for more than it reads: what does not fit is lost, and the connection with it.
        if self.outbox.push(message).is_err()
            && let Some(conn) = conn
            && self.events.back() != Some(&Event::Close { conn })
        {
            self.events.push_back(Event::Close { conn });
        }
    }

    fn bad_message(&mut self, conn: ConnId, message: &Inner, code: i32) -> Violation {
        let Inner { msg_id, seq_no, .. } = *message;
        self.reply(conn, &types::BadMsgNotification::new(msg_id.0, seq_no, code));
        Violation::BadMessage { msg_id, code }
    }
}

fn encode(value: &impl Encode) -> Buffer {
    Buffer::encode(value, Layer::NEWEST)
}
