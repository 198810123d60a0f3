//! What one packet may cost: about as much as it is long, whatever is in it and whatever the session holds.
//!
//! Whoever has a key has sessions, and needs no login for that: a packet of a kilobyte that keeps a shard busy for a second, or
//! that takes a gigabyte, is all that it takes to end a server. Each test fills a session as far as its bounds allow and then
//! says what would make a session look at all of that for each of a thousand messages. Nothing here measures time: with a cost
//! that is a product of two bounds a test does not end, and is ended by the limit that every test has.

use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use crypto::AuthKeyId;
use flate2::Compression;
use flate2::write::GzEncoder;
use mtproto::envelope::Message;
use mtproto::limits::{
    CONTAINER_COUNT_MAX, ID_LIST_COUNT_MAX, PACKET_LEN_MAX, PREDECESSOR_COUNT_MAX,
};
use mtproto::session::{Config, ConnId, Event, FirstSalt, Request, SaltSecret, Session};
use mtproto::{Buffer, MsgId, UnixTime};
use tl::mtproto::types;
use tl::{Encode as _, Layer};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const SALT: i64 = 5;
const SESSION_ID: i64 = 7;
const CONN: ConnId = ConnId(1);

/// How often each packet comes: what takes a second once must not be taken for quick.
const ROUNDS: i64 = 100;

fn session() -> Session {
    let config = Config {
        auth_key_id: AuthKeyId(3),
        session_id: SESSION_ID,
        unique_id: 9,
        salt_secret: Arc::new(SaltSecret::new([1; 32])),
        first_salt: Some(FirstSalt { salt: SALT, valid_since: NOW }),
        received_up_to: None,
        updates_too_long: Bytes::new(),
    };
    let mut session = Session::new(NOW, config);
    session.attach(NOW, CONN);
    session
}

fn id(number: i64) -> MsgId {
    MsgId(MsgId::at(NOW).0 + number * 4)
}

/// Sends a message whose number is out of the way of the numbers of tests.
fn send(session: &mut Session, number: i64, body: &[u8]) {
    let body = BytesMut::from(body);
    let message =
        Message { salt: SALT, session_id: SESSION_ID, msg_id: id(number), seq_no: 0, body };
    let _ = session.handle_message(NOW, CONN, message);
}

/// Sends messages by their numbers in one packet.
fn send_all(session: &mut Session, number: i64, messages: &[(i64, i32, Vec<u8>)]) {
    assert!(messages.len() <= CONTAINER_COUNT_MAX);
    let mut body = Vec::from(types::MsgContainer::ID.to_le_bytes());
    body.extend(u32::try_from(messages.len()).unwrap().to_le_bytes());
    for (number, seq_no, inner) in messages {
        body.extend(id(*number).0.to_le_bytes());
        body.extend(seq_no.to_le_bytes());
        body.extend(u32::try_from(inner.len()).unwrap().to_le_bytes());
        body.extend(inner);
    }
    assert!(body.len() < PACKET_LEN_MAX, "{} bytes", body.len());
    send(session, number, &body);
}

fn request() -> Vec<u8> {
    [0xc4f9_186b_u32.to_le_bytes(), [0; 4]].concat()
}

/// The requests that are to be run now.
fn requests(session: &mut Session) -> Vec<Request> {
    std::iter::from_fn(|| session.poll_event())
        .filter_map(|event| match event {
            Event::Request(request) => Some(request),
            _ => None,
        })
        .collect()
}

/// Has requests with these numbers answered, in one packet.
fn answered(session: &mut Session, packet: i64, numbers: Range<i64>) {
    let messages: Vec<_> = numbers.map(|at| (at, 1, request())).collect();
    send_all(session, packet, &messages);
    for request in requests(session) {
        session.send_result(request.msg_id, Buffer::from_body(&[1; 8]));
    }
}

/// Takes all packets.
fn transmit(session: &mut Session) -> usize {
    std::iter::from_fn(|| session.poll_transmit(NOW)).count()
}

/// Zeros pack a thousand times, so that what requests take when they are unpacked is no matter of how long their packet is.
/// A session must leave that to whoever runs them and knows how much runs.
///
/// It would fail if a session unpacked what it takes: a packet of two megabytes would be two gigabytes of requests.
#[test]
fn what_comes_packed_stays_so() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&request()).unwrap();
    encoder.write_all(&vec![0; 1 << 20]).unwrap();
    let packed = encoder.finish().unwrap();
    let packed = types::GzipPacked::new(&packed).to_vec(Layer::NEWEST);
    let mut session = session();
    let messages: Vec<_> = (0..100).map(|at| (at, 1, packed.clone())).collect();
    send_all(&mut session, 100_000, &messages);
    let requests = requests(&mut session);
    assert_eq!(requests.len(), messages.len());
    let len: usize = requests.iter().map(|request| request.body.len()).sum();
    assert!(len < PACKET_LEN_MAX, "{len} bytes of requests");
}

/// A thousand requests wait for requests that nobody knows, and others are answered meanwhile.
///
/// It would fail if everything that waits were looked at for each answer, or for each request that is to wait, too.
#[test]
fn those_that_wait_are_not_looked_at_for_each_answer() {
    let mut session = session();
    let after: Vec<_> = (0..PREDECESSOR_COUNT_MAX as i64).map(|at| id(50_000 + at)).collect();
    let waiting: Vec<_> = (0..1000).map(|at| (10_000 + at, 1, request())).collect();
    send_all(&mut session, 100_000, &waiting);
    for request in requests(&mut session) {
        session.hold(NOW, request, &after);
    }
    for round in 0..ROUNDS {
        let first = 20_000 + round * 200;
        answered(&mut session, 200_000 + round, first..first + 200);
        transmit(&mut session);
    }
}

/// A packet full of lists of requests whose answers are to come again, all of which are kept.
///
/// It would fail if each were looked for among all that is kept.
#[test]
fn answers_are_found_at_once() {
    let mut session = session();
    for first in [0, 1000] {
        answered(&mut session, 100_000 + first, first..first + 1000);
    }
    transmit(&mut session);
    let ids = (0..2000).cycle().take(ID_LIST_COUNT_MAX);
    let ids: Vec<_> = ids.map(|number| id(number).0).collect();
    let list = types::MsgResendAnsReq::new(ids).to_vec(Layer::NEWEST);
    let lists: Vec<_> = (0..30).map(|at| (110_000 + at, 0, list.clone())).collect();
    for round in 0..ROUNDS {
        send_all(&mut session, 200_000 + round, &lists);
        assert!(transmit(&mut session) > 0, "they are sent again");
    }
}
