//! A server around the protocol: keys, sessions, connections; what a gateway is, without sockets.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use crypto::rsa::PrivateKey;
use crypto::{AuthKey, AuthKeyId, Side};
use mtproto::bind_temp;
use mtproto::envelope::{self, Kind, PlainIds};
use mtproto::handshake::server::{Config, Handshakes, KeyKind, Step, Stored};
use mtproto::session::{self, ConnId, Event, FirstSalt, Outgoing, SaltSecret, Session};
use mtproto::transport::{Noise, ServerConfig, ServerTransport};
use mtproto::{Buffer, MsgId, UnixTime};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use tl::Cursor;

/// A request: this, a number, the length of the answer.
pub(crate) const REQUEST: u32 = 0x0101_0101;
/// An answer or an update: this, a number, zeros.
pub(crate) const ANSWER: u32 = 0x0202_0202;
/// A binding: this, and the fields of `auth.bindTempAuthKey`.
pub(crate) const BIND: u32 = 0x0303_0303;

/// Updates pushed in a run.
const PUSH_COUNT: i32 = 100;

pub(crate) static KEY: LazyLock<Arc<PrivateKey>> = LazyLock::new(|| {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../vectors/handshake.json")).unwrap();
    Arc::new(PrivateKey::from_pem(vectors["rsa_pem"].as_str().unwrap()).unwrap())
});

/// A key that the server knows.
pub(crate) struct Known {
    pub(crate) key: AuthKey,
    pub(crate) first_salt: FirstSalt,
    pub(crate) expires_at: i64,
    pub(crate) bound_to: Option<AuthKeyId>,
}

/// A connection on the server's side.
pub(crate) struct Connection {
    transport: ServerTransport,
    input: BytesMut,
    handshakes: Handshakes,
    plain_ids: PlainIds,
    /// The sessions that it was attached to.
    sessions: Vec<(AuthKeyId, i64)>,
    pub(crate) output: BytesMut,
}

#[derive(Default)]
pub(crate) struct Server {
    pub(crate) keys: HashMap<AuthKeyId, Known>,
    sessions: HashMap<(AuthKeyId, i64), Session>,
    pub(crate) connections: HashMap<ConnId, Connection>,
    /// How often each request was run.
    pub(crate) handled: HashMap<i32, usize>,
    pub(crate) bound_count: usize,
    /// Updates that sessions took, by number.
    pub(crate) pushed: Vec<i32>,
    running: Vec<(UnixTime, (AuthKeyId, i64), MsgId, Buffer)>,
    push_number: i32,
}

impl Server {
    pub(crate) fn connect(&mut self, conn: ConnId) {
        let connection = Connection {
            transport: ServerTransport::new(Arc::new(ServerConfig::default())),
            input: BytesMut::new(),
            handshakes: Handshakes::default(),
            plain_ids: PlainIds::default(),
            sessions: Vec::new(),
            output: BytesMut::new(),
        };
        self.connections.insert(conn, connection);
    }

    pub(crate) fn disconnect(&mut self, now: UnixTime, conn: ConnId) {
        let Some(connection) = self.connections.remove(&conn) else { return };
        for id in connection.sessions {
            if let Some(session) = self.sessions.get_mut(&id) {
                session.detach(now, conn);
            }
        }
    }

    pub(crate) fn receive(
        &mut self,
        now: UnixTime,
        conn: ConnId,
        bytes: &[u8],
        rng: &mut ChaCha20Rng,
    ) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        connection.input.extend_from_slice(bytes);
        let mut packets = Vec::new();
        while let Some(packet) = connection.transport.next_packet(&mut connection.input).unwrap() {
            packets.push(packet.payload);
        }
        for packet in packets {
            match envelope::peek(&packet).unwrap() {
                Kind::Unencrypted => self.unencrypted(now, conn, packet, rng),
                Kind::Encrypted(key) => self.encrypted(now, conn, key, packet, rng),
            }
        }
    }

    fn unencrypted(
        &mut self,
        now: UnixTime,
        conn: ConnId,
        packet: BytesMut,
        rng: &mut ChaCha20Rng,
    ) {
        let connection = self.connections.get_mut(&conn).unwrap();
        let config = Config { keys: vec![Arc::clone(&KEY)], dcs: vec![2] };
        let plain = envelope::open_plain(packet).unwrap();
        let mut step = connection.handshakes.handle(now, &config, &plain.body, rng);
        loop {
            step = match step {
                Step::Run(job) => connection.handshakes.job_done(now, job.run()),
                Step::Store(new) => {
                    let expires_at = match new.kind {
                        KeyKind::Perm => i64::MAX,
                        KeyKind::Temp { expires_in_s } => now.secs() + i64::from(expires_in_s),
                    };
                    let first_salt = FirstSalt { salt: new.first_salt, valid_since: now };
                    let key = new.auth_key;
                    let known = Known { key, first_salt, expires_at, bound_to: None };
                    self.keys.insert(known.key.id(), known);
                    connection.handshakes.key_stored(now, new.exchange, Stored::Ok)
                }
                Step::Answer(answer) => {
                    let packet = envelope::seal_plain(connection.plain_ids.next(now), answer);
                    send(connection, &packet);
                    return;
                }
                Step::Nothing => return,
                Step::Refuse(error) => panic!("{error}"),
            };
        }
    }

    fn encrypted(
        &mut self,
        now: UnixTime,
        conn: ConnId,
        key_id: AuthKeyId,
        packet: BytesMut,
        rng: &mut ChaCha20Rng,
    ) {
        let known = self.keys.get(&key_id).expect("the client has a key that was stored");
        let message = envelope::open(&known.key, Side::Client, packet).unwrap().message;
        let id = (key_id, message.session_id);
        let session = self.sessions.entry(id).or_insert_with(|| {
            let config = session::Config {
                auth_key_id: key_id,
                session_id: message.session_id,
                unique_id: rng.next_u64().cast_signed(),
                salt_secret: Arc::new(SaltSecret::new([3; 32])),
                first_salt: Some(known.first_salt),
                received_up_to: None,
                updates_too_long: Bytes::from_static(&[0x7e, 0xaf, 0x17, 0xe3]),
            };
            Session::new(now, config)
        });
        let connection = self.connections.get_mut(&conn).unwrap();
        if !connection.sessions.contains(&id) {
            connection.sessions.push(id);
            session.attach(now, conn);
        }
        // What is wrong is answered; a wrong clock is part of the test.
        let _ = session.handle_message(now, conn, message);
    }

    /// Runs requests, answers those that are done, and sends what can be sent.
    pub(crate) fn work(&mut self, now: UnixTime, rng: &mut ChaCha20Rng) {
        for at in (0..self.running.len()).rev() {
            if self.running[at].0 <= now {
                let (_, id, request, reply) = self.running.swap_remove(at);
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.send_result(request, reply);
                }
            }
        }
        let mut expired = Vec::new();
        for (id, session) in &mut self.sessions {
            if session.poll_timeout().is_some_and(|at| at <= now) {
                session.handle_timeout(now);
            }
            if session.wants_updates()
                && self.push_number < PUSH_COUNT
                && rng.next_u32().is_multiple_of(8)
            {
                let number = self.push_number + 1;
                if session.send_update(body(ANSWER, number, 100)) {
                    self.push_number = number;
                    self.pushed.push(number);
                }
            }
            while let Some(event) = session.poll_event() {
                match event {
                    Event::Request(request) => {
                        let reply = run(
                            &request,
                            *id,
                            now,
                            &mut self.keys,
                            &mut self.handled,
                            &mut self.bound_count,
                        );
                        session.set_wants_updates(true);
                        let delay = Duration::from_millis(u64::from(rng.next_u32() % 12_000));
                        // Most are quick; some take long enough to be acknowledged first.
                        let delay =
                            if rng.next_u32().is_multiple_of(4) { delay } else { delay / 100 };
                        self.running.push((now + delay, *id, request.msg_id, reply));
                    }
                    Event::Expired => expired.push(*id),
                    event => panic!("{event:?}"),
                }
            }
            while let Some(Outgoing { conn, mut packet }) = session.poll_transmit(now) {
                let mut random = [0; envelope::PADDING_RANDOM_LEN];
                rng.fill_bytes(&mut random);
                let key = &self.keys[&id.0].key;
                envelope::seal(key, Side::Server, &mut packet, &random).unwrap();
                if let Some(connection) = self.connections.get_mut(&conn) {
                    send(connection, &packet);
                }
            }
        }
        for id in expired {
            self.sessions.remove(&id);
        }
    }
}

fn run(
    request: &session::Request,
    (key_id, session_id): (AuthKeyId, i64),
    now: UnixTime,
    keys: &mut HashMap<AuthKeyId, Known>,
    handled: &mut HashMap<i32, usize>,
    bound_count: &mut usize,
) -> Buffer {
    let mut input = Cursor::new(&request.body);
    match input.u32().unwrap() {
        REQUEST => {
            let number = input.i32().unwrap();
            *handled.entry(number).or_default() += 1;
            body(ANSWER, number, input.u32().unwrap())
        }
        BIND => {
            let perm_auth_key_id = input.i64().unwrap();
            let perm_id = AuthKeyId(perm_auth_key_id.cast_unsigned());
            let bind = bind_temp::Request {
                msg_id: request.msg_id,
                session_id,
                temp_key_id: key_id,
                temp_expires_at: keys[&key_id].expires_at,
                perm_auth_key_id,
                nonce: input.i64().unwrap(),
                expires_at: input.i32().unwrap(),
                encrypted_message: input.bytes().unwrap(),
            };
            match bind_temp::verify(now, &bind, &keys[&perm_id].key) {
                Ok(()) => {
                    keys.get_mut(&key_id).unwrap().bound_to = Some(perm_id);
                    *bound_count += 1;
                    body(ANSWER, 0, 0)
                }
                Err(error) => Buffer::rpc_error(400, error.rpc_message()),
            }
        }
        id => panic!("{id:#x}"),
    }
}

/// A body with a number and so many zeros.
pub(crate) fn body(id: u32, number: i32, len: u32) -> Buffer {
    let mut body = [id.to_le_bytes(), number.to_le_bytes()].concat();
    body.resize(8 + len as usize / 4 * 4, 0);
    Buffer::from_body(&body)
}

fn send(connection: &mut Connection, packet: &Buffer) {
    let Connection { transport, output, .. } = connection;
    transport.encode_packet(packet.as_slice(), &Noise::default(), output);
}
