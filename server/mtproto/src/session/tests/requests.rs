//! Requests run once, wait for others, are dropped.

use super::*;
use crate::session::requests::PREDECESSOR_LEN;

#[test]
fn a_lone_request_and_its_answer() {
    let mut bench = Bench::new();
    let msg_id = bench.send_body(&request(1));
    assert_eq!(bench.events(), ["request 1"]);
    bench.session.send_result(msg_id, answer(1, 8));
    let (conn, sent) = bench.messages().pop().unwrap();
    assert_eq!((conn, describe(&sent.body)), (CONN, "result answer 1".to_owned()));
    let result = types::RpcResult::from_bytes(&sent.body).unwrap();
    assert_eq!(result.req_msg_id, msg_id.0);
    assert_eq!((sent.msg_id.0 & 3, sent.seq_no), (1, 3));
    // A second answer to the same request goes nowhere.
    bench.session.send_result(msg_id, answer(2, 8));
    assert!(bench.out().is_empty());
}

#[test]
fn a_repeated_request_is_not_run_again() {
    let mut bench = Bench::new();
    let msg_id = bench.send_body(&request(1));
    bench.events();
    let repeat = |bench: &mut Bench, expected: &[&str]| {
        bench.raw(CONN, msg_id, 1, &request(1)).unwrap();
        assert_eq!(bench.out(), expected);
        assert_eq!(bench.events(), [""; 0]);
    };
    repeat(&mut bench, &["ack 1"]);
    bench.session.send_result(msg_id, answer(1, 8));
    // Asked for again before the answer went out: one answer.
    repeat(&mut bench, &["result answer 1"]);
    repeat(&mut bench, &["result answer 1"]);
    bench.wait(200);
    repeat(&mut bench, &["result answer 1"]);
    bench.raw(CONN, msg_id, 1, &request(1)).unwrap();
    bench.ack_all();
    repeat(&mut bench, &["ack 1"]);
}

#[test]
fn a_long_answer_is_announced_before_it_is_repeated() {
    let mut bench = Bench::new();
    // The longest that is repeated at once, behind the header of `rpc_result`.
    let short_len = limits::REPEATED_ANSWER_LEN_MAX - limits::RPC_RESULT_HEADER_LEN;
    let msg_id = bench.send_body(&request(0));
    bench.session.send_result(msg_id, answer(0, short_len));
    bench.out();
    bench.raw(CONN, msg_id, 1, &request(0)).unwrap();
    assert_eq!(bench.out(), ["result answer 0"]);
    let msg_id = bench.send_body(&request(1));
    bench.session.send_result(msg_id, answer(1, short_len + 4));
    let (_, sent) = bench.messages().pop().unwrap();
    bench.raw(CONN, msg_id, 3, &request(1)).unwrap();
    assert_eq!(bench.out(), [format!("detailed {}", limits::REPEATED_ANSWER_LEN_MAX + 4)]);
    bench.send(&types::MsgResendReq::new(vec![sent.msg_id.0]));
    let again = bench.messages();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].1, sent, "the same message, identifier and number included");
    bench.send(&types::MsgResendAnsReq::new(vec![msg_id.0]));
    assert_eq!(bench.out(), ["result answer 1"]);
    bench.send(&types::MsgResendReq::new(vec![sent.msg_id.0, 1]));
    assert_eq!(bench.out(), ["result answer 1", "states [4, 1]"]);
}

#[test]
fn an_answer_that_was_forgotten_is_not_computed_again() {
    let mut bench = Bench::new();
    let first = bench.send_body(&request(0));
    bench.session.send_result(first, answer(0, 8));
    for number in 1..=3 {
        let msg_id = bench.send_body(&request(number));
        bench.session.send_result(msg_id, answer(number, 1024 * 1024));
    }
    bench.out();
    bench.events();
    let refused = bench.raw(CONN, first, 1, &request(0));
    assert_eq!(refused, Err(Violation::BadMessage { msg_id: first, code: 20 }));
    assert_eq!(bench.events(), [""; 0]);
}

#[test]
fn too_many_requests_are_refused() {
    let mut bench = Bench::new();
    for _ in 0..=limits::REQUEST_COUNT_MAX {
        bench.send_body(&request(1));
    }
    assert_eq!(bench.events().len(), limits::REQUEST_COUNT_MAX);
    assert_eq!(bench.out(), ["result error 500 MT_SEND_QUEUE_TOO_LONG"]);
}

#[test]
fn slow_requests_are_acknowledged() {
    let mut bench = Bench::new();
    let msg_id = bench.send_body(&request(1));
    let due = bench.session.poll_timeout().unwrap();
    assert_eq!(due, bench.now + limits::REQUEST_ACK_AFTER);
    bench.wait(limits::REQUEST_ACK_AFTER.as_secs());
    bench.session.handle_timeout(bench.now);
    assert_eq!(bench.out(), ["ack 1"]);
    assert_eq!(bench.session.poll_timeout(), None);
    bench.wait(100);
    bench.session.send_result(msg_id, answer(1, 8));
    assert_eq!(bench.out(), ["result answer 1"]);
}

// ===== rpc_drop_answer =====

#[test]
fn dropping_a_running_request() {
    let mut bench = Bench::new();
    let msg_id = bench.send_body(&request(1));
    bench.events();
    bench.send(&functions::RpcDropAnswer::new(msg_id.0));
    assert_eq!(bench.events(), ["cancelled"]);
    assert_eq!(bench.out(), ["result dropped_running", "result dropped_running"]);
    bench.session.send_result(msg_id, answer(1, 8));
    assert!(bench.out().is_empty());
}

#[test]
fn dropping_an_answer() {
    for was_sent in [true, false] {
        let mut bench = Bench::new();
        let msg_id = bench.send_body(&request(1));
        bench.events();
        bench.session.send_result(msg_id, answer(1, 8));
        if was_sent {
            bench.out();
        }
        let drop = bench.send(&functions::RpcDropAnswer::new(msg_id.0));
        assert_eq!(bench.out(), ["result dropped 20"]);
        // Repeated, it is answered from memory like any request.
        let body = functions::RpcDropAnswer::new(msg_id.0).to_vec(Layer::NEWEST);
        bench.raw(CONN, drop, 0, &body).unwrap();
        assert_eq!(bench.out(), ["result dropped 20"]);
        assert_eq!(bench.events(), [""; 0]);
    }
}

// ===== invokeAfterMsg =====

/// What the request to be waited for came to.
#[derive(Clone, Copy, Debug)]
enum Before {
    Answered,
    Failed,
    AnsweredAndAcknowledged,
    Dropped,
    Running,
    Unknown,
    Itself,
}

/// Holds request 2 back behind request 1.
#[track_caller]
fn check(before: Before, at_once: &[&str], unknown_for_long: &[&str], running_for_long: &[&str]) {
    let mut bench = Bench::new();
    let first = bench.send_body(&request(1));
    match before {
        Before::Answered | Before::AnsweredAndAcknowledged => {
            bench.session.send_result(first, answer(1, 8));
        }
        Before::Failed => {
            bench.session.send_result(first, Buffer::rpc_error(400, "NO"));
        }
        Before::Dropped => {
            bench.send(&functions::RpcDropAnswer::new(first.0));
        }
        Before::Running | Before::Unknown | Before::Itself => {}
    }
    bench.events();
    bench.ack_all();
    let second = bench.send_body(&request(2));
    let Some(Event::Request(request)) = bench.session.poll_event() else { panic!() };
    let after = match before {
        Before::Unknown => MsgId(first.0 + 1),
        Before::Itself => second,
        _ => first,
    };
    bench.session.hold(bench.now, request, &[after]);
    let (short, long) = (limits::UNKNOWN_PREDECESSOR_WAIT, limits::RUNNING_PREDECESSOR_WAIT);
    let start = bench.now;
    for (wait, expected) in
        [(Duration::ZERO, at_once), (short, unknown_for_long), (long, running_for_long)]
    {
        bench.now = start + wait;
        bench.session.handle_timeout(bench.now);
        let mut seen = bench.events();
        let out = bench.out();
        seen.extend(out.into_iter().filter(|out| !out.starts_with("ack")));
        assert_eq!(seen, expected, "{before:?} after {wait:?}");
    }
}

#[test]
fn requests_wait_for_others() {
    let failed = &["result error 400 MSG_WAIT_FAILED"][..];
    let timeout = &["result error -503 MSG_WAIT_TIMEOUT"][..];
    check(Before::Answered, &["released 2"], &[], &[]);
    check(Before::AnsweredAndAcknowledged, &["released 2"], &[], &[]);
    check(Before::Failed, failed, &[], &[]);
    check(Before::Dropped, failed, &[], &[]);
    check(Before::Itself, failed, &[], &[]);
    check(Before::Unknown, &[], timeout, &[]);
    check(Before::Running, &[], &[], timeout);
}

/// `PREDECESSOR_COUNT_MAX`, `HELD_LEN_MAX`: who holds back more is told that the waiting failed.
#[test]
fn only_so_much_is_held() {
    let hold = |bench: &mut Bench, len: usize, count: usize| {
        let body = [request(2), vec![0; len]].concat();
        bench.send_body(&body);
        let Some(Event::Request(request)) = bench.session.poll_event() else { panic!() };
        let never = MsgId(bench.next_id().0 + (1 << 32));
        bench.session.hold(bench.now, request, &vec![never; count]);
        bench.out()
    };
    let failed = ["result error 400 MSG_WAIT_FAILED"];
    let mut bench = Bench::new();
    assert_eq!(hold(&mut bench, 8, limits::PREDECESSOR_COUNT_MAX), [""; 0]);
    assert_eq!(hold(&mut bench, 8, limits::PREDECESSOR_COUNT_MAX + 1), failed);
    let mut bench = Bench::new();
    // Each with one identifier to wait for.
    let len = limits::HELD_LEN_MAX / 4 - 8 - PREDECESSOR_LEN;
    for _ in 0..4 {
        assert_eq!(hold(&mut bench, len, 1), [""; 0]);
    }
    assert_eq!(hold(&mut bench, 8, 1), failed);
}

#[test]
fn a_chain_is_released_link_by_link() {
    let mut bench = Bench::new();
    let ids: Vec<_> = (0..4).map(|number| bench.send_body(&request(number))).collect();
    let mut requests = Vec::new();
    while let Some(Event::Request(request)) = bench.session.poll_event() {
        requests.push(request);
    }
    // In the wrong order, to make it harder.
    for at in [3, 1, 2] {
        bench.session.hold(bench.now, requests[at].clone(), &ids[..at]);
        assert_eq!(bench.events(), [""; 0]);
    }
    for (at, expected) in [(0, "released 1"), (1, "released 2"), (2, "released 3")] {
        bench.session.send_result(ids[at], answer(0, 8));
        assert_eq!(bench.events(), [expected]);
    }
}

#[test]
fn a_failure_spreads_along_the_chain() {
    let mut bench = Bench::new();
    let ids: Vec<_> = (0..3).map(|number| bench.send_body(&request(number))).collect();
    let mut at = 0;
    while let Some(Event::Request(request)) = bench.session.poll_event() {
        if at > 0 {
            bench.session.hold(bench.now, request, &[ids[at - 1]]);
        }
        at += 1;
    }
    bench.session.send_result(ids[0], Buffer::rpc_error(400, "NO"));
    let failed = "result error 400 MSG_WAIT_FAILED";
    assert_eq!(bench.out(), ["result error 400 NO", failed, failed]);
}
