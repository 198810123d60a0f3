//! Messages about messages, which a session answers by itself.
//!
//! Source: <https://core.telegram.org/mtproto/service_messages>,
//! <https://core.telegram.org/mtproto/service_messages_about_messages>.

use tl::mtproto::{enums, functions, types};
use tl::{Cursor, Decode, DecodeError};

use crate::limits::ID_LIST_COUNT_MAX;
use crate::msg_id::{MsgId, Origin};
use crate::time::UnixTime;

use super::containers::{self, Inner};
use super::outbox::What;
use super::receive::Level;
use super::received::{Fate, Known};
use super::{ConnId, Event, Session, Violation, encode, gzip};

/// What became of a key that was to be destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DestroyAuthKey {
    /// It is gone.
    Ok,
    /// It was not known.
    None,
    /// It is still there.
    Fail,
}

/// Whether a message with this constructor is for the API, and not one of the protocol's own.
pub(super) const fn is_request(id: u32) -> bool {
    !matches!(
        id,
        functions::DestroyAuthKey::ID
            | functions::DestroySession::ID
            | functions::GetFutureSalts::ID
            | types::HttpWait::ID
            | functions::Ping::ID
            | functions::PingDelayDisconnect::ID
            | functions::RpcDropAnswer::ID
            | types::MsgContainer::ID
            | types::MsgCopy::ID
            | types::MsgDetailedInfo::ID
            | types::MsgNewDetailedInfo::ID
            | types::MsgResendAnsReq::ID
            | types::MsgResendReq::ID
            | types::MsgsAck::ID
            | types::MsgsAllInfo::ID
            | types::MsgsStateInfo::ID
            | types::MsgsStateReq::ID
            | types::RpcResult::ID
    )
}

impl Session {
    /// Answers `destroy_session`.
    pub fn send_destroy_session(&mut self, request: MsgId, session_id: i64, existed: bool) {
        let Some(running) = self.requests.remove(request) else { return };
        self.settle(request, false);
        if existed {
            self.reply(running.conn, &types::DestroySessionOk::new(session_id));
        } else {
            self.reply(running.conn, &types::DestroySessionNone::new(session_id));
        }
    }

    /// Answers `destroy_auth_key`.
    pub fn send_destroy_auth_key(&mut self, request: MsgId, outcome: DestroyAuthKey) {
        let Some(running) = self.requests.remove(request) else { return };
        self.settle(request, false);
        let outcome = match outcome {
            DestroyAuthKey::Ok => enums::DestroyAuthKeyRes::DestroyAuthKeyOk,
            DestroyAuthKey::None => enums::DestroyAuthKeyRes::DestroyAuthKeyNone,
            DestroyAuthKey::Fail => enums::DestroyAuthKeyRes::DestroyAuthKeyFail,
        };
        self.reply(running.conn, &outcome);
    }

    pub(super) fn service(
        &mut self,
        now: UnixTime,
        conn: ConnId,
        message: Inner,
        id: u32,
    ) -> Result<(), Violation> {
        let msg_id = message.msg_id;
        self.received.insert(now, msg_id, message.seq_no, Fate::Service);
        let handled = match id {
            types::MsgCopy::ID => return self.copied(now, conn, &message),
            // Its sender believes in more layers of containers than there are.
            types::MsgContainer::ID => return Err(self.bad_message(conn, &message, 64)),
            _ => self.service_body(now, conn, msg_id, id, &message.body),
        };
        if !self.requests.contains(msg_id) {
            self.settle(msg_id, false);
        }
        match handled {
            Ok(result) => result,
            Err(_) => Err(Violation::Malformed { msg_id }),
        }
    }

    fn service_body(
        &mut self,
        now: UnixTime,
        conn: ConnId,
        msg_id: MsgId,
        id: u32,
        body: &[u8],
    ) -> Result<Result<(), Violation>, DecodeError> {
        match id {
            functions::Ping::ID => {
                let ping: functions::Ping = decode(body)?;
                self.reply(conn, &types::Pong::new(msg_id.0, ping.ping_id));
            }
            functions::PingDelayDisconnect::ID => {
                let ping: functions::PingDelayDisconnect = decode(body)?;
                self.connections.disconnect_after(now, conn, ping.disconnect_delay);
                self.reply(conn, &types::Pong::new(msg_id.0, ping.ping_id));
            }
            types::MsgsAck::ID => {
                let Some(ids) = short(decode::<types::MsgsAck>(body)?.msg_ids) else {
                    return Ok(Err(Violation::Flood));
                };
                for id in ids {
                    self.acknowledged(MsgId(id));
                }
            }
            functions::GetFutureSalts::ID => {
                let request: functions::GetFutureSalts = decode(body)?;
                let salts = self.salts.future(now, request.num);
                self.reply(conn, &types::FutureSalts::new(msg_id.0, now.secs_i32(), salts));
            }
            functions::RpcDropAnswer::ID => {
                let request: functions::RpcDropAnswer = decode(body)?;
                self.drop_answer(now, conn, msg_id, MsgId(request.req_msg_id));
            }
            functions::DestroySession::ID => {
                let request: functions::DestroySession = decode(body)?;
                let session_id = request.session_id;
                if session_id == self.session_id {
                    // What a session should do about itself is not defined.
                    self.reply(conn, &types::DestroySessionNone::new(session_id));
                } else {
                    self.ask(now, conn, msg_id, Event::DestroySession { msg_id, session_id });
                }
            }
            functions::DestroyAuthKey::ID => {
                self.ask(now, conn, msg_id, Event::DestroyAuthKey { msg_id });
            }
            types::MsgsStateReq::ID => {
                let Some(ids) = short(decode::<types::MsgsStateReq>(body)?.msg_ids) else {
                    return Ok(Err(Violation::Flood));
                };
                let info: Vec<u8> = ids.into_iter().map(|id| self.state_of(MsgId(id))).collect();
                self.reply(conn, &types::MsgsStateInfo::new(msg_id.0, &info));
            }
            types::MsgsAllInfo::ID => {
                let all: types::MsgsAllInfo<'_> = decode(body)?;
                for (id, info) in all.msg_ids.iter().zip(all.info).take(ID_LIST_COUNT_MAX) {
                    if info & STATE_RECEIVED == STATE_RECEIVED {
                        self.acknowledged(MsgId(*id));
                    }
                }
            }
            types::MsgResendReq::ID => {
                let Some(ids) = short(decode::<types::MsgResendReq>(body)?.msg_ids) else {
                    return Ok(Err(Violation::Flood));
                };
                self.resend(conn, msg_id, &ids);
            }
            types::MsgResendAnsReq::ID => {
                let Some(mut ids) = short(decode::<types::MsgResendAnsReq>(body)?.msg_ids) else {
                    return Ok(Err(Violation::Flood));
                };
                ids.sort_unstable();
                self.outbox.send_answers_again(&ids, conn);
            }
            // Waiting is for HTTP. The others answer what we never ask.
            _ => {}
        }
        Ok(Ok(()))
    }

    /// Has the session's owner do something that is answered later.
    fn ask(&mut self, now: UnixTime, conn: ConnId, msg_id: MsgId, event: Event) {
        if !self.requests.is_full() {
            self.requests.insert(now, msg_id, conn);
            self.events.push_back(event);
        }
    }

    /// A message under a new number: what counts is the old one.
    fn copied(&mut self, now: UnixTime, conn: ConnId, copy: &Inner) -> Result<(), Violation> {
        let Ok(original) = containers::read_copy(&copy.body) else {
            return Err(self.bad_message(conn, copy, 64));
        };
        // Anything that could nest is not copied by anyone.
        if matches!(original.id(), Some(types::MsgCopy::ID | types::MsgContainer::ID)) {
            return Err(self.bad_message(conn, copy, 64));
        }
        self.handle_inner(now, conn, original, Level::Container)
    }

    /// The client has one of our messages.
    fn acknowledged(&mut self, msg_id: MsgId) {
        if let Some(What::Answer(request)) = self.outbox.acknowledge(msg_id) {
            let fate = match self.received.known(request) {
                Known::Yes(Fate::Failed) => Fate::AcknowledgedFailure,
                _ => Fate::Acknowledged,
            };
            self.received.set(request, fate);
        }
    }

    /// `rpc_drop_answer`: the client lost interest in the answer to `request`.
    fn drop_answer(&mut self, now: UnixTime, conn: ConnId, msg_id: MsgId, request: MsgId) {
        let outcome = if let Some(running) = self.requests.remove(request) {
            self.events.push_back(Event::Cancelled { msg_id: request });
            // The request itself gets the same answer, so that nothing waits for it.
            let dropped = encode(&enums::RpcDropAnswer::RpcAnswerDroppedRunning);
            self.answer_as(request, running.conn, dropped, Fate::Failed);
            self.settle(request, true);
            encode(&enums::RpcDropAnswer::RpcAnswerDroppedRunning)
        } else if let Some((sent_as, len)) = self.outbox.drop_answer(request) {
            self.received.set(request, Fate::Acknowledged);
            let (answer_id, seq_no) =
                sent_as.unwrap_or_else(|| (self.number(now, Origin::Answer, false).0, 0));
            let len = i32::try_from(len).unwrap_or(i32::MAX);
            encode(&types::RpcAnswerDropped::new(answer_id.0, seq_no, len))
        } else {
            encode(&enums::RpcDropAnswer::RpcAnswerUnknown)
        };
        self.answer(msg_id, conn, outcome);
    }

    /// `msg_resend_req`: at once, and if any is not known, the states of all.
    fn resend(&mut self, conn: ConnId, msg_id: MsgId, ids: &[i64]) {
        let info: Vec<u8> = ids
            .iter()
            .map(|id| match self.outbox.send_again(MsgId(*id), conn) {
                true => STATE_RECEIVED,
                false => STATE_FORGOTTEN,
            })
            .collect();
        if info.contains(&STATE_FORGOTTEN) {
            self.reply(conn, &types::MsgsStateInfo::new(msg_id.0, &info));
        }
    }

    /// What we know of one of the client's messages, as `msgs_state_info` has it.
    fn state_of(&self, msg_id: MsgId) -> u8 {
        if self.requests.contains(msg_id) {
            let acknowledged = if self.requests.is_acknowledged(msg_id) { 8 } else { 0 };
            return STATE_RECEIVED | 32 | acknowledged;
        }
        match self.received.known(msg_id) {
            Known::Forgotten => STATE_FORGOTTEN,
            Known::No => 2,
            Known::TooHigh => 3,
            Known::Yes(Fate::Service | Fate::Container) => STATE_RECEIVED | 16,
            Known::Yes(Fate::Running) => STATE_RECEIVED | 32,
            Known::Yes(Fate::Answered | Fate::Failed) => STATE_RECEIVED | 8 | 32 | 64,
            Known::Yes(Fate::Acknowledged | Fate::AcknowledgedFailure) => {
                STATE_RECEIVED | 8 | 32 | 64 | 128
            }
        }
    }
}

/// Decodes a service message; what follows it does not matter.
fn decode<'a, T: Decode<'a>>(body: &'a [u8]) -> Result<T, DecodeError> {
    T::decode(&mut Cursor::new(body))
}

/// A list of identifiers unless it is too long.
fn short(ids: Vec<i64>) -> Option<Vec<i64>> {
    (ids.len() <= ID_LIST_COUNT_MAX).then_some(ids)
}

const STATE_FORGOTTEN: u8 = 1;
const STATE_RECEIVED: u8 = 4;
const _: () = assert!(!is_request(functions::Ping::ID) && is_request(gzip::ID));
