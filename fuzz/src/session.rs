//! Body of `session`: anything that may happen to a session, against a model of what its client knows.
//!
//! ```text
//! session     | operation (1) | its arguments | …      operation % 16:
//!
//! 0..=2 message   | connection | seconds ahead | message |
//! 3 container     | connection | seconds ahead | count | message | …
//! 4 wait          | seconds |            8 detach        | connection |
//! 5 answer        | length |             9 writable      | connection |
//! 6 update        | length |            10, 11 receive what there is
//! 7 attach        | connection |        12 hold          | which others: of those that run, or to come |
//! 13 acknowledge  | count |             14 ask again     | count |      15 with a wrong salt | message |
//!
//! message = | id | seq_no | constructor | length | body |
//! ```
//!
//! What the model holds: a request is run once, and only if it was sent; one that is held back runs once all that it waits for
//! are finished, and not before; each that was taken has an answer in the end, which arrives, unless the client dropped it or
//! reads too slowly; each message has one identifier, number and content, however often it is sent; numbers count content;
//! identifiers increase; memory is bounded.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use crypto::AuthKeyId;
use mtproto::envelope::Message;
use mtproto::limits::{CONTAINER_SENT_COUNT_MAX, MSG_ID_AHEAD_MAX, RUNNING_PREDECESSOR_WAIT};
use mtproto::session::{
    self, ConnId, Event, Predecessors, Request, SaltSecret, Session, Violation,
};
use mtproto::{Buffer, MsgId, UnixTime};

const START: UnixTime = UnixTime::from_secs(1_700_000_000);

const MSG_CONTAINER: u32 = 0x73f1_f8dc;
const MSGS_ACK: u32 = 0x62d6_b459;
const MSG_RESEND_REQ: u32 = 0x7d86_1a08;
const RPC_DROP_ANSWER: u32 = 0x58e4_a740;
const RPC_RESULT: u32 = 0xf35c_6d01;
const BAD_MSG_NOTIFICATION: u32 = 0xa7ef_f811;
const BAD_SERVER_SALT: u32 = 0xedab_447b;

/// Constructors that a session knows, and two that it does not.
const CONSTRUCTORS: [u32; 20] = [
    MSG_CONTAINER,
    0xe060_46b2,
    0x3072_cfa1,
    MSGS_ACK,
    0xda69_fb52,
    0x04de_b57d,
    0x8cc0_d131,
    MSG_RESEND_REQ,
    0x8610_baeb,
    0x276d_3ec6,
    0x809d_b6df,
    RPC_DROP_ANSWER,
    0xb921_bd04,
    0x7abe_77ec,
    0xf342_7b8c,
    0xe751_2126,
    0xd143_5160,
    0x9299_359f,
    0xcb9f_372d,
    0xc4f9_186b,
];

const SALT: i64 = 5;
const SESSION_ID: i64 = 2;

/// Anything, in any order.
pub fn session(data: &[u8]) {
    let config = session::Config {
        auth_key_id: AuthKeyId(1),
        session_id: SESSION_ID,
        unique_id: 3,
        salt_secret: Arc::new(SaltSecret::new([4; 32])),
        first_salt: Some(session::FirstSalt { salt: SALT, valid_since: START }),
        received_up_to: None,
        updates_too_long: Bytes::from_static(&[0x7e, 0xaf, 0x17, 0xe3]),
    };
    let mut session = Session::new(START, config);
    session.set_wants_updates(true);
    let mut world = World { now: START, session, requests: Vec::new(), model: Model::default() };
    let mut input = Input(data);
    while world.step(&mut input).is_some() {
        world.take_events();
        assert!(world.session.memory_len() < 32 << 20, "memory grows");
    }
    world.receive_all();
}

/// Bytes to take arguments from.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self, len: u8) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(usize::from(len).min(self.0.len()));
        self.0 = rest;
        bytes
    }

    fn conn(&mut self) -> Option<ConnId> {
        self.byte().map(|conn| ConnId(u64::from(conn % 4)))
    }

    /// A message: its identifier counts from `base` on.
    fn message(&mut self, base: i64) -> Option<(MsgId, i32, Vec<u8>)> {
        let id = self.byte()?;
        let seq_no = i32::from(self.byte()?.cast_signed());
        let constructor = CONSTRUCTORS[usize::from(self.byte()?) % CONSTRUCTORS.len()];
        let len = self.byte()? & !3;
        let mut body = [&constructor.to_le_bytes(), self.bytes(len)].concat();
        body.resize(body.len().next_multiple_of(4), 0);
        // Few identifiers, so that they repeat; the lowest bits are mostly a client's.
        let low = i64::from(id >> 2) * 4 + i64::from(id.is_multiple_of(16));
        Some((MsgId(base.wrapping_add(low)), seq_no, body))
    }
}

struct World {
    now: UnixTime,
    session: Session,
    /// Those that run.
    requests: Vec<Request>,
    model: Model,
}

impl World {
    fn step(&mut self, input: &mut Input<'_>) -> Option<()> {
        match input.byte()? % 16 {
            0..=2 => {
                let (conn, base) = (input.conn()?, self.base(input.byte()?));
                let (msg_id, seq_no, body) = input.message(base)?;
                self.send(conn, SALT, msg_id, seq_no, &body);
            }
            3 => {
                let (conn, base) = (input.conn()?, self.base(input.byte()?));
                let count = input.byte()? % 5;
                let mut body = [MSG_CONTAINER, count.into()].map(u32::to_le_bytes).concat();
                for _ in 0..count {
                    let (msg_id, seq_no, inner) = input.message(base)?;
                    body.extend(msg_id.0.to_le_bytes());
                    body.extend(seq_no.to_le_bytes());
                    body.extend(u32::try_from(inner.len()).unwrap_or(0).to_le_bytes());
                    body.extend(inner);
                }
                // Behind all that it holds.
                self.send(conn, SALT, MsgId(base.wrapping_add(1024)), 0, &body);
            }
            4 => {
                self.now = self.now + Duration::from_secs(u64::from(input.byte()?));
                if self.session.poll_timeout().is_some_and(|at| at <= self.now) {
                    self.session.handle_timeout(self.now);
                }
            }
            5 => {
                let len = input.byte()?;
                self.answer(len);
            }
            6 => {
                let len = 4 + usize::from(input.byte()?) * 256;
                self.session.send_update(Buffer::from_body(&vec![2; len]));
            }
            7 => self.session.attach(self.now, input.conn()?),
            8 => self.session.detach(self.now, input.conn()?),
            9 => {
                let conn = input.conn()?;
                self.session.set_writable(conn, conn.0.is_multiple_of(2));
            }
            10 | 11 => self.receive(),
            12 => {
                let which = input.byte()?;
                if let Some(request) = self.requests.pop() {
                    let others = self.requests.iter().skip(usize::from(which % 4));
                    let mut after: Vec<_> = others.map(|it| it.msg_id).collect();
                    if which & 4 != 0 {
                        let to_come = self.base(0).wrapping_add(i64::from(which >> 3) * 4);
                        after.push(MsgId(to_come));
                    }
                    self.model.held.insert(request.msg_id, after.clone());
                    self.session.hold(self.now, request, &after);
                }
            }
            kind @ (13 | 14) => {
                let count = usize::from(input.byte()?);
                let constructor = if kind == 13 { MSGS_ACK } else { MSG_RESEND_REQ };
                let body = self.model.name_received(constructor, count);
                let msg_id = MsgId(MsgId::at(self.now).0.wrapping_add(2048));
                self.send(ConnId(0), SALT, msg_id, 0, &body);
            }
            _ => {
                let (msg_id, seq_no, body) = input.message(MsgId::at(self.now).0)?;
                self.send(ConnId(1), !SALT, msg_id, seq_no, &body);
            }
        }
        Some(())
    }

    /// Answers the latest of those that run, now and then with an error.
    fn answer(&mut self, len: u8) {
        let Some(request) = self.requests.pop() else { return };
        let answer = match len {
            255 => Buffer::rpc_error(400, "NO"),
            _ => Buffer::from_body(&vec![self.requests.len() as u8 | 1; usize::from(len) * 64]),
        };
        self.model.answered(request.msg_id, answer.as_slice());
        self.session.send_result(request.msg_id, answer);
    }

    /// From where identifiers count.
    fn base(&self, ahead: u8) -> i64 {
        let ahead_s = i64::from(ahead.cast_signed()) * 4;
        MsgId::at(self.now).0.wrapping_add(ahead_s << 32)
    }

    fn send(&mut self, conn: ConnId, salt: i64, msg_id: MsgId, seq_no: i32, body: &[u8]) {
        self.model.sent(msg_id, body);
        let body = BytesMut::from(body);
        let message = Message { salt, session_id: SESSION_ID, msg_id, seq_no, body };
        match self.session.handle_message(self.now, conn, message) {
            Err(Violation::WrongSalt { .. }) => {}
            Err(Violation::BadMessage { msg_id: bad, code }) if bad == msg_id => {
                assert_eq!(code == 18, !msg_id.is_of_client(), "{msg_id:?}: {code}");
                let is_ahead = msg_id.time() > self.now + MSG_ID_AHEAD_MAX;
                assert!(code != 17 || is_ahead, "{msg_id:?} is not ahead");
            }
            _ => assert!(salt != SALT || msg_id.is_of_client(), "{msg_id:?} is not a client's"),
        }
    }

    fn take_events(&mut self) {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Request(request) => {
                    self.model.ran(&request);
                    let after = self.model.held.remove(&request.msg_id).unwrap_or_default();
                    for before in after {
                        let runs = self.requests.iter().any(|it| it.msg_id == before);
                        assert!(!runs && !self.model.held.contains_key(&before), "too early");
                    }
                    self.requests.push(request);
                }
                Event::DestroySession { msg_id, session_id } => {
                    self.session.send_destroy_session(msg_id, session_id, true);
                }
                Event::DestroyAuthKey { msg_id } => {
                    self.session.send_destroy_auth_key(msg_id, session::DestroyAuthKey::Fail);
                }
                Event::Cancelled { msg_id } => {
                    self.requests.retain(|request| request.msg_id != msg_id);
                    self.model.held.remove(&msg_id);
                }
                // Whoever cannot keep up loses answers with the connection.
                Event::Close { .. } => self.model.lossy = true,
                Event::Expired => {}
            }
        }
    }

    fn receive(&mut self) {
        while let Some(outgoing) = self.session.poll_transmit(self.now) {
            assert!(self.session.connections().any(|conn| conn == outgoing.conn));
            self.model.received(outgoing.packet.as_slice());
        }
    }

    /// A connection comes and takes all there is: whatever was answered has then arrived.
    fn receive_all(&mut self) {
        // All that runs is answered, and all that waits for what never comes has waited long enough.
        for _ in 0..2 {
            while !self.requests.is_empty() {
                self.answer(1);
                self.take_events();
            }
            self.now = self.now + RUNNING_PREDECESSOR_WAIT;
            self.session.handle_timeout(self.now);
            self.take_events();
        }
        const LAST: ConnId = ConnId(9);
        // Something new, with the salt that it is told, or it would be no better than a recording.
        let msg_id = MsgId(MsgId::at(self.now).0.wrapping_add(400_004));
        let ack = [MSGS_ACK, 0x1cb5_c415, 0].map(u32::to_le_bytes).concat();
        self.send(LAST, SALT, msg_id, 0, &ack);
        self.receive();
        let salt = self.model.salts.get(&msg_id.0).copied();
        self.send(LAST, salt.unwrap_or(SALT), msg_id, 0, &ack);
        assert!(self.session.is_connected(), "something new came");
        // What went elsewhere is sent again here.
        (0..4).for_each(|conn| self.session.detach(self.now, ConnId(conn)));
        self.take_events();
        self.receive();
        self.model.check_answers();
    }
}

/// What the client knows.
#[derive(Default)]
struct Model {
    /// Whatever may be the identifier of something that it sent.
    sent: HashSet<i64>,
    run: HashSet<MsgId>,
    answers: HashMap<i64, Vec<u8>>,
    arrived: HashSet<i64>,
    /// Those that wait, and for what.
    held: HashMap<MsgId, Vec<MsgId>>,
    /// By identifier: number and content.
    known: HashMap<i64, (i32, Vec<u8>)>,
    /// In the order they came.
    content: Vec<i64>,
    content_count: i32,
    last_packet: i64,
    /// The salts that it was told, by the message that had another one. What was told before may arrive later, elsewhere.
    salts: HashMap<i64, i64>,
    /// Answers may be missing: the client dropped some, or reads too slowly.
    lossy: bool,
}

impl Model {
    fn sent(&mut self, msg_id: MsgId, body: &[u8]) {
        self.sent.insert(msg_id.0);
        let (words, _) = body.as_chunks::<4>();
        self.lossy |= words.contains(&RPC_DROP_ANSWER.to_le_bytes());
        for pair in words.windows(2) {
            let mut id = [0; 8];
            id[..4].copy_from_slice(&pair[0]);
            id[4..].copy_from_slice(&pair[1]);
            self.sent.insert(i64::from_le_bytes(id));
        }
    }

    fn ran(&mut self, request: &Request) {
        assert!(self.sent.contains(&request.msg_id.0), "never sent");
        match request.predecessors {
            Predecessors::Unchecked => assert!(self.run.insert(request.msg_id), "run twice"),
            Predecessors::Finished => assert!(self.run.contains(&request.msg_id), "never held"),
        }
    }

    fn answered(&mut self, request: MsgId, answer: &[u8]) {
        self.answers.entry(request.0).or_insert_with(|| answer.to_vec());
    }

    /// An acknowledgement of the last `count` messages that came, or a request to send them again.
    fn name_received(&self, constructor: u32, count: usize) -> Vec<u8> {
        let ids = &self.content[self.content.len().saturating_sub(count)..];
        let head = [constructor, 0x1cb5_c415, u32::try_from(ids.len()).unwrap_or(0)];
        let ids = ids.iter().flat_map(|id| id.to_le_bytes());
        head.into_iter().flat_map(u32::to_le_bytes).chain(ids).collect()
    }

    fn received(&mut self, packet: &[u8]) {
        assert_eq!(long(packet, 8), SESSION_ID);
        let (msg_id, body) = (long(packet, 16), &packet[32..]);
        assert_eq!(int(packet, 28) as usize, body.len());
        assert!(msg_id > self.last_packet, "identifiers increase");
        self.last_packet = msg_id;
        if int(body, 0) == MSG_CONTAINER {
            let count = int(body, 4) as usize;
            assert!((1..=CONTAINER_SENT_COUNT_MAX).contains(&count));
            let mut at = 8;
            for _ in 0..count {
                let len = int(body, at + 12) as usize;
                let inner = &body[at + 16..at + 16 + len];
                assert!(int(inner, 0) != MSG_CONTAINER && long(body, at) < msg_id);
                self.message(long(body, at), int(body, at + 8).cast_signed(), inner);
                at += 16 + len;
            }
            assert_eq!(at, body.len());
        }
        self.message(msg_id, int(packet, 24).cast_signed(), body);
    }

    fn message(&mut self, msg_id: i64, seq_no: i32, body: &[u8]) {
        assert!(MsgId(msg_id).is_of_server());
        let known = self.known.get(&msg_id);
        if let Some((known_seq_no, known_body)) = known {
            assert_eq!((*known_seq_no, &known_body[..]), (seq_no, body), "sent again as it was");
            return;
        }
        let is_content = seq_no & 1;
        assert_eq!(seq_no, self.content_count * 2 + is_content, "numbers count content");
        self.content_count += is_content;
        if is_content == 1 {
            self.content.push(msg_id);
        }
        self.known.insert(msg_id, (seq_no, body.to_vec()));
        match int(body, 0) {
            RPC_RESULT => {
                let request = long(body, 4);
                assert!(self.sent.contains(&request), "the result of nothing");
                if let Some(answer) = self.answers.get(&request) {
                    assert!(body[12..] == **answer, "another answer");
                }
                self.arrived.insert(request);
            }
            BAD_MSG_NOTIFICATION => {
                assert!(self.sent.contains(&long(body, 4)), "nothing was bad");
            }
            BAD_SERVER_SALT => {
                assert!(self.sent.contains(&long(body, 4)), "nothing was bad");
                self.salts.insert(long(body, 4), long(body, 20));
            }
            MSGS_ACK => {
                for at in 0..int(body, 8) as usize {
                    assert!(self.sent.contains(&long(body, 12 + 8 * at)), "an ack of nothing");
                }
            }
            _ => {}
        }
    }

    fn check_answers(&self) {
        if !self.lossy {
            for request in &self.run {
                assert!(self.arrived.contains(&request.0), "the answer to {request} is missing");
            }
        }
    }
}

fn int(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn long(bytes: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
