//! Service messages, and every way in which a message can be wrong.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use tl::mtproto::enums;

use super::*;

/// Sends `body` in a session that has begun, and compares what comes back.
#[track_caller]
fn check(body: &impl Encode, expected: &[&str]) {
    let mut bench = Bench::new();
    bench.send(body);
    assert_eq!(bench.out(), expected);
}

#[test]
fn service_messages() {
    check(&functions::Ping::new(7), &["pong 7"]);
    check(&functions::PingDelayDisconnect::new(8, 60), &["pong 8"]);
    check(&functions::GetFutureSalts::new(5), &["salts 5"]);
    let most = format!("salts {}", limits::FUTURE_SALT_COUNT_MAX);
    check(&functions::GetFutureSalts::new(limits::FUTURE_SALT_COUNT_MAX), &[&most]);
    check(&functions::GetFutureSalts::new(limits::FUTURE_SALT_COUNT_MAX + 1), &[&most]);
    check(&functions::RpcDropAnswer::new(4), &["result unknown"]);
    check(&functions::DestroySession::new(SESSION_ID), &["destroy_session_none"]);
    check(&types::HttpWait::new(0, 0, 25_000), &[]);
    check(&types::MsgsAck::new(vec![1, 2]), &[]);
    check(&types::MsgsStateReq::new(vec![4]), &["states [1]"]);
    check(&types::MsgsStateInfo::new(4, &[4]), &[]);
    check(&types::MsgsAllInfo::new(vec![1], &[4]), &[]);
    check(&types::MsgResendReq::new(vec![1]), &["states [1]"]);
    check(&types::MsgResendAnsReq::new(vec![4]), &[]);
    check(&types::MsgNewDetailedInfo::new(1, 8, 0), &[]);
}

#[test]
fn destroying_a_session_or_the_key() {
    for (existed, expected) in [(true, "destroy_session_ok"), (false, "destroy_session_none")] {
        let mut bench = Bench::new();
        let msg_id = bench.send(&functions::DestroySession::new(77));
        assert_eq!(bench.events(), ["destroy session 77"]);
        bench.session.send_destroy_session(msg_id, 77, existed);
        assert_eq!(bench.out(), [expected]);
    }
    for (outcome, expected) in [
        (DestroyAuthKey::Ok, "destroy_auth_key_ok"),
        (DestroyAuthKey::None, "destroy_auth_key_none"),
        (DestroyAuthKey::Fail, "destroy_auth_key_fail"),
    ] {
        let mut bench = Bench::new();
        let msg_id = bench.send(&functions::DestroyAuthKey::new());
        assert_eq!(bench.events(), ["destroy key"]);
        bench.session.send_destroy_auth_key(msg_id, outcome);
        assert_eq!(bench.out(), [expected]);
    }
    // In their bare form, as clients expect them.
    assert_eq!(
        enums::DestroyAuthKeyRes::DestroyAuthKeyOk.to_vec(Layer::NEWEST),
        0xf660_e1d4_u32.to_le_bytes()
    );
}

#[test]
fn states_of_messages() {
    let mut bench = Bench::new();
    let service = bench.send(&functions::Ping::new(1));
    let running = bench.send_body(&request(1));
    let answered = bench.send_body(&request(2));
    bench.session.send_result(answered, answer(2, 8));
    let acknowledged = bench.send_body(&request(3));
    bench.session.send_result(acknowledged, answer(3, 8));
    let sent = bench.messages();
    bench.send(&types::MsgsAck::new(vec![sent.last().unwrap().1.msg_id.0]));
    let between = MsgId(running.0 + 1);
    let high = MsgId(running.0 + (100 << 32));
    let ids = [service, running, answered, acknowledged, between, high, MsgId(4)];
    bench.send(&types::MsgsStateReq::new(ids.map(|id| id.0).to_vec()));
    assert_eq!(bench.out(), ["states [20, 36, 108, 236, 2, 3, 1]"]);
    bench.wait(8);
    bench.session.handle_timeout(bench.now);
    bench.out();
    bench.send(&types::MsgsStateReq::new(vec![running.0]));
    assert_eq!(bench.out(), ["states [44]"]);
}

// ===== bad_msg_notification =====

/// Sends a message with the given distance in time, residue and number, alone or in a container.
#[track_caller]
fn check_bad(secs: i64, residue: i64, seq_no: i32, body: &[u8], inside: bool, code: i32) {
    let mut bench = Bench::new();
    // Half a second of slack around the bounds.
    let msg_id = MsgId(bench.next_id().0 + (secs << 32) + residue);
    let (sent, outer) = if inside {
        let outer = bench.next_id();
        (bench.raw(CONN, outer, 0, &container(&[(msg_id, seq_no, body.to_vec())])), outer)
    } else {
        (bench.raw(CONN, msg_id, seq_no, body), msg_id)
    };
    if code == 0 {
        assert_eq!(sent, Ok(()));
        assert!(!bench.out().iter().any(|out| out.starts_with("bad")));
        return;
    }
    let named = if code == 64 { outer } else { msg_id };
    assert_eq!(sent, Err(Violation::BadMessage { msg_id: named, code }));
    let (_, answer) = bench.messages().pop().unwrap();
    assert_eq!(describe(&answer.body), format!("bad_msg {code}"));
    let bad = types::BadMsgNotification::from_bytes(&answer.body).unwrap();
    assert_eq!(bad.bad_msg_id, named.0);
    assert_eq!(answer.msg_id.0 & 3, 1);
    assert_eq!(answer.seq_no & 1, 0);
    assert_eq!(bench.events(), [""; 0]);
}

/// How many seconds an identifier may be behind and ahead of the clock.
fn msg_id_bounds() -> (i64, i64) {
    let secs = |bound: Duration| i64::try_from(bound.as_secs()).unwrap();
    (secs(limits::MSG_ID_AGE_MAX), secs(limits::MSG_ID_AHEAD_MAX))
}

#[test]
fn every_code_of_a_lone_message() {
    let ping = functions::Ping::new(1).to_vec(Layer::NEWEST);
    let ack = types::MsgsAck::new(vec![]).to_vec(Layer::NEWEST);
    let gzip = types::GzipPacked::new(&deflated(&request(1), true)).to_vec(Layer::NEWEST);
    let (age_s, ahead_s) = msg_id_bounds();
    for (secs, residue, seq_no, body, code) in [
        (1 - age_s, 0, 0, &ping, 0),
        (-1 - age_s, 0, 0, &ping, 16),
        (-100_000, 0, 0, &ping, 16),
        (ahead_s - 1, 0, 0, &ping, 0),
        (ahead_s + 1, 0, 0, &ping, 17),
        (100_000, 0, 0, &ping, 17),
        (0, 1, 0, &ping, 18),
        (0, 2, 0, &ping, 18),
        (0, 3, 0, &ping, 18),
        (0, 0, 1, &ping, 0),
        (0, 0, 1, &request(1), 0),
        (0, 0, 0, &request(1), 35),
        (0, 0, 1, &gzip, 0),
        (0, 0, 0, &gzip, 0),
        (0, 0, 0, &ack, 0),
        // mtcute counts its acks as content, and gives up on a session that is told 34.
        (0, 0, 1, &ack, 0),
        (0, 0, 1, &container(&[]), 34),
        (0, 0, 0, &container(&[]), 0),
        (0, 0, -1, &request(1), 32),
        (0, 0, 0, &container(&[])[..4].to_vec(), 64),
    ] {
        check_bad(secs, residue, seq_no, body, false, code);
    }
}

#[test]
fn every_code_inside_a_container() {
    let ping = functions::Ping::new(1).to_vec(Layer::NEWEST);
    let (age_s, ahead_s) = msg_id_bounds();
    for (secs, residue, seq_no, body, code) in [
        // Made long ago and sent again: fine, unless too old to know.
        (1 - age_s, 0, 0, &ping, 0),
        (-1 - age_s, 0, 0, &ping, 20),
        (ahead_s - 1, 0, 0, &ping, 0),
        (ahead_s + 1, 0, 0, &ping, 17),
        (0, 1, 0, &ping, 18),
        (0, 0, 0, &request(1), 35),
        (0, 0, 0, &container(&[]), 64),
    ] {
        check_bad(secs, residue, seq_no, body, true, code);
    }
}

#[test]
fn numbers_far_out_of_order() {
    let mut bench = Bench::new();
    let (low, high) = (bench.next_id(), bench.next_id());
    let (highest, slack) = (20_001, limits::SEQ_NO_SLACK);
    bench.raw(CONN, high, highest, &request(1)).unwrap();
    let next = bench.next_id();
    for (msg_id, seq_no, code) in [(next, highest - slack - 2, 32), (low, highest + slack + 2, 33)]
    {
        let refused = bench.raw(CONN, msg_id, seq_no, &request(2));
        assert_eq!(refused, Err(Violation::BadMessage { msg_id, code }));
    }
    // Gaps as concurrent senders leave them are fine.
    bench.raw(CONN, low, highest + slack, &request(3)).unwrap();
    bench.raw(CONN, next, highest - slack, &request(4)).unwrap();
}

#[test]
fn a_container_with_the_identifier_of_another_message() {
    let mut bench = Bench::new();
    let msg_id = bench.send(&functions::Ping::new(1));
    let refused = bench.raw(CONN, msg_id, 0, &container(&[]));
    assert_eq!(refused, Err(Violation::BadMessage { msg_id, code: 19 }));
    assert_eq!(bench.out(), ["pong 1", "bad_msg 19"]);
}

#[test]
fn a_wrong_salt() {
    let mut bench = Bench::fresh();
    let msg_id = bench.next_id();
    let body = BytesMut::from(&request(1)[..]);
    let wrong = Message { salt: 1, session_id: SESSION_ID, msg_id, seq_no: 1, body };
    let refused = bench.session.handle_message(START, CONN, wrong);
    assert_eq!(refused, Err(Violation::WrongSalt { msg_id }));
    let (_, answer) = bench.messages().pop().unwrap();
    let bad = types::BadServerSalt::from_bytes(&answer.body).unwrap();
    let salt = bench.session.salts.current(START);
    assert_eq!(bad, types::BadServerSalt::new(msg_id.0, 1, 48, salt));
    assert_eq!(bench.events(), [""; 0]);
    // Nothing of it was remembered: the same message with the right salt is the first.
    bench.raw(CONN, msg_id, 1, &request(1)).unwrap();
    assert_eq!(bench.events(), ["request 1"]);
}

#[test]
fn another_session() {
    let mut bench = Bench::new();
    let (salt, msg_id) = (bench.session.salts.current(bench.now), bench.next_id());
    let body = BytesMut::from(&request(1)[..]);
    let other = Message { salt, session_id: 6, msg_id, seq_no: 1, body };
    let refused = bench.session.handle_message(bench.now, CONN, other);
    assert_eq!(refused, Err(Violation::WrongSession));
    assert!(bench.out().is_empty());
}

#[test]
fn what_does_not_decode_is_refused() {
    for body in
        [&[][..], &[1, 2, 3], &0x7abe_77ec_u32.to_le_bytes(), &0x62d6_b459_u32.to_le_bytes()]
    {
        let mut bench = Bench::new();
        let msg_id = bench.next_id();
        let refused = bench.raw(CONN, msg_id, 0, body);
        assert_eq!(refused, Err(Violation::Malformed { msg_id }), "{body:?}");
        assert!(!refused.unwrap_err().is_fatal());
    }
}

#[test]
fn lists_are_bounded() {
    let ids = vec![4; limits::ID_LIST_COUNT_MAX + 1];
    for body in [
        types::MsgsAck::new(ids.clone()).to_vec(Layer::NEWEST),
        types::MsgsStateReq::new(ids.clone()).to_vec(Layer::NEWEST),
        types::MsgResendReq::new(ids.clone()).to_vec(Layer::NEWEST),
        types::MsgResendAnsReq::new(ids).to_vec(Layer::NEWEST),
    ] {
        let mut bench = Bench::new();
        let msg_id = bench.next_id();
        assert_eq!(bench.raw(CONN, msg_id, 0, &body), Err(Violation::Flood));
    }
    assert!(Violation::Flood.is_fatal());
}

// ===== Wrappers =====

#[test]
fn one_bad_message_does_not_spoil_the_container() {
    let mut bench = Bench::new();
    let [a, b, c, outer] = [(); 4].map(|()| bench.next_id());
    let body =
        container(&[(a, 1, request(1)), (MsgId(b.0 + 1), 3, request(2)), (c, 5, request(3))]);
    assert!(bench.raw(CONN, outer, 0, &body).is_err());
    assert_eq!(bench.events(), ["request 1", "request 3"]);
    assert_eq!(bench.out(), ["bad_msg 18"]);
    // Replayed as a whole, nothing runs again.
    assert!(bench.raw(CONN, outer, 0, &body).is_err());
    assert_eq!(bench.events(), [""; 0]);
}

#[test]
fn a_copy_counts_as_its_original() {
    let mut bench = Bench::new();
    let original = bench.next_id();
    let item = container(&[(original, 1, request(1))]);
    let copy = [&types::MsgCopy::ID.to_le_bytes()[..], &item[8..]].concat();
    for _ in 0..2 {
        let msg_id = bench.next_id();
        bench.raw(CONN, msg_id, 0, &copy).unwrap();
    }
    assert_eq!(bench.events(), ["request 1"]);
    bench.session.send_result(original, answer(1, 8));
    assert_eq!(bench.ack_all()[1..], ["result answer 1"]);
    // Neither copies of copies nor containers in copies.
    for nested in [&copy, &container(&[])] {
        let item = container(&[(MsgId(original.0 + 4), 0, nested.clone())]);
        let copy = [&types::MsgCopy::ID.to_le_bytes()[..], &item[8..]].concat();
        let msg_id = bench.next_id();
        let refused = bench.raw(CONN, msg_id, 0, &copy);
        assert_eq!(refused, Err(Violation::BadMessage { msg_id, code: 64 }));
    }
}

fn deflated(plain: &[u8], as_gzip: bool) -> Vec<u8> {
    if as_gzip {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        return encoder.finish().unwrap();
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// What is compressed as a whole is a request, which is left as it came: whoever runs it says how much it may become.
#[test]
fn compressed_messages() {
    for as_gzip in [true, false] {
        let packed = types::GzipPacked::new(&deflated(&request(1), as_gzip)).to_vec(Layer::NEWEST);
        let mut bench = Bench::new();
        let msg_id = bench.next_id();
        for is_first in [true, false] {
            bench.raw(CONN, msg_id, 1, &packed).unwrap();
            let expected = Request {
                msg_id,
                conn: CONN,
                body: packed.clone().into(),
                predecessors: Predecessors::Unchecked,
            };
            let event = bench.session.poll_event();
            assert_eq!(event, is_first.then_some(Event::Request(expected)));
        }
    }
}
