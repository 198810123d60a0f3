//! Connections, acknowledgements, re-sending, pushes, bounds.

use super::*;

const OTHER: ConnId = ConnId(2);

fn update(number: i32, len: usize) -> Reply {
    answer(number, len)
}

#[test]
fn the_first_message_begins_the_session() {
    let mut bench = Bench::fresh();
    let [low, first, second, outer] = [(); 4].map(|()| bench.next_id());
    let body = container(&[(second, 3, request(2)), (first, 1, request(1))]);
    bench.raw(CONN, outer, 0, &body).unwrap();
    let (_, created) = bench.messages().remove(0);
    assert_eq!((created.msg_id.0 & 3, created.seq_no & 1), (3, 1));
    let created = types::NewSessionCreated::from_bytes(&created.body).unwrap();
    assert_eq!((created.first_msg_id, created.unique_id), (first.0, 9));
    assert_eq!(created.server_salt, bench.session.salts.current(bench.now));
    // A lower one that was under way is told about as well.
    bench.raw(CONN, low, 1, &request(0)).unwrap();
    assert_eq!(bench.out(), ["new_session"]);
    bench.send(&functions::Ping::new(1));
    assert_eq!(bench.out(), ["pong 1"]);
}

#[test]
fn what_waits_shares_a_packet() {
    let mut bench = Bench::new();
    let ids: Vec<_> = (0..3).map(|number| bench.send_body(&request(number))).collect();
    bench.send(&functions::Ping::new(1));
    for (msg_id, number) in ids.iter().zip(0..) {
        bench.session.send_result(*msg_id, answer(number, 8));
    }
    let packet = bench.session.poll_transmit(bench.now).unwrap().packet;
    assert!(bench.session.poll_transmit(bench.now).is_none());
    let inner = containers::read(&Bytes::copy_from_slice(&packet.as_slice()[32..])).unwrap();
    assert_eq!(inner.len(), 4);
    assert!(inner.is_sorted_by(|a, b| a.msg_id < b.msg_id && a.seq_no <= b.seq_no));
}

#[test]
fn a_long_answer_travels_alone_and_uncopied() {
    let mut bench = Bench::new();
    let msg_id = bench.send_body(&request(1));
    bench.send(&functions::Ping::new(1));
    let reply = answer(1, 100_000);
    let body = reply.as_slice().as_ptr();
    bench.session.send_result(msg_id, reply);
    let first = bench.session.poll_transmit(bench.now).unwrap().packet;
    assert_eq!(first.len(), 32 + 20);
    let second = bench.session.poll_transmit(bench.now).unwrap().packet;
    assert_eq!(second.as_slice()[32 + 12..].as_ptr(), body);
    assert_eq!(second.headroom(), limits::HEADROOM - 32 - 12);
}

#[test]
fn what_was_not_acknowledged_is_sent_again() {
    let mut bench = Bench::new();
    bench.session.set_wants_updates(true);
    let msg_id = bench.send_body(&request(1));
    bench.session.send_result(msg_id, answer(1, 8));
    bench.session.send_update(update(2, 8));
    bench.session.send_update(update(3, 8));
    bench.send(&functions::Ping::new(4));
    let first = bench.messages();
    assert_eq!(first.len(), 4);
    bench.send(&types::MsgsAck::new(vec![first[1].1.msg_id.0]));
    bench.session.detach(bench.now, CONN);
    assert!(bench.out().is_empty());
    bench.wait(400);
    bench.join(OTHER);
    let again = bench.messages();
    // Old identifiers in a fresh container; neither what was acknowledged nor the pong.
    assert_eq!(again, [(OTHER, first[0].1.clone()), (OTHER, first[2].1.clone())]);
    assert!(bench.out().is_empty());
}

#[test]
fn a_lone_message_is_sent_again_in_a_container() {
    let mut bench = Bench::new();
    let msg_id = bench.send_body(&request(1));
    bench.session.send_result(msg_id, answer(1, 8));
    bench.out();
    bench.session.detach(bench.now, CONN);
    bench.join(OTHER);
    let packet = bench.session.poll_transmit(bench.now).unwrap().packet;
    assert_eq!(packet.as_slice()[32..36], types::MsgContainer::ID.to_le_bytes());
}

#[test]
fn answers_go_where_the_request_came_from() {
    let mut bench = Bench::new();
    bench.join(OTHER);
    let first = bench.next_id();
    bench.raw(CONN, first, 1, &request(1)).unwrap();
    let second = bench.next_id();
    bench.raw(OTHER, second, 3, &request(2)).unwrap();
    bench.session.set_wants_updates(true);
    bench.session.send_result(first, answer(1, 8));
    bench.session.send_result(second, answer(2, 8));
    bench.session.send_update(update(3, 8));
    let sent = |bench: &mut Bench| {
        let messages = bench.messages().into_iter();
        messages.map(|(conn, m)| (conn.0, describe(&m.body))).collect::<Vec<_>>()
    };
    let result = |number| format!("result answer {number}");
    let expected = [(2, result(2)), (2, "answer 3".to_owned()), (1, result(1))];
    assert_eq!(sent(&mut bench), expected);
    // Their connection gone, answers take another one.
    let third = bench.next_id();
    bench.raw(OTHER, third, 5, &request(3)).unwrap();
    bench.session.detach(bench.now, OTHER);
    bench.session.send_result(third, answer(4, 8));
    assert_eq!(sent(&mut bench).pop(), Some((1, result(4))));
}

#[test]
fn a_full_socket_is_left_alone() {
    let mut bench = Bench::new();
    bench.join(OTHER);
    bench.session.set_writable(CONN, false);
    let msg_id = bench.send_body(&request(1));
    bench.session.send_result(msg_id, answer(1, 8));
    assert!(bench.out().is_empty());
    bench.session.set_writable(CONN, true);
    assert_eq!(bench.out(), ["result answer 1"]);
}

#[test]
fn too_many_connections() {
    let mut bench = Bench::new();
    let count = limits::CONNECTION_COUNT_MAX;
    let last = count as u64 + 1;
    for conn in 2..last {
        bench.join(ConnId(conn));
    }
    assert_eq!(bench.events(), [""; 0]);
    bench.join(ConnId(last));
    assert_eq!(bench.events(), ["close 1"]);
    assert_eq!(bench.session.connections().count(), count);
    assert_eq!(bench.session.connections().next(), Some(ConnId(last)));
}

// ===== Pushes =====

#[test]
fn updates_go_out_only_when_wanted() {
    let mut bench = Bench::new();
    assert!(!bench.session.send_update(update(1, 8)));
    bench.session.set_wants_updates(true);
    assert!(bench.session.send_update(update(2, 8)));
    let (_, sent) = bench.messages().pop().unwrap();
    assert_eq!(describe(&sent.body), "answer 2");
    assert_eq!((sent.msg_id.0 & 3, sent.seq_no & 1), (3, 1));
}

/// Pushes so much while nobody is there, and compares what arrives.
#[track_caller]
fn check_overflow(count: usize, len: usize, expected: &[&str]) {
    let mut bench = Bench::new();
    bench.session.set_wants_updates(true);
    bench.session.detach(bench.now, CONN);
    for _ in 0..count {
        bench.session.send_update(update(1, len));
    }
    assert!(bench.session.memory_len() < 512 * 1024);
    bench.join(OTHER);
    assert_eq!(bench.out(), expected);
    assert!(bench.session.send_update(update(2, 8)), "it goes on from there");
    assert_eq!(bench.out(), ["answer 2"]);
}

#[test]
fn lost_updates_are_told_about_once() {
    check_overflow(3, 8, &["answer 1"; 3]);
    let (count, len) = (limits::PUSH_COUNT_MAX, limits::PUSH_LEN_MAX / 4);
    check_overflow(count, 8, &vec!["answer 1"; count]);
    check_overflow(count + 1, 8, &["too_long"]);
    check_overflow(10 * count, 8, &["too_long"]);
    check_overflow(4, len, &["answer 1"; 4]);
    check_overflow(5, len, &["too_long"]);
}

#[test]
fn updates_forgotten_before_they_were_acknowledged() {
    let mut bench = Bench::new();
    bench.session.set_wants_updates(true);
    for _ in 0..100 {
        bench.session.send_update(update(1, 60_000));
        bench.out();
    }
    assert!(bench.session.memory_len() < 4 * 1024 * 1024);
    // They most likely arrived; only a lost connection makes it doubtful.
    assert!(bench.out().is_empty());
    bench.session.detach(bench.now, CONN);
    bench.join(OTHER);
    let again = bench.out();
    assert_eq!(again.iter().filter(|out| *out == "too_long").count(), 1);
    assert_eq!(again.len(), 1 + limits::UNACKED_LEN_MAX / 60_000);
}

/// `UNACKED_COUNT_MAX`: of more messages that are not acknowledged, the oldest are forgotten.
#[test]
fn only_so_much_is_kept_for_sending_again() {
    let mut bench = Bench::new();
    let count = i32::try_from(limits::UNACKED_COUNT_MAX).unwrap();
    for number in 0..=count {
        let msg_id = bench.send_body(&request(number));
        bench.session.send_result(msg_id, answer(number, 8));
        bench.out();
    }
    bench.session.detach(bench.now, CONN);
    bench.join(OTHER);
    let mut again = bench.out();
    again.retain(|out| out.starts_with("result"));
    assert_eq!(again.len(), limits::UNACKED_COUNT_MAX);
    assert_eq!(again[0], "result answer 1", "the first is gone");
}

/// Answers to a client that takes nothing, until its connection is given up; how many there were.
fn unread(len: usize) -> usize {
    let mut bench = Bench::new();
    bench.session.set_writable(CONN, false);
    for count in 1.. {
        let msg_id = bench.send_body(&request(1));
        bench.events();
        bench.session.send_result(msg_id, answer(1, len));
        match bench.events()[..] {
            [] => assert!(bench.session.memory_len() < limits::QUEUE_LEN_MAX + 1024 * 1024),
            ref events => {
                assert_eq!(events, ["close 1"]);
                return count;
            }
        }
    }
    unreachable!("the queue has an end")
}

/// `QUEUE_LEN_MAX`, `QUEUE_COUNT_MAX`.
#[test]
fn a_client_that_does_not_read() {
    // Behind the header of `rpc_result`.
    let len = limits::QUEUE_LEN_MAX / 16 - limits::RPC_RESULT_HEADER_LEN;
    assert_eq!(unread(len), 16 + 1);
    assert_eq!(unread(8), limits::QUEUE_COUNT_MAX + 1);
}

/// `CONTAINER_SENT_LEN_MAX`, `CONTAINER_SENT_COUNT_MAX`: what waits goes in as many packets as it needs.
#[test]
fn containers_end_at_some_point() {
    for (len, count) in [(8, 2000), (8000, 100)] {
        let mut bench = Bench::new();
        bench.session.set_wants_updates(true);
        for number in 0..count {
            let msg_id = bench.send_body(&request(number));
            bench.session.send_result(msg_id, answer(number, len));
        }
        let (mut sent, mut packets) = (0, 0);
        while let Some(Outgoing { packet, .. }) = bench.session.poll_transmit(bench.now) {
            let body = Bytes::copy_from_slice(&packet.as_slice()[limits::MESSAGE_HEADER_LEN..]);
            let inner = containers::read(&body).unwrap();
            assert!(inner.len() <= limits::CONTAINER_SENT_COUNT_MAX, "{} messages", inner.len());
            assert!(body.len() <= limits::CONTAINER_SENT_LEN_MAX + 8, "{} bytes", body.len());
            (sent, packets) = (sent + inner.len(), packets + 1);
        }
        assert!(sent >= count as usize && packets > 1, "{sent} in {packets}");
    }
}

// ===== Time =====

#[test]
fn ping_delay_disconnect() {
    let mut bench = Bench::new();
    let ping = functions::PingDelayDisconnect::new(1, 35);
    bench.send(&ping);
    bench.wait(30);
    bench.send(&ping);
    bench.wait(30);
    bench.send(&functions::Ping::new(2));
    bench.session.handle_timeout(bench.now);
    assert_eq!(bench.events(), [""; 0]);
    assert_eq!(bench.session.poll_timeout(), Some(bench.now + Duration::from_secs(5)));
    bench.wait(5);
    bench.session.handle_timeout(bench.now);
    assert_eq!(bench.events(), ["close 1"]);
    assert_eq!(bench.session.poll_timeout(), None);
}

/// `DISCONNECT_DELAY_S_MAX`: nobody stays for longer by asking for it.
#[test]
fn no_connection_asks_for_more_than_an_hour() {
    let mut bench = Bench::new();
    bench.send(&functions::PingDelayDisconnect::new(1, i32::MAX));
    let delay_s = u64::try_from(limits::DISCONNECT_DELAY_S_MAX).unwrap();
    assert_eq!(bench.session.poll_timeout(), Some(bench.now + Duration::from_secs(delay_s)));
}

#[test]
fn a_session_outlives_its_connection_for_a_while() {
    let mut bench = Bench::new();
    bench.session.detach(bench.now, CONN);
    assert_eq!(bench.session.poll_timeout(), Some(bench.now + SESSION_IDLE));
    bench.wait(SESSION_IDLE.as_secs() - 1);
    bench.session.handle_timeout(bench.now);
    assert_eq!(bench.events(), [""; 0]);
    bench.wait(1);
    bench.session.handle_timeout(bench.now);
    assert_eq!(bench.events(), ["expired"]);
}

#[test]
fn a_session_that_never_began_does_not_stay() {
    let mut bench = Bench::fresh();
    bench.session.detach(bench.now, CONN);
    assert_eq!(bench.events(), ["expired"]);
}

#[test]
fn salts_change_under_a_running_session() {
    let mut bench = Bench::new();
    let mut old = bench.session.salts.current(bench.now);
    for _ in 0..5 {
        bench.wait(1800);
        let msg_id = bench.next_id();
        let body = BytesMut::from(&functions::Ping::new(1).to_vec(Layer::NEWEST)[..]);
        let message = Message { salt: old, session_id: SESSION_ID, msg_id, seq_no: 0, body };
        bench.session.handle_message(bench.now, CONN, message).unwrap();
        assert_eq!(bench.out(), ["pong 1"]);
        old = bench.session.salts.current(bench.now);
    }
}

#[test]
fn a_session_that_never_began_may_still_begin() {
    let mut bench = Bench::fresh();
    bench.session.detach(bench.now, CONN);
    bench.send_body(&request(1));
    assert_eq!(bench.events(), ["request 1"]);
}

// ===== Memory =====

/// What most of a server's memory is: logged in, asked for the state once, acknowledged nothing since.
#[test]
fn a_session_that_asked_once_keeps_little() {
    let mut bench = Bench::fresh();
    let msg_id = bench.send_body(&request(1));
    bench.events();
    bench.session.send_result(msg_id, answer(1, 24));
    bench.out();
    let len = bench.session.memory_len() - size_of::<Session>();
    assert!(len <= 512, "{len} bytes besides itself");
}

#[test]
fn an_idle_session_is_small() {
    let mut bench = Bench::new();
    for round in 0..50 {
        let msg_id = bench.send_body(&request(round));
        bench.events();
        bench.session.send_result(msg_id, answer(round, 5000));
        bench.ack_all();
        bench.wait(60);
        bench.send(&functions::Ping::new(1));
        bench.out();
    }
    assert!(bench.session.is_idle());
    let len = bench.session.memory_len();
    assert!(len <= 2048, "{len} bytes");
    bench.session.detach(bench.now, CONN);
    assert!(bench.session.memory_len() <= len);
}
