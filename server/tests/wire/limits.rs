//! The bounds that a peer can reach: what is beyond is refused, and what is within is served.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use mtproto::handshake::client::{Client as Exchange, Inner as Kind, Next};
use mtproto::limits::{
    EXCHANGE_COUNT_MAX, PACKET_LEN_MAX, PREDECESSOR_COUNT_MAX, QUEUE_LEN_MAX, SESSION_IDLE,
};
use mtproto::transport::Framing;
use mtproto::{Buffer, MsgId, envelope};
use server::{Stores, limits};
use services::limits::CODE_SENT_COUNT_MAX;
use storage::Memory;
use tl::api::functions as api;
use tl::api::{enums as api_enums, types as api_types};
use tl::mtproto::{functions, types};
use tl::{Decode as _, Encode, Layer, Raw as Inner};

use crate::common::exchange::ask;
use crate::common::raw::{Raw, container};
use crate::common::{Connection, Heard, PATIENCE, Person, RpcError, TestServer, Wire, now, rng};

fn bytes(value: &impl Encode) -> Vec<u8> {
    value.to_vec(Layer::NEWEST)
}

async fn introduced(server: &TestServer) -> Raw {
    let mut raw = server.raw().await;
    let client = server.client().await;
    let header = raw.header(true);
    raw.send(header, &client.introduced(&bytes(&api::help::GetNearestDc {}))).await;
    raw.result(header.msg_id).await.expect("introduced");
    raw
}

/// Puts a wrapper around a query.
type Wrap = fn(&[u8]) -> Vec<u8>;

/// `WRAPPER_DEPTH_MAX`, with every wrapper that is stepped over.
#[tokio::test]
async fn wrappers_are_nested_only_so_deep() {
    let server = TestServer::start().await;
    let mut raw = introduced(&server).await;
    let wrappers: [Wrap; 6] = [
        |query| bytes(&api::InvokeWithoutUpdates::new(Inner(query))),
        |query| {
            let range = tl::api::types::MessageRange::new(1, 2);
            bytes(&api::InvokeWithMessagesRange::new(range, Inner(query)))
        },
        |query| bytes(&api::InvokeWithBusinessConnection::new("id", Inner(query))),
        |query| bytes(&api::InvokeWithGooglePlayIntegrity::new("n", "t", Inner(query))),
        |query| bytes(&api::InvokeWithApnsSecret::new("n", "s", Inner(query))),
        |query| bytes(&api::InvokeWithReCaptcha::new("t", Inner(query))),
    ];
    for wrap in wrappers {
        let mut body = bytes(&api::help::GetNearestDc {});
        for _ in 0..limits::WRAPPER_DEPTH_MAX - 1 {
            body = wrap(&body);
        }
        let header = raw.header(true);
        raw.send(header, &body).await;
        raw.result(header.msg_id).await.expect("deep, but not too deep");
        let header = raw.header(true);
        raw.send(header, &wrap(&body)).await;
        assert_eq!(raw.result(header.msg_id).await.unwrap_err().text, "INPUT_REQUEST_INVALID");
    }
}

/// `PREDECESSOR_COUNT_MAX`.
#[tokio::test]
async fn requests_wait_for_only_so_many() {
    let server = TestServer::start().await;
    let mut raw = introduced(&server).await;
    let query = bytes(&api::help::GetNearestDc {});
    let first = raw.request(&Inner(&query)).await;
    raw.result(first).await.unwrap();
    for (count, is_served) in [(PREDECESSOR_COUNT_MAX, true), (PREDECESSOR_COUNT_MAX + 1, false)] {
        let after =
            raw.request(&api::InvokeAfterMsgs::new(vec![first; count], Inner(&query))).await;
        match raw.result(after).await {
            Ok(_) => assert!(is_served),
            Err(error) => {
                assert!(!is_served);
                assert_eq!(error.text, "INPUT_REQUEST_TOO_LONG");
            }
        }
    }
}

/// `REQUESTS_RUNNING_MAX`: what comes at once is told to wait, and each request is answered all the same.
#[tokio::test]
async fn requests_run_only_so_many_at_once() {
    let server = TestServer::start().await;
    let mut raw = introduced(&server).await;
    // How the bytes arrive is the system's business: mostly at once, but not always.
    let mut refused = 0;
    for _ in 0..20 {
        refused += flood_requests(&mut raw).await;
        if refused > 0 {
            break;
        }
    }
    assert!(refused > 0, "nothing was ever refused");
    let next = raw.request(&api::help::GetNearestDc {}).await;
    raw.result(next).await.expect("room again");
}

/// Sends more requests at once than may run; how many were refused.
async fn flood_requests(raw: &mut Raw) -> usize {
    let query = bytes(&api::help::GetNearestDc {});
    let (mut stream, mut sent) = (bytes::BytesMut::new(), Vec::new());
    // Two containers in one write, so that the second is read before anything of the first runs. Nearly all of it is refused,
    // which must not take more of the stack with each.
    for _ in 0..2 {
        let messages: Vec<_> = (0..limits::REQUESTS_RUNNING_MAX - 1)
            .map(|_| (raw.msg_id(), raw.seq_no(true), query.clone()))
            .collect();
        sent.extend(messages.iter().map(|(msg_id, ..)| *msg_id));
        let header = raw.header(false);
        let packet = raw.seal(header, &container(&messages));
        stream.extend_from_slice(&raw.connection.encode(&packet, false));
    }
    raw.connection.send_bytes(&stream).await;
    let (mut served, mut refused) = (0, 0);
    for _ in 0..sent.len() {
        let body = raw
            .wait(|message| {
                let result = types::RpcResult::from_bytes(&message.body).ok()?;
                sent.contains(&result.req_msg_id).then(|| message.body.slice_ref(result.result.0))
            })
            .await;
        match RpcError::check(body) {
            Ok(_) => served += 1,
            Err(error) => {
                assert_eq!((error.code, error.text.as_str()), (420, "FLOOD_WAIT_1"));
                refused += 1;
            }
        }
    }
    assert_eq!(served + refused, sent.len());
    assert!(served >= limits::REQUESTS_RUNNING_MAX, "{served} served");
    refused
}

/// `SESSIONS_PER_KEY_MAX`: the session that was used least recently gives way.
#[tokio::test]
async fn a_key_has_only_so_many_sessions() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    raw.request(&functions::Ping::new(1)).await;
    let first: types::NewSessionCreated = raw.wait_for().await;
    raw.wait_for::<types::Pong>().await;
    let oldest = raw.session_id;
    for number in 1..limits::SESSIONS_PER_KEY_MAX {
        raw.session_id = oldest.wrapping_add(i64::try_from(number).unwrap());
        raw.request(&functions::Ping::new(1)).await;
        raw.wait_for::<types::Pong>().await;
    }
    // All of them are there.
    raw.session_id = oldest;
    raw.request(&functions::Ping::new(2)).await;
    let pong = raw.hear().await.unwrap();
    assert_eq!(types::Pong::from_bytes(&pong.body).unwrap().ping_id, 2);
    // One more, and the second one, not used for longest, is forgotten.
    raw.session_id = oldest.wrapping_sub(1);
    raw.request(&functions::Ping::new(1)).await;
    raw.wait_for::<types::Pong>().await;
    raw.session_id = oldest.wrapping_add(1);
    raw.connection = server.connection().await;
    raw.request(&functions::Ping::new(3)).await;
    let again: types::NewSessionCreated = raw.wait_for().await;
    assert_ne!(again.unique_id, first.unique_id);
}

/// `HANDOFFS_MAX`: a connection goes to the shard of each key that it is used with, but not for ever.
#[tokio::test]
async fn a_connection_changes_shards_only_so_often() {
    let server = TestServer::start_with(|config| config.shards = 2).await;
    let mut keys = vec![server.raw().await];
    while keys.len() < 2 {
        let other = server.raw().await;
        let shard_of = |raw: &Raw| (raw.auth_key.id().0 >> 8) % 2;
        if shard_of(&other) != shard_of(&keys[0]) {
            keys.push(other);
        }
    }
    let mut connection = server.connection().await;
    let mut served = 0;
    for raw in (0..2).cycle() {
        let raw = &mut keys[raw];
        std::mem::swap(&mut raw.connection, &mut connection);
        raw.request(&functions::Ping::new(1)).await;
        let heard = loop {
            match raw.hear().await {
                Ok(message) if types::Pong::from_bytes(&message.body).is_err() => {}
                heard => break heard,
            }
        };
        std::mem::swap(&mut raw.connection, &mut connection);
        if let Err(heard) = heard {
            assert_eq!(heard, Heard::Error(-404));
            break;
        }
        served += 1;
    }
    // It may have begun on the first one's shard.
    let most = usize::from(limits::HANDOFFS_MAX);
    assert!((most..=most + 1).contains(&served), "{served}");
}

/// Whether a key that nobody uses is still in memory beside one that is used, where `most` may be; the other is, in any case.
async fn is_kept(most: usize) -> bool {
    let data = Arc::new(tempfile::tempdir().unwrap());
    let memory = Arc::new(Memory::new());
    let stores = Stores::on(Arc::clone(&memory) as _);
    let server = TestServer::start_on(&data, stores, |config| {
        assert_eq!(config.limits.idle_keys_max, limits::IDLE_KEY_COUNT_MAX);
        config.limits.idle_keys_max = most;
        config.shards = 1;
    });
    let server = server.await;
    let (mut used, mut unused) = (server.raw().await, server.raw().await);
    for raw in [&mut used, &mut unused] {
        raw.request(&functions::Ping::new(1)).await;
        raw.wait_for::<types::Pong>().await;
    }
    unused.connection.finish().await;
    while unused.hear().await != Err(Heard::Closed) {}
    // The session that has no connection ends.
    server.set_clock(2 * SESSION_IDLE.as_secs().cast_signed());
    tokio::time::sleep(2 * limits::TICK).await;
    // From here on only what is in memory is known.
    memory.fail_reads(true);
    used.request(&functions::Ping::new(2)).await;
    used.hear().await.expect("it is known");
    unused.connection = server.connection().await;
    unused.request(&functions::Ping::new(2)).await;
    let heard = unused.hear().await;
    assert!(matches!(heard, Ok(_) | Err(Heard::Error(-404))), "{heard:?}");
    heard.is_ok()
}

/// `IDLE_KEY_COUNT_MAX`, in small: beyond it keys go that nobody uses, and no others.
#[tokio::test]
async fn unused_keys_are_kept_up_to_a_number() {
    assert!(is_kept(2).await);
    assert!(!is_kept(1).await);
}

/// `COST_UNITS_BURST`, `COST_UNITS_PER_S`: a login may spend only so much at once, and more after a while.
async fn check_budget(id: u32, price: u32) {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    // The price is asked before the request is even decoded.
    let request = Vec::from(id.to_le_bytes());
    let count = limits::COST_UNITS_BURST / price;
    let mut refused = None;
    for _ in 0..40 {
        if refused.is_some() {
            break;
        }
        let requests: Vec<_> = (0..count / 8).map(|_| alice.queue_bytes(request.clone())).collect();
        for request in requests {
            let error = alice.answer(request).await.unwrap_err();
            match error.code {
                400 => {}
                _ => refused = Some(error),
            }
        }
    }
    let refused = refused.expect("the budget ends");
    assert_eq!(refused.code, 420);
    let wait_s: u32 = refused.text.strip_prefix("FLOOD_WAIT_").unwrap().parse().unwrap();
    // Never longer than until all is there again.
    let longest_s = limits::COST_UNITS_BURST / limits::COST_UNITS_PER_S + 1;
    assert!((1..=longest_s).contains(&wait_s), "{wait_s}");
    // It is nobody else's budget.
    bob.state().await;
}

/// `HEAVY_COST`, `WRITE_COST`.
#[tokio::test]
async fn a_login_spends_only_so_much() {
    check_budget(api::contacts::Search::ID, limits::HEAVY_COST).await;
    check_budget(api::messages::SendMessage::ID, limits::WRITE_COST).await;
}

/// `WRITE_COST`: a call that does many things costs as much as many calls.
///
/// It would fail if a hundred messages were forwarded, or five hundred numbers tried out, for the price of one.
#[tokio::test]
async fn many_things_at_once_cost_as_much_as_one_by_one() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let to = api_enums::InputPeer::InputPeerSelf;
    let ids: Vec<_> = (1..=100).collect();
    let random_ids: Vec<_> = (1..=100).collect();
    let forward = api::messages::ForwardMessages::new(to.clone(), ids, random_ids, to);
    let count = spent_after(&mut alice, &bytes(&forward), "MESSAGE_ID_INVALID").await;
    assert!(count < 2 * limits::COST_UNITS_BURST / (100 * limits::WRITE_COST), "{count} calls");

    let mut bob = server.person("Bob").await;
    let entries = (0..limits::IMPORT_COUNT_MAX as i64)
        .map(|at| api_types::InputPhoneContact::new(at, "none", "", ""));
    let import = api::contacts::ImportContacts::new(entries.collect());
    let count = spent_after(&mut bob, &bytes(&import), "").await;
    let price = limits::IMPORT_COUNT_MAX as u32 * limits::WRITE_COST;
    assert!(count < 2 * limits::COST_UNITS_BURST / price, "{count} calls");
}

/// How often `request` is answered, or refused with `text`, before it costs too much.
async fn spent_after(person: &mut Person, request: &[u8], text: &str) -> u32 {
    for count in 0..2_000 {
        let asked = person.queue_bytes(request.to_vec());
        match person.answer(asked).await {
            Err(error) if error.code == 420 => return count,
            Err(error) => assert_eq!(error.text, text),
            Ok(_) => {}
        }
    }
    panic!("it costs next to nothing");
}

/// What becomes `len` bytes: a message to oneself that is far too long.
fn packed(len: usize) -> Vec<u8> {
    let text = "x".repeat(len);
    let send = api::messages::SendMessage::new(api_enums::InputPeer::InputPeerSelf, &text, 1);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&bytes(&send)).unwrap();
    bytes(&types::GzipPacked::new(&encoder.finish().unwrap()))
}

/// `PARTIALS_LEN_MAX`: of packets that never become whole the oldest go, with their connections. Nobody else does.
///
/// It would fail if each connection could keep as much as a packet may have: a hundred thousand of them are 200 GB. Nor may little
/// that came keep the room for what was announced, which nobody counts.
#[tokio::test]
async fn only_so_much_is_kept_of_packets() {
    only_so_much_is_kept(PACKET_LEN_MAX - 64, PACKET_LEN_MAX - 64).await;
    only_so_much_is_kept(3 * limits::READ_LEN, limits::READ_LONG_LEN).await;
}

/// Of packets of which `part_len` bytes come, for which there is so much room at least.
async fn only_so_much_is_kept(part_len: usize, room: usize) {
    let server = TestServer::start_with(|config| {
        config.shards = 1;
        // Nobody is closed for being slow.
        config.limits.first_packet_s = 3600;
    })
    .await;
    let mut alice = server.person("Alice").await;
    // So much is missing that what this side of a connection sends by itself, such as its transport's tag, does not make it whole.
    let part = vec![7; part_len];
    let rest = vec![7; PACKET_LEN_MAX - part_len];
    let len = u32::try_from(PACKET_LEN_MAX).unwrap().to_le_bytes();
    let head = [[0xee; 4], len].concat();
    let mut partial = Vec::new();
    for _ in 0..limits::PARTIALS_LEN_MAX / room + 1 {
        let mut connection = server.connection().await;
        connection.send_bytes(&head).await;
        connection.send_bytes(&part).await;
        partial.push(connection);
        // It is read before the next one comes.
        alice.ping().await;
    }
    assert_eq!(partial[0].hear().await, Heard::Closed, "the first had to go");
    assert_eq!(partial[1].hear().await, Heard::Closed, "and with it more than just one");
    let mut last = partial.pop().unwrap();
    last.send_bytes(&rest).await;
    assert_eq!(last.hear().await, Heard::Error(-404), "the last was read to its end");
    alice.ping().await;
}

/// `UNPACKED_UNIT_LEN`: what is packed costs by what it becomes, not by what it was.
///
/// It would fail if it were unpacked for nothing: a packet of a kilobyte would keep a shard busy for milliseconds.
#[tokio::test]
async fn unpacking_is_paid_for() {
    let server = TestServer::start().await;
    let mut raw = introduced(&server).await;
    let packed = packed(1024 * 1024);
    assert!(packed.len() < limits::UNPACKED_UNIT_LEN);
    let free = limits::COST_UNITS_BURST as usize / (1024 * 1024 / limits::UNPACKED_UNIT_LEN);
    let mut count = 0;
    let refused = loop {
        let header = raw.header(true);
        raw.send(header, &packed).await;
        let error = raw.result(header.msg_id).await.unwrap_err();
        if error.text != "AUTH_KEY_UNREGISTERED" {
            break error;
        }
        count += 1;
    };
    assert!(refused.code == 420 && refused.text.starts_with("FLOOD_WAIT_"), "{refused:?}");
    assert!(count >= free, "only {count} of {free}");
}

/// `REQUESTS_LEN_MAX`: what is packed counts as what it becomes, so that a packet of a few kilobytes does not take gigabytes.
///
/// It would fail if as many were unpacked at once as come in one packet.
#[tokio::test]
async fn only_so_much_is_unpacked_at_once() {
    let server = TestServer::start().await;
    let person = server.person("Alice").await;
    let mut raw =
        Raw::new(server.connection().await, person.auth_key().clone(), person.first_salt());
    let (len, fitting, count) = (limits::REQUESTS_LEN_MAX / 16, 16, 40);
    let packed = packed(len);
    let messages: Vec<_> =
        (0..count).map(|_| (raw.msg_id(), raw.seq_no(true), packed.clone())).collect();
    let header = raw.header(false);
    raw.send(header, &container(&messages)).await;
    let (mut unpacked, mut refused) = (0, 0);
    for _ in 0..count {
        let body = raw
            .wait(|message| {
                let result = types::RpcResult::from_bytes(&message.body).ok()?;
                Some(message.body.slice_ref(result.result.0))
            })
            .await;
        match RpcError::check(body).unwrap_err().text.as_str() {
            "MESSAGE_TOO_LONG" => unpacked += 1,
            "FLOOD_WAIT_1" => refused += 1,
            other => panic!("{other}"),
        }
    }
    // A bit more comes with the packed ones themselves.
    assert!((fitting - 1..=fitting).contains(&unpacked), "{unpacked} unpacked, {refused} refused");
}

/// `HANDSHAKE_JOBS_MAX`: a flood of handshakes is told to come back; whoever comes after it gets a key.
#[tokio::test]
async fn handshakes_are_computed_only_so_many_at_once() {
    let server = TestServer::start_with(|config| config.shards = 1).await;
    let mut floods = Vec::new();
    // Up to the point where the next query costs an exponentiation.
    for _ in 0..3 * limits::HANDSHAKE_JOBS_MAX / EXCHANGE_COUNT_MAX {
        let mut connection = server.connection().await;
        let mut stream = bytes::BytesMut::new();
        for _ in 0..EXCHANGE_COUNT_MAX {
            let (exchange, query) = Exchange::start(server.handshake(Kind::Plain), &mut rng());
            let answer = ask(&mut connection, query.as_slice()).await.expect("it costs nothing");
            let Next::Send(_, query) = exchange.handle(&answer, &mut rng()).unwrap() else {
                panic!("an exchange has three queries");
            };
            let body = Buffer::from_body(query.as_slice());
            let packet = envelope::seal_plain(MsgId::at(now()), body);
            stream.extend_from_slice(&connection.encode(packet.as_slice(), false));
        }
        floods.push((connection, stream));
    }
    for (connection, stream) in &mut floods {
        connection.send_bytes(stream).await;
    }
    let (mut computed, mut refused) = (0, 0);
    for (connection, _) in &mut floods {
        for _ in 0..EXCHANGE_COUNT_MAX {
            match connection.hear().await {
                Heard::Packet(_) => computed += 1,
                Heard::Error(-429) => {
                    refused += 1;
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(computed > 0 && refused > 0, "{computed} computed, {refused} refused");
    server.client().await.ping().await;
}

/// `USER_COUNT_MAX`, `PROFILE_PHOTO_NAMED_COUNT_MAX`, `IMPORT_COUNT_MAX`: what one call may name.
#[tokio::test]
async fn calls_name_only_so_much() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let users = |count| vec![api_enums::InputUser::InputUserSelf; count];
    let most = limits::USER_COUNT_MAX;
    assert_eq!(alice.ask(&api::users::GetUsers::new(users(most))).await.len(), most);
    let too_long = "INPUT_REQUEST_TOO_LONG";
    assert_eq!(alice.refused(&api::users::GetUsers::new(users(most + 1))).await, too_long);
    let delete = api::contacts::DeleteContacts::new(users(most + 1));
    assert_eq!(alice.refused(&delete).await, too_long);
    let requirements = api::users::GetRequirementsToContact::new(users(most + 1));
    assert_eq!(alice.refused(&requirements).await, too_long);

    let photos = |count| vec![api_enums::InputPhoto::InputPhotoEmpty; count];
    let most = limits::PROFILE_PHOTO_NAMED_COUNT_MAX;
    assert!(alice.ask(&api::photos::DeletePhotos::new(photos(most))).await.is_empty());
    let beyond = api::photos::DeletePhotos::new(photos(most + 1));
    assert_eq!(alice.refused(&beyond).await, "LIMIT_INVALID");

    // Entries without a name are passed over, but looked at.
    let entries = (0..=limits::IMPORT_COUNT_MAX as i64)
        .map(|client_id| api_types::InputPhoneContact::new(client_id, "1", "", ""))
        .collect();
    let imported = alice.ask(&api::contacts::ImportContacts::new(entries)).await;
    assert_eq!(imported.retry_contacts, [limits::IMPORT_COUNT_MAX as i64]);
}

/// `LOGIN_CODE_RESEND_S` is what clients are told; `CODE_SENT_COUNT_MAX` is what there are, whoever asks.
#[tokio::test]
async fn codes_are_sent_only_so_often() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let phone = server.phone();
    let settings = api_types::CodeSettings::new();
    let send_code = api::auth::SendCode::new(&phone, 1, "hash", settings);
    for _ in 0..CODE_SENT_COUNT_MAX {
        let sent = client.call(&send_code).await.expect("a code is sent");
        let api_enums::auth::SentCode::SentCode(sent) = sent else { panic!("{sent:?}") };
        assert_eq!(sent.timeout, Some(limits::LOGIN_CODE_RESEND_S));
    }
    let refused = client.call(&send_code).await.expect_err("too many");
    assert_eq!((refused.code, refused.text.starts_with("FLOOD_WAIT_")), (420, true));
}

/// `connections_per_ip_max` and `connections_max`.
#[tokio::test]
async fn connections_are_counted() {
    for per_ip in [true, false] {
        let server = TestServer::start_with(|config| match per_ip {
            true => config.limits.connections_per_ip_max = 3,
            false => config.limits.connections_max = 3,
        })
        .await;
        let mut open = Vec::new();
        for _ in 0..3 {
            let mut raw = server.raw().await;
            raw.request(&functions::Ping::new(1)).await;
            raw.wait_for::<types::Pong>().await;
            open.push(raw);
        }
        let mut one_more = server.connection().await;
        assert_eq!(one_more.hear().await, Heard::Closed);
        for raw in &mut open {
            raw.request(&functions::Ping::new(2)).await;
            raw.wait_for::<types::Pong>().await;
        }
        // Room is given back.
        let mut left = open.pop().unwrap();
        left.connection.finish().await;
        while left.hear().await != Err(Heard::Closed) {}
        loop {
            let mut raw = Raw::new(server.connection().await, left.auth_key.clone(), left.salt);
            raw.request(&functions::Ping::new(3)).await;
            if raw.hear().await != Err(Heard::Closed) {
                break;
            }
        }
    }
}

/// `idle_s`: who says nothing for so long is not there any more.
#[tokio::test]
async fn silent_connections_end() {
    let server = TestServer::start_with(|config| config.limits.idle_s = 1).await;
    let mut raw = server.raw().await;
    raw.request(&functions::Ping::new(1)).await;
    assert_eq!(raw.closed().await, None);
}

/// Asks for half a megabyte `count` times, then for a little now and then, and reads nothing, until the server gives up.
async fn check_unread(count: usize) {
    let server = TestServer::start().await;
    let mut raw = introduced(&server).await;
    socket2::SockRef::from(raw.connection.stream()).set_recv_buffer_size(16 * 1024).unwrap();
    let much = bytes(&functions::GetFutureSalts::new(64));
    let little = bytes(&functions::Ping::new(1));
    let flood = async {
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        for number in 0.. {
            let (count, ask) = if number < count { (500, &much) } else { (1, &little) };
            let messages: Vec<_> = (0..count).map(|_| (raw.msg_id(), 0, ask.clone())).collect();
            let header = raw.header(false);
            let packet = raw.seal(header, &container(&messages));
            let bytes = raw.connection.encode(&packet, false);
            if !raw.connection.try_send_bytes(&bytes).await {
                break;
            }
            tick.tick().await;
        }
    };
    let patience = limits::SLOW_READER + PATIENCE;
    tokio::time::timeout(patience, flood).await.expect("the server gives up");
    raw.connection =
        Connection::open(server.address, &Wire::Plain(Framing::Intermediate), rng()).await;
    raw.request(&functions::Ping::new(5)).await;
    raw.wait(|m| types::Pong::from_bytes(&m.body).is_ok_and(|p| p.ping_id == 5).then_some(()))
        .await;
}

/// `QUEUE_LEN_MAX` of the session: who asks without end and reads nothing is closed; the next connection goes on.
#[tokio::test]
async fn who_asks_for_too_much_is_closed() {
    check_unread(usize::MAX).await;
}

/// `WRITE_QUEUE_LEN_MAX`, `UNTAKEN_LEN_MAX`, `SLOW_READER`: a socket that stays full for too long is closed.
#[tokio::test]
async fn who_reads_too_slowly_is_closed() {
    // Each of 500 answers has 64 salts of 16 bytes; the system's buffers take the first of them.
    check_unread(8 * limits::WRITE_QUEUE_LEN_MAX / (500 * 64 * 16)).await;
}

/// `UNTAKEN_LEN_MAX`: from who takes nothing of what there is, no more is read, so that even more than `QUEUE_LEN_MAX` may be
/// asked for meanwhile; all of it is answered once it takes again.
#[tokio::test]
async fn nothing_is_read_from_who_takes_nothing() {
    let server = TestServer::start().await;
    let mut raw = introduced(&server).await;
    socket2::SockRef::from(raw.connection.stream()).set_recv_buffer_size(16 * 1024).unwrap();
    let much = bytes(&functions::GetFutureSalts::new(64));
    const { assert!(limits::UNTAKEN_LEN_MAX < QUEUE_LEN_MAX / 16) };
    let count = 2 * QUEUE_LEN_MAX / (500 * 64 * 16);
    let mut asked = Vec::new();
    for _ in 0..count {
        let messages: Vec<_> = (0..500).map(|_| (raw.msg_id(), 0, much.clone())).collect();
        asked.extend(messages.iter().map(|(msg_id, ..)| *msg_id));
        let header = raw.header(false);
        raw.send(header, &container(&messages)).await;
    }
    for msg_id in asked {
        let salts = |body: &[u8]| types::FutureSalts::from_bytes(body).ok();
        raw.wait(|m| salts(&m.body).filter(|salts| salts.req_msg_id == msg_id).map(drop)).await;
    }
}

/// Takes about `len` bytes off a socket, as they are.
async fn take(stream: &tokio::net::TcpStream, len: usize) -> std::io::Result<()> {
    let mut left = len;
    while left > 0 {
        tokio::time::timeout(PATIENCE, stream.readable()).await.expect("there is more")?;
        match stream.try_read(&mut vec![0; left]) {
            Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            Ok(len) => left -= len,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether who takes `len` bytes in [`limits::SLOW_READER`], far less than there is for it, is served for several times as long.
async fn is_fast_enough(len: usize) -> bool {
    // What may lie between the two sides' system calls.
    const BETWEEN: usize = 8 * 1024 * 1024;
    const STEP: Duration = Duration::from_secs(5);
    const { assert!(STEP.as_nanos() * 2 <= limits::TICK_LATE.as_nanos()) };
    let server = TestServer::start().await;
    let mut raw = introduced(&server).await;
    let much = bytes(&functions::GetFutureSalts::new(64));
    for _ in 0..BETWEEN / (500 * 64 * 16) {
        let messages: Vec<_> = (0..500).map(|_| (raw.msg_id(), 0, much.clone())).collect();
        let header = raw.header(false);
        raw.send(header, &container(&messages)).await;
    }
    // It begins to stand still, and then goes on for three times as long as it may.
    let steps = limits::SLOW_READER.as_secs() / STEP.as_secs();
    for _ in 0..4 * steps {
        tokio::time::sleep(2 * limits::TICK).await;
        server.set_clock(STEP.as_secs().cast_signed());
        if take(raw.connection.stream(), len / steps as usize).await.is_err() {
            return false;
        }
        // Nobody reads it. Where nobody is to do so any more, that is told.
        let header = raw.header(true);
        let packet = raw.seal(header, &bytes(&functions::Ping::new(1)));
        let ping = raw.connection.encode(&packet, false);
        if !raw.connection.try_send_bytes(&ping).await {
            return false;
        }
    }
    true
}

/// `SLOW_READER_LEN_MIN`: who takes less than that in `SLOW_READER` is closed; who takes more is waited for.
#[tokio::test]
async fn who_reads_slowly_but_steadily_is_served() {
    assert!(!is_fast_enough(limits::SLOW_READER_LEN_MIN / 2).await);
    // Systems send and tell of it in portions of this order.
    assert!(is_fast_enough(limits::SLOW_READER_LEN_MIN * 4).await);
}

/// Bombs and floods leave no memory behind: each of these would take ten megabytes.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_does_not_grow_with_nonsense() {
    fn resident_len() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1024
    }

    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; 20 * 1024 * 1024]).unwrap();
    let bomb = bytes(&types::GzipPacked::new(&encoder.finish().unwrap()));
    let server = TestServer::start().await;
    let mut raw = introduced(&server).await;
    let before = resident_len();
    for _ in 0..50 {
        let header = raw.header(true);
        raw.send(header, &bomb).await;
        raw.result(header.msg_id).await.unwrap_err();
        let mut noise = server.connection().await;
        noise.send_bytes(&[0xee, 0xee, 0xee, 0xee, 0, 0, 0x10, 0]).await;
        noise.send_bytes(&[7; 64 * 1024]).await;
    }
    let grown = resident_len().saturating_sub(before);
    assert!(grown < 100 * 1024 * 1024, "{grown} bytes more");
}
