//! What a session answers, as tables: messages in, descriptions of messages out.
//!
//! | file | what it shows |
//! |---|---|
//! | `messages` | service messages, and every way in which a message can be wrong |
//! | `requests` | requests run once, wait for others, are dropped |
//! | `delivery` | connections, acknowledgements, re-sending, pushes, bounds |

mod delivery;
mod messages;
mod requests;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use crypto::AuthKeyId;
use tl::mtproto::{functions, types};
use tl::{Cursor, Decode as _, Encode, Layer};

use super::*;
use crate::envelope::Message;
use crate::limits;
use crate::msg_id::Origin;

const START: UnixTime = UnixTime::from_secs(1_700_000_000);
const SESSION_ID: i64 = 5;
const CONN: ConnId = ConnId(1);
/// A constructor that is none of the protocol's: a request.
const REQUEST: u32 = 0xc4f9_186b;

/// A session, and a client that makes messages for it by hand.
struct Bench {
    session: Session,
    now: UnixTime,
    msg_ids: MsgIds,
    seq: i32,
}

impl Bench {
    /// One that is connected but has not begun.
    fn fresh() -> Self {
        let mut session = Session::new(START, config());
        session.attach(START, CONN);
        Self { session, now: START, msg_ids: MsgIds::default(), seq: 0 }
    }

    /// One whose `new_session_created` has been seen and acknowledged.
    fn new() -> Self {
        let mut bench = Self::fresh();
        bench.send(&functions::Ping::new(0));
        bench.ack_all();
        bench
    }

    fn wait(&mut self, secs: u64) {
        self.now = self.now + Duration::from_secs(secs);
    }

    /// A connection comes and says something new that wants no answer.
    fn join(&mut self, conn: ConnId) {
        let msg_id = self.next_id();
        self.raw(conn, msg_id, self.seq, &container(&[])).unwrap();
    }

    fn next_id(&mut self) -> MsgId {
        self.msg_ids.next(self.now, Origin::Client)
    }

    /// Sends a message as it should be.
    fn send(&mut self, body: &impl Encode) -> MsgId {
        let body = body.to_vec(Layer::NEWEST);
        self.send_body(&body)
    }

    fn send_body(&mut self, body: &[u8]) -> MsgId {
        let msg_id = self.next_id();
        let content = Cursor::new(body).peek_id().is_ok_and(service::is_request);
        let seq_no = self.seq | i32::from(content);
        self.seq += 2 * i32::from(content);
        self.raw(CONN, msg_id, seq_no, body).unwrap();
        msg_id
    }

    /// Sends a message just like that.
    fn raw(
        &mut self,
        conn: ConnId,
        msg_id: MsgId,
        seq_no: i32,
        body: &[u8],
    ) -> Result<(), Violation> {
        let salt = self.session.salts.current(self.now);
        let body = BytesMut::from(body);
        let message = Message { salt, session_id: SESSION_ID, msg_id, seq_no, body };
        self.session.handle_message(self.now, conn, message)
    }

    /// All messages of all packets that are ready, containers taken apart.
    fn messages(&mut self) -> Vec<(ConnId, Inner)> {
        let mut messages = Vec::new();
        while let Some(Outgoing { conn, packet }) = self.session.poll_transmit(self.now) {
            let mut header = Cursor::new(packet.as_slice());
            assert_eq!(header.i64(), Ok(self.session.salts.current(self.now)));
            assert_eq!(header.i64(), Ok(SESSION_ID));
            let msg_id = MsgId(header.i64().unwrap());
            let seq_no = header.i32().unwrap();
            assert_eq!(header.i32().unwrap() as usize, header.remaining());
            assert!(msg_id.time() + Duration::from_secs(1) > self.now, "packets are fresh");
            let body = Bytes::copy_from_slice(header.rest());
            let outer = Inner { msg_id, seq_no, body };
            if outer.id() == Some(types::MsgContainer::ID) {
                let inner = containers::read(&outer.body).unwrap();
                assert!(inner.iter().all(|inner| inner.msg_id < msg_id));
                messages.extend(inner.into_iter().map(|inner| (conn, inner)));
            } else {
                messages.push((conn, outer));
            }
        }
        messages
    }

    /// What goes out, described.
    fn out(&mut self) -> Vec<String> {
        self.messages().iter().map(|(_, message)| describe(&message.body)).collect()
    }

    /// Takes what goes out and acknowledges it.
    fn ack_all(&mut self) -> Vec<String> {
        let messages = self.messages();
        let odd = messages.iter().filter(|(_, message)| message.seq_no & 1 == 1);
        let ids: Vec<_> = odd.map(|(_, message)| message.msg_id.0).collect();
        if !ids.is_empty() {
            self.send(&types::MsgsAck::new(ids));
        }
        messages.iter().map(|(_, message)| describe(&message.body)).collect()
    }

    /// The requests to be run now, and other events described.
    fn events(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.session.poll_event())
            .map(|event| match event {
                Event::Request(request) => {
                    let held = request.predecessors == Predecessors::Finished;
                    let number = i32::from_le_bytes(request.body[4..8].try_into().unwrap());
                    format!("{} {number}", if held { "released" } else { "request" })
                }
                Event::Cancelled { .. } => "cancelled".to_owned(),
                Event::DestroySession { session_id, .. } => format!("destroy session {session_id}"),
                Event::DestroyAuthKey { .. } => "destroy key".to_owned(),
                Event::Close { conn } => format!("close {}", conn.0),
                Event::Expired => "expired".to_owned(),
            })
            .collect()
    }
}

fn config() -> Config {
    Config {
        auth_key_id: AuthKeyId(3),
        session_id: SESSION_ID,
        unique_id: 9,
        salt_secret: Arc::new(SaltSecret::new([1; 32])),
        first_salt: None,
        received_up_to: None,
        updates_too_long: Bytes::from_static(&[0x7e, 0xaf, 0x17, 0xe3]),
    }
}

/// A request that says its number.
fn request(number: i32) -> Vec<u8> {
    [REQUEST.to_le_bytes(), number.to_le_bytes()].concat()
}

/// An answer that says its number and is `len` bytes long.
fn answer(number: i32, len: usize) -> Reply {
    let mut body = [0xaaaa_aaaa_u32.to_le_bytes(), number.to_le_bytes()].concat();
    body.resize(len.max(8), 0);
    Buffer::from_body(&body)
}

/// A container of messages.
fn container(messages: &[(MsgId, i32, Vec<u8>)]) -> Vec<u8> {
    let mut writer = containers::Writer::new(64);
    for (msg_id, seq_no, body) in messages {
        writer.put(*msg_id, *seq_no, body);
    }
    writer.finish().as_slice().to_vec()
}

/// A message in words.
fn describe(body: &[u8]) -> String {
    let mut input = Cursor::new(body);
    let input = &mut input;
    match input.peek_id().unwrap() {
        types::Pong::ID => format!("pong {}", types::Pong::decode(input).unwrap().ping_id),
        types::NewSessionCreated::ID => "new_session".to_owned(),
        types::BadMsgNotification::ID => {
            format!("bad_msg {}", types::BadMsgNotification::decode(input).unwrap().error_code)
        }
        types::BadServerSalt::ID => "bad_salt".to_owned(),
        types::MsgsAck::ID => {
            format!("ack {}", types::MsgsAck::decode(input).unwrap().msg_ids.len())
        }
        types::RpcResult::ID => {
            format!("result {}", describe(types::RpcResult::decode(input).unwrap().result.0))
        }
        types::RpcError::ID => {
            let error = types::RpcError::decode(input).unwrap();
            format!("error {} {}", error.error_code, error.error_message)
        }
        types::MsgsStateInfo::ID => {
            format!("states {:?}", types::MsgsStateInfo::decode(input).unwrap().info)
        }
        types::FutureSalts::ID => {
            format!("salts {}", types::FutureSalts::decode(input).unwrap().salts.len())
        }
        types::MsgDetailedInfo::ID => {
            format!("detailed {}", types::MsgDetailedInfo::decode(input).unwrap().bytes)
        }
        types::DestroySessionOk::ID => "destroy_session_ok".to_owned(),
        types::DestroySessionNone::ID => "destroy_session_none".to_owned(),
        0xf660_e1d4 => "destroy_auth_key_ok".to_owned(),
        0x0a9f_2259 => "destroy_auth_key_none".to_owned(),
        0xea10_9b13 => "destroy_auth_key_fail".to_owned(),
        0x5e2a_d36e => "unknown".to_owned(),
        0xcd78_e586 => "dropped_running".to_owned(),
        types::RpcAnswerDropped::ID => {
            format!("dropped {}", types::RpcAnswerDropped::decode(input).unwrap().bytes)
        }
        0xe317_af7e => "too_long".to_owned(),
        0xaaaa_aaaa => {
            input.u32().unwrap();
            format!("answer {}", input.i32().unwrap())
        }
        id => format!("{id:#010x}"),
    }
}
