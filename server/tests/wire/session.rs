//! The session's own rules over the wire: identifiers, numbers, salts, containers, repetitions, and what the two sides say about
//! messages.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use mtproto::MsgId;
use tl::api::functions as api;
use tl::mtproto::{enums, functions, types};
use tl::{Decode as _, Encode, Layer, Raw as Inner};

use crate::common::exchange::make_key;
use crate::common::raw::{Header, Raw, container, id_of, result_of};
use crate::common::{TestServer, now, rng};

fn bytes(value: &impl Encode) -> Vec<u8> {
    value.to_vec(Layer::NEWEST)
}

/// A request with the wrappers that the first one needs.
fn introduced(query: &impl Encode) -> Vec<u8> {
    let query = bytes(query);
    let init = api::InitConnection::new(1, "test", "1", "1", "en", "", "en", Inner(&query));
    bytes(&api::InvokeWithLayer::new(230, Inner(&bytes(&init))))
}

/// Introduces the session, so that what follows needs no wrappers.
async fn meet(raw: &mut Raw) {
    let header = raw.header(true);
    raw.send(header, &introduced(&api::help::GetNearestDc {})).await;
    raw.result(header.msg_id).await.expect("it is for anybody");
}

// ===== The beginning =====

#[tokio::test]
async fn a_session_begins_with_a_notice() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let msg_id = raw.request(&functions::Ping::new(3)).await;
    let (notice, number) = raw
        .wait(|message| {
            let notice = types::NewSessionCreated::from_bytes(&message.body).ok()?;
            Some((notice, message.seq_no))
        })
        .await;
    assert_eq!(notice.first_msg_id, msg_id);
    assert_eq!(number & 1, 1, "it wants an acknowledgement");
    let pong: types::Pong = raw.wait_for().await;
    assert_eq!((pong.msg_id, pong.ping_id), (msg_id, 3));
    // The salt of the notice is good, and nothing is told twice.
    raw.salt = notice.server_salt;
    raw.request(&functions::Ping::new(4)).await;
    let next = raw.hear().await.unwrap();
    assert_eq!(types::Pong::from_bytes(&next.body).unwrap().ping_id, 4);
    // A message from before the beginning moves it.
    let earlier = Header { msg_id: msg_id - 4000, ..raw.header(false) };
    raw.send(earlier, &bytes(&functions::Ping::new(5))).await;
    let moved: types::NewSessionCreated = raw.wait_for().await;
    assert_eq!((moved.first_msg_id, moved.unique_id), (earlier.msg_id, notice.unique_id));
}

#[tokio::test]
async fn identifiers_of_the_server_grow_and_say_what_they_are() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let mut last = 0;
    for number in 0..20 {
        raw.request(&functions::Ping::new(number)).await;
        let pong = raw
            .wait(|message| (id_of(&message.body) == types::Pong::ID).then(|| message.clone()))
            .await;
        assert_eq!(pong.msg_id & 3, 1, "an answer");
        assert_eq!(pong.seq_no & 1, 0, "a pong needs no acknowledgement");
        assert!(pong.msg_id > last);
        last = pong.msg_id;
    }
    let off_s = MsgId(last).time().secs() - now().secs();
    assert!(off_s.abs() < 5, "{off_s}");
}

// ===== Codes =====

/// Sends a message with one thing wrong, after another one that was right; the code of the answer.
async fn code(
    server: &TestServer,
    change: impl FnOnce(&mut Raw, Header) -> (Header, Vec<u8>),
) -> i32 {
    let mut raw = server.raw().await;
    let first = raw.request(&functions::Ping::new(1)).await;
    raw.wait_for::<types::Pong>().await;
    let header = raw.header(true);
    let header = Header { msg_id: header.msg_id.max(first + 4), ..header };
    let (header, body) = change(&mut raw, header);
    raw.send(header, &body).await;
    let bad: enums::BadMsgNotification = raw.wait_for().await;
    let (msg_id, seq_no, code) = match bad {
        enums::BadMsgNotification::BadMsgNotification(bad) => {
            (bad.bad_msg_id, bad.bad_msg_seqno, bad.error_code)
        }
        enums::BadMsgNotification::BadServerSalt(bad) => {
            raw.salt = bad.new_server_salt;
            (bad.bad_msg_id, bad.bad_msg_seqno, bad.error_code)
        }
    };
    assert_eq!((msg_id, seq_no), (header.msg_id, header.seq_no), "of code {code}");
    // The session goes on.
    raw.request(&functions::Ping::new(2)).await;
    assert_eq!(raw.wait_for::<types::Pong>().await.ping_id, 2);
    code
}

fn shifted(header: Header, seconds: i64) -> Header {
    Header { msg_id: header.msg_id + (seconds << 32), ..header }
}

#[tokio::test]
async fn bad_messages_are_told_their_code() {
    let server = TestServer::start().await;
    let server = &server;
    let ping = || bytes(&functions::Ping::new(9));
    let query = || bytes(&api::help::GetConfig {});
    assert_eq!(code(server, |_, header| (shifted(header, -310), ping())).await, 16);
    assert_eq!(code(server, |_, header| (shifted(header, -100_000), ping())).await, 16);
    assert_eq!(code(server, |_, header| (shifted(header, 40), ping())).await, 17);
    assert_eq!(code(server, |_, header| (shifted(header, 1_000_000), ping())).await, 17);
    for kind in 1..4 {
        let case = |_: &mut Raw, header: Header| {
            (Header { msg_id: header.msg_id | kind, ..header }, ping())
        };
        assert_eq!(code(server, case).await, 18);
    }
    let negative = |_: &mut Raw, header: Header| (Header { seq_no: -1, ..header }, ping());
    assert_eq!(code(server, negative).await, 32);
    let high = |_: &mut Raw, header: Header| {
        let msg_id = header.msg_id - (1 << 32);
        (Header { seq_no: 100_001, msg_id, ..header }, query())
    };
    assert_eq!(code(server, high).await, 33);
    assert_eq!(code(server, |_, header| (Header { seq_no: 2, ..header }, query())).await, 35);
    let salted =
        |_: &mut Raw, header: Header| (Header { salt: header.salt ^ 1, ..header }, query());
    assert_eq!(code(server, salted).await, 48);
}

#[tokio::test]
async fn bad_containers_are_told_their_code() {
    let server = TestServer::start().await;
    let server = &server;
    let ping = |id: i64| (id, 2, bytes(&functions::Ping::new(9)));
    let even = |header: Header| Header { seq_no: header.seq_no & !1, ..header };
    // The identifier of a message before.
    let repeated = |raw: &mut Raw, header: Header| {
        (Header { msg_id: raw.first_id(), ..even(header) }, container(&[ping(header.msg_id - 4)]))
    };
    assert_eq!(code(server, repeated).await, 19);
    let odd = |_: &mut Raw, header: Header| (header, container(&[ping(header.msg_id - 4)]));
    assert_eq!(code(server, odd).await, 34);
    let cut = |_: &mut Raw, header: Header| {
        let mut body = container(&[ping(header.msg_id - 4)]);
        body.truncate(body.len() - 4);
        (even(header), body)
    };
    assert_eq!(code(server, cut).await, 64);
    let nested = |_: &mut Raw, header: Header| {
        let inner = container(&[ping(header.msg_id - 8)]);
        (even(header), container(&[(header.msg_id - 4, 2, inner)]))
    };
    assert_eq!(code(server, nested).await, 64);
    let lying = |_: &mut Raw, header: Header| {
        let mut body = container(&[ping(header.msg_id - 4)]);
        body[20..24].copy_from_slice(&0x7fff_fff0_u32.to_le_bytes());
        (even(header), body)
    };
    assert_eq!(code(server, lying).await, 64);
    let crowded = |_: &mut Raw, header: Header| {
        let count = i64::try_from(mtproto::limits::CONTAINER_COUNT_MAX).unwrap() + 1;
        let pings: Vec<_> = (0..count).map(|n| ping(header.msg_id - 4 * (count - n))).collect();
        (even(header), container(&pings))
    };
    assert_eq!(code(server, crowded).await, 64);
}

/// Beyond what is remembered nobody knows whether a message came before.
#[tokio::test]
async fn what_is_too_long_ago_to_know_is_refused() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let first = raw.request(&functions::Ping::new(0)).await;
    raw.wait_for::<types::Pong>().await;
    let count = mtproto::limits::RECEIVED_COUNT_MAX / 1000 + 1;
    for _ in 0..count {
        let pings: Vec<_> =
            (0..1000).map(|n| (raw.msg_id(), 2, bytes(&functions::Ping::new(n)))).collect();
        let header = raw.header(false);
        raw.send(header, &container(&pings)).await;
        raw.wait(|m| {
            types::Pong::from_bytes(&m.body).is_ok_and(|p| p.ping_id == 999).then_some(())
        })
        .await;
    }
    let header = Header { msg_id: first, seq_no: 1, ..raw.header(false) };
    raw.send(header, &bytes(&functions::Ping::new(1))).await;
    let bad = raw.wait(|m| types::BadMsgNotification::from_bytes(&m.body).ok()).await;
    assert_eq!((bad.bad_msg_id, bad.error_code), (first, 20));
}

/// A packet with a wrong salt is not looked at: it may be repeated as it was, with the right one.
#[tokio::test]
async fn a_wrong_salt_costs_nothing() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let header = raw.header(true);
    raw.send(Header { salt: 1, ..header }, &introduced(&api::help::GetConfig {})).await;
    let bad = raw.wait(|message| types::BadServerSalt::from_bytes(&message.body).ok()).await;
    assert_eq!((bad.bad_msg_id, bad.error_code), (header.msg_id, 48));
    let right = Header { salt: bad.new_server_salt, ..header };
    raw.send(right, &introduced(&api::help::GetConfig {})).await;
    raw.result(header.msg_id).await.expect("it was not run before");
}

// ===== Repetitions =====

/// A request sent again is answered again from what was answered: `auth.sendCode` would make another hash.
#[tokio::test]
async fn a_repeated_request_runs_once() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let header = raw.header(true);
    let phone = server.phone();
    let settings = tl::api::types::CodeSettings::new();
    let body = introduced(&api::auth::SendCode::new(&phone, 1, "hash", settings));
    raw.send(header, &body).await;
    let first = raw.result(header.msg_id).await.expect("a code is sent");
    // The same bytes, as a recording would have them; and the same message in a container, as clients repeat it.
    raw.send(header, &body).await;
    assert_eq!(raw.result(header.msg_id).await.unwrap(), first);
    let around = raw.header(false);
    raw.send(around, &container(&[(header.msg_id, header.seq_no, body.clone())])).await;
    assert_eq!(raw.result(header.msg_id).await.unwrap(), first);
    // On another connection of the session too.
    raw.connection = server.connection().await;
    raw.send(header, &body).await;
    assert_eq!(raw.result(header.msg_id).await.unwrap(), first);
    // Once the answer is acknowledged, it is forgotten, and the request still is not run.
    let again = raw.header(true);
    raw.send(again, &body).await;
    assert_ne!(raw.result(again.msg_id).await.unwrap(), first, "another request is another");
}

// ===== Containers and compression =====

#[tokio::test]
async fn messages_of_a_container_are_answered_each() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    meet(&mut raw).await;
    let ids: Vec<i64> = (0..4).map(|_| raw.msg_id()).collect();
    let unknown = vec![0x78, 0x56, 0x34, 0x12];
    let messages = [
        (ids[0], 4, bytes(&functions::Ping::new(1))),
        (ids[1], 5, bytes(&api::help::GetNearestDc {})),
        (ids[2], 7, unknown),
        (ids[3], 9, bytes(&api::help::GetConfig {})),
    ];
    let header = raw.header(false);
    raw.send(header, &container(&messages)).await;
    let (mut pong, mut near, mut refused, mut config) = (false, false, None, false);
    while !(pong && near && refused.is_some() && config) {
        let message = raw.hear().await.unwrap();
        pong |= types::Pong::from_bytes(&message.body).is_ok_and(|pong| pong.msg_id == ids[0]);
        near |= result_of(&message, ids[1]).is_some();
        refused = refused.or_else(|| result_of(&message, ids[2]));
        config |= result_of(&message, ids[3]).is_some();
    }
    let refused = refused.unwrap();
    let error = types::RpcError::from_bytes(&refused).unwrap();
    assert_eq!(
        (error.error_code, error.error_message),
        (400, "INPUT_METHOD_INVALID_305419896_230")
    );
    // An empty one is a container too.
    let header = raw.header(false);
    raw.send(header, &container(&[])).await;
    raw.request(&functions::Ping::new(8)).await;
    assert_eq!(raw.wait_for::<types::Pong>().await.ping_id, 8);
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    bytes(&types::GzipPacked::new(&encoder.finish().unwrap()))
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    bytes(&types::GzipPacked::new(&encoder.finish().unwrap()))
}

/// Both formats in use, around the whole request and around the query inside.
#[tokio::test]
async fn requests_may_be_compressed() {
    let server = TestServer::start().await;
    for pack in [gzip, zlib] {
        let mut raw = server.raw().await;
        let header = raw.header(true);
        raw.send(header, &pack(&introduced(&api::help::GetNearestDc {}))).await;
        raw.result(header.msg_id).await.expect("packed as a whole");
        let packed = pack(&bytes(&api::help::GetNearestDc {}));
        let header = raw.header(true);
        raw.send(header, &introduced(&Inner(&packed))).await;
        raw.result(header.msg_id).await.expect("packed inside");
        // An even number is forgiven here, and a container around it makes no difference.
        let msg_id = raw.msg_id();
        let header = raw.header(false);
        raw.send(header, &container(&[(msg_id, header.seq_no, packed)])).await;
        raw.result(msg_id).await.expect("packed in a container");
    }
}

// ===== Salts =====

#[tokio::test]
async fn future_salts_are_good() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let msg_id = raw.request(&functions::GetFutureSalts::new(3)).await;
    let salts: types::FutureSalts = raw.wait_for().await;
    assert_eq!(salts.req_msg_id, msg_id);
    assert!((salts.now - now().secs_i32()).abs() < 5);
    assert_eq!(salts.salts.len(), 3);
    let first = salts.salts[0].clone();
    assert!(first.valid_since <= salts.now && salts.now < first.valid_until);
    assert!(salts.salts.windows(2).all(|pair| pair[0].valid_since < pair[1].valid_since));
    raw.salt = first.salt;
    raw.request(&functions::Ping::new(1)).await;
    raw.wait_for::<types::Pong>().await;
    for (asked, given) in [(0, 1), (-5, 1), (1_000_000, 64)] {
        raw.request(&functions::GetFutureSalts::new(asked)).await;
        assert_eq!(raw.wait_for::<types::FutureSalts>().await.salts.len(), given);
    }
}

// ===== Connections =====

#[tokio::test]
async fn a_delayed_disconnect_comes() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    raw.request(&functions::PingDelayDisconnect::new(6, 1)).await;
    let before: types::NewSessionCreated = raw.wait_for().await;
    assert_eq!(raw.wait_for::<types::Pong>().await.ping_id, 6);
    assert_eq!(raw.closed().await, None, "without a transport error");
    // The session is still there: what was not acknowledged comes again, nothing else does.
    raw.connection = server.connection().await;
    raw.request(&functions::Ping::new(7)).await;
    let again: types::NewSessionCreated = raw.wait_for().await;
    assert_eq!(again.unique_id, before.unique_id);
    assert_eq!(raw.wait_for::<types::Pong>().await.ping_id, 7);
}

/// An answer that found no connection, or was lost with one, comes on the next.
#[tokio::test]
async fn answers_survive_connections() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    meet(&mut raw).await;
    let msg_id = raw.request(&api::help::GetConfig {}).await;
    raw.connection = server.connection().await;
    raw.request(&functions::Ping::new(1)).await;
    raw.result(msg_id).await.expect("the answer");
    // It is not acknowledged, so that it comes once more.
    raw.connection = server.connection().await;
    raw.request(&functions::Ping::new(2)).await;
    let message = raw.wait(|m| result_of(m, msg_id).map(|_| m.clone())).await;
    // Acknowledged, it does not.
    let header = raw.header(false);
    raw.send(header, &bytes(&types::MsgsAck::new(vec![message.msg_id]))).await;
    raw.request(&functions::Ping::new(4)).await;
    raw.wait(|m| types::Pong::from_bytes(&m.body).is_ok_and(|p| p.ping_id == 4).then_some(()))
        .await;
    raw.connection = server.connection().await;
    raw.request(&functions::Ping::new(3)).await;
    loop {
        let message = raw.hear().await.unwrap();
        assert_eq!(result_of(&message, msg_id), None);
        if types::Pong::from_bytes(&message.body).is_ok_and(|pong| pong.ping_id == 3) {
            break;
        }
    }
}

/// The new connection is there before the server has heard of the end of the old one.
#[tokio::test]
async fn answers_survive_connections_that_end_late() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    meet(&mut raw).await;
    let msg_id = raw.request(&api::help::GetConfig {}).await;
    raw.result(msg_id).await.expect("the answer");
    let old = std::mem::replace(&mut raw.connection, server.connection().await);
    raw.request(&functions::Ping::new(1)).await;
    raw.wait(|m| types::Pong::from_bytes(&m.body).is_ok_and(|p| p.ping_id == 1).then_some(()))
        .await;
    drop(old);
    raw.result(msg_id).await.expect("it comes again");
}

// ===== Messages about messages =====

#[tokio::test]
async fn states_of_messages_are_told() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    meet(&mut raw).await;
    let answered = raw.request(&api::help::GetConfig {}).await;
    let result = raw.wait(|m| result_of(m, answered).map(|_| m.clone())).await;
    let waiting = held(&mut raw, answered + (60 << 32)).await;
    let (unseen, far) = (answered - 400, raw.msg_id() + (1 << 32));
    let asked = raw.request(&types::MsgsStateReq::new(vec![answered, waiting, unseen, far])).await;
    let info = raw
        .wait(|m| {
            let info = types::MsgsStateInfo::from_bytes(&m.body).ok()?;
            (info.req_msg_id == asked).then(|| info.info.to_vec())
        })
        .await;
    assert_eq!(info[0] & 64, 64, "an answer was made");
    assert_eq!(info[1] & (32 | 4), 32 | 4, "received, and it runs");
    assert_eq!((info[2], info[3]), (2, 3), "never seen");
    // What was sent may be asked for again: by its identifier, or by that of the request.
    raw.request(&types::MsgResendReq::new(vec![result.msg_id])).await;
    raw.result(answered).await.expect("again");
    raw.request(&types::MsgResendAnsReq::new(vec![answered])).await;
    raw.result(answered).await.expect("and again");
    raw.request(&types::MsgResendReq::new(vec![1])).await;
    let unknown =
        raw.wait(|m| types::MsgsStateInfo::from_bytes(&m.body).map(|i| i.info.to_vec()).ok()).await;
    assert_eq!(unknown, [1]);
}

/// A request that waits for one that never comes.
async fn held(raw: &mut Raw, predecessor: i64) -> i64 {
    let query = bytes(&api::help::GetConfig {});
    raw.request(&api::InvokeAfterMsg::new(predecessor, Inner(&query))).await
}

#[tokio::test]
async fn answers_may_be_dropped() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    meet(&mut raw).await;
    let dropped = |result: Bytes| enums::RpcDropAnswer::from_bytes(&result).unwrap();

    let drop_unknown = raw.request(&functions::RpcDropAnswer::new(4)).await;
    let outcome = raw.result(drop_unknown).await.unwrap();
    assert_eq!(dropped(outcome), enums::RpcDropAnswer::RpcAnswerUnknown);

    let future = raw.msg_id() + (60 << 32);
    let running = held(&mut raw, future).await;
    let drop_running = raw.request(&functions::RpcDropAnswer::new(running)).await;
    let (mut of_request, mut of_drop) = (None, None);
    while of_request.is_none() || of_drop.is_none() {
        let message = raw.hear().await.unwrap();
        of_request = of_request.or_else(|| result_of(&message, running));
        of_drop = of_drop.or_else(|| result_of(&message, drop_running));
    }
    assert_eq!(dropped(of_request.unwrap()), enums::RpcDropAnswer::RpcAnswerDroppedRunning);
    assert_eq!(dropped(of_drop.unwrap()), enums::RpcDropAnswer::RpcAnswerDroppedRunning);

    let answered = raw.request(&api::help::GetConfig {}).await;
    let result = raw.wait(|m| result_of(m, answered).map(|_| m.clone())).await;
    let drop_answered = raw.request(&functions::RpcDropAnswer::new(answered)).await;
    let outcome = raw.result(drop_answered).await.unwrap();
    let enums::RpcDropAnswer::RpcAnswerDropped(outcome) = dropped(outcome) else { panic!() };
    assert_eq!(outcome.msg_id, result.msg_id);
}

#[tokio::test]
async fn sessions_may_be_destroyed() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let mut other = server.raw_beside(&raw).await;
    other.request(&functions::Ping::new(1)).await;
    let before: types::NewSessionCreated = other.wait_for().await;

    raw.request(&functions::DestroySession::new(other.session_id)).await;
    assert_eq!(raw.wait_for::<types::DestroySessionOk>().await.session_id, other.session_id);
    raw.request(&functions::DestroySession::new(other.session_id)).await;
    assert_eq!(raw.wait_for::<types::DestroySessionNone>().await.session_id, other.session_id);
    raw.request(&functions::DestroySession::new(raw.session_id)).await;
    assert_eq!(raw.wait_for::<types::DestroySessionNone>().await.session_id, raw.session_id);

    // Whoever goes on with it has a new one of the same number.
    other.connection = server.connection().await;
    other.request(&functions::Ping::new(2)).await;
    let after: types::NewSessionCreated = other.wait_for().await;
    assert_ne!(after.unique_id, before.unique_id);
}

#[tokio::test]
async fn a_key_may_be_destroyed() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let mut beside = server.raw_beside(&raw).await;
    beside.request(&functions::Ping::new(1)).await;
    beside.wait_for::<types::Pong>().await;
    raw.request(&functions::DestroyAuthKey {}).await;
    let outcome: enums::DestroyAuthKeyRes = raw.wait_for().await;
    assert_eq!(outcome, enums::DestroyAuthKeyRes::DestroyAuthKeyOk);
    raw.closed().await;
    beside.closed().await;
    raw.connection = server.connection().await;
    raw.request(&functions::Ping::new(2)).await;
    assert_eq!(raw.closed().await, Some(-404));
    // Its number is free for others; nobody is disturbed.
    let mut connection = server.connection().await;
    let config = server.handshake(mtproto::handshake::client::Inner::Plain);
    make_key(&mut connection, config, &mut rng()).await.unwrap();
}

/// A message under a new number: the old one counts.
#[tokio::test]
async fn copies_are_unwrapped() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let msg_id = raw.msg_id();
    let body = bytes(&functions::Ping::new(5));
    let mut copy = Vec::from(types::MsgCopy::ID.to_le_bytes());
    copy.extend_from_slice(&msg_id.to_le_bytes());
    copy.extend_from_slice(&0_i32.to_le_bytes());
    copy.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
    copy.extend_from_slice(&body);
    raw.request(&Inner(&copy)).await;
    let pong: types::Pong = raw.wait_for().await;
    assert_eq!((pong.msg_id, pong.ping_id), (msg_id, 5));
}

// ===== Order =====

/// `invokeAfterMsg`: a request that came too early is run after the one that it names.
#[tokio::test]
async fn requests_wait_for_those_they_name() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    meet(&mut raw).await;
    let (first, second, third) = (raw.msg_id(), raw.msg_id(), raw.msg_id());
    let query = bytes(&api::help::GetConfig {});
    let after = bytes(&api::InvokeAfterMsg::new(first, Inner(&query)));
    let after_both = bytes(&api::InvokeAfterMsgs::new(vec![first, second], Inner(&query)));
    // The last one is sent first.
    for (msg_id, seq_no, body) in [(third, 7, after_both), (second, 5, after), (first, 3, query)] {
        let header = Header { msg_id, seq_no, ..raw.header(false) };
        raw.send(header, &body).await;
    }
    let mut order = Vec::new();
    while order.len() < 3 {
        let message = raw.hear().await.unwrap();
        let known = [first, second, third].into_iter();
        order.extend(known.filter(|msg_id| result_of(&message, *msg_id).is_some()));
    }
    assert_eq!(order, [first, second, third]);
}

#[tokio::test]
async fn waiting_for_a_failure_fails() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    meet(&mut raw).await;
    let failed = raw.request(&Inner(&[0x78, 0x56, 0x34, 0x12])).await;
    raw.result(failed).await.expect_err("there is no such method");
    let after = held(&mut raw, failed).await;
    let error = raw.result(after).await.unwrap_err();
    assert_eq!((error.code, error.text.as_str()), (400, "MSG_WAIT_FAILED"));
    // Nor can anything wait for itself.
    let header = raw.header(true);
    let query = bytes(&api::help::GetConfig {});
    let itself = bytes(&api::InvokeAfterMsg::new(header.msg_id, Inner(&query)));
    raw.send(header, &itself).await;
    assert_eq!(raw.result(header.msg_id).await.unwrap_err().text, "MSG_WAIT_FAILED");
    // Nobody waits for long for what never comes.
    let never = raw.msg_id() - 4000;
    let after = held(&mut raw, never).await;
    let error = raw.result(after).await.unwrap_err();
    assert_eq!((error.code, error.text.as_str()), (-503, "MSG_WAIT_TIMEOUT"));
}
