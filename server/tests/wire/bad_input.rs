//! What no client should send: each is answered by a clear error or a closed connection, and nobody else notices.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use mtproto::transport::Framing;
use rand_core::Rng as _;
use tl::api::{enums, functions as api, types as api_types};
use tl::mtproto::{functions, types};
use tl::{Encode, Layer, Raw as Inner};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::common::raw::{Raw, container};
use crate::common::{Connection, Heard, Options, PATIENCE, Person, TestServer, Wire, rng};

fn bytes(value: &impl Encode) -> Vec<u8> {
    value.to_vec(Layer::NEWEST)
}

/// Somebody who uses the server as it should be, while others do not.
struct Bystander {
    stop: tokio::sync::oneshot::Sender<()>,
    task: JoinHandle<(Person, u32)>,
}

impl Bystander {
    async fn start(server: &TestServer) -> Self {
        let mut person = server.person("Bystander").await;
        let (stop, mut stopped) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(async move {
            let mut count = 0;
            let mut tick = tokio::time::interval(Duration::from_millis(5));
            while stopped.try_recv().is_err() {
                person.say(&enums::InputPeer::InputPeerSelf, "still here").await;
                count += 1;
                tick.tick().await;
            }
            (person, count)
        });
        Self { stop, task }
    }

    /// Nothing was lost, the session is the one it was, and new clients are welcome.
    async fn check(self, server: &TestServer) {
        self.stop.send(()).expect("it never stops by itself");
        let (mut person, count) = self.task.await.expect("it never failed");
        let kept = person.history(&enums::InputPeer::InputPeerSelf).await.len();
        assert_eq!(kept, usize::try_from(count).unwrap().min(100));
        assert_eq!(person.lives().len(), 1, "the session was never forgotten");
        server.person("Newcomer").await;
    }
}

// ===== Streams =====

/// Sends bytes, and the end if `ends`; the server closes without a word.
async fn check_stream(server: &TestServer, what: &str, stream: &[u8], ends: bool) {
    let mut connection = Connection::open(server.address, &Wire::Plain(Framing::Full), rng()).await;
    connection.send_bytes(stream).await;
    if ends {
        connection.finish().await;
    }
    let heard = tokio::time::timeout(PATIENCE, connection.next()).await;
    assert_eq!(heard, Ok(Heard::Closed), "{what}");
}

#[tokio::test]
async fn streams_that_are_none() {
    let server = TestServer::start().await;
    let bystander = Bystander::start(&server).await;
    let full = |length: u32, seq_no: u32, payload: &[u8], crc_off: u32| {
        let mut frame = Vec::from(length.to_le_bytes());
        frame.extend_from_slice(&seq_no.to_le_bytes());
        frame.extend_from_slice(payload);
        let crc = crc32(&frame) ^ crc_off;
        frame.extend_from_slice(&crc.to_le_bytes());
        frame
    };
    // An unencrypted acknowledgement, which is harmless.
    let harmless = [vec![0; 8], vec![4; 8], vec![12, 0, 0, 0], bytes(&types::MsgsAck::new(vec![]))];
    let harmless = full(44, 0, &harmless.concat(), 0);
    let intermediate = |length: u32| [[0xee; 4], length.to_le_bytes()].concat();
    let endless: Vec<(&str, Vec<u8>)> = vec![
        ("a length beyond all bounds", intermediate(0x7fff_fffc)),
        ("a length just beyond", intermediate(mtproto::limits::PACKET_LEN_MAX as u32 + 4)),
        ("no length", intermediate(0)),
        ("an odd length", [intermediate(6), vec![0; 6]].concat()),
        ("abridged beyond all bounds", vec![0xef, 0x7f, 0xff, 0xff, 0xff]),
        ("abridged and empty", vec![0xef, 0]),
        ("padded beyond all bounds", [[0xdd; 4], [0xfc, 0xff, 0xff, 0x7f]].concat()),
        ("a wrong checksum", full(32, 0, &[0; 20], 1)),
        ("a wrong number", [harmless, full(32, 5, &[0; 20], 0)].concat()),
        ("full and too short", full(8, 0, &[], 0)),
        ("full beyond all bounds", full(0x7fff_fffc, 0, &[0; 20], 0)),
        ("obfuscated with an unknown tag", {
            let mut init = vec![0; 64];
            rng().fill_bytes(&mut init);
            init[0] = 0x11;
            init[4] = 0x11;
            init
        }),
        ("TLS", vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
    ];
    for (what, stream) in endless {
        check_stream(&server, what, &stream, false).await;
    }
    let cut: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("half a tag", vec![0xee, 0xee]),
        ("half a length", vec![0xee, 0xee, 0xee, 0xee, 40]),
        ("half a packet", [intermediate(40), vec![0; 39]].concat()),
        ("half an init", vec![0x21; 40]),
        ("half an HTTP request", Vec::from(b"GET /apiws HTTP/1.1\r\nHost:")),
    ];
    for (what, stream) in cut {
        check_stream(&server, what, &stream, true).await;
    }
    let mut rng = rng();
    for len in [1, 63, 64, 65, 1000, 100_000] {
        let mut garbage = vec![0; len];
        rng.fill_bytes(&mut garbage);
        let mut connection =
            Connection::open(server.address, &Wire::Plain(Framing::Full), rng.clone()).await;
        connection.send_bytes(&garbage).await;
        connection.finish().await;
        loop {
            match connection.hear().await {
                Heard::Closed => break,
                Heard::Error(_) => {}
                other => panic!("{other:?} for {len} bytes of nothing"),
            }
        }
    }
    bystander.check(&server).await;
}

/// A request for a WebSocket without end.
#[tokio::test]
async fn endless_http_heads_are_cut_off() {
    let server = TestServer::start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /apiws HTTP/1.1\r\n").await.unwrap();
    let line = b"X-Filler: abcdefghijklmnopqrstuvwxyz\r\n".repeat(100);
    let mut sent = 0;
    while stream.write_all(&line).await.is_ok() {
        sent += line.len();
        assert!(sent < 64 * 1024 * 1024, "the server reads for ever");
    }
    server.client().await.ping().await;
}

/// CRC-32, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
    let all = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
    !bytes.iter().fold(!0, all)
}

// ===== Packets =====

/// Sends a packet under a good key; the connection ends with -404.
async fn check_packet(server: &TestServer, what: &str, make: impl FnOnce(&mut Raw) -> Vec<u8>) {
    let mut raw = server.raw().await;
    let packet = make(&mut raw);
    raw.connection.send(&packet, false).await;
    assert_eq!(raw.closed().await, Some(-404), "{what}");
    // The key is still good.
    raw.connection = server.connection().await;
    raw.request(&functions::Ping::new(1)).await;
    raw.wait_for::<types::Pong>().await;
}

fn ping(raw: &mut Raw) -> Vec<u8> {
    let header = raw.header(false);
    raw.seal(header, &bytes(&functions::Ping::new(1)))
}

#[tokio::test]
async fn packets_that_do_not_open() {
    let server = TestServer::start().await;
    let bystander = Bystander::start(&server).await;
    let server = &server;
    let flipped = |at: usize| {
        move |raw: &mut Raw| {
            let mut packet = ping(raw);
            packet[at] ^= 1;
            packet
        }
    };
    check_packet(server, "an unknown key", flipped(0)).await;
    check_packet(server, "a wrong msg_key", flipped(8)).await;
    check_packet(server, "an altered salt", flipped(24)).await;
    check_packet(server, "an altered end", |raw| {
        let mut packet = ping(raw);
        let last = packet.len() - 1;
        packet[last] ^= 1;
        packet
    })
    .await;
    check_packet(server, "a truncated ciphertext", |raw| {
        let mut packet = ping(raw);
        packet.truncate(packet.len() - 16);
        packet
    })
    .await;
    check_packet(server, "no ciphertext", |raw| ping(raw)[..24].to_vec()).await;
    check_packet(server, "half a header", |raw| ping(raw)[..12].to_vec()).await;
    let lying = |length: i32, padding: usize| {
        move |raw: &mut Raw| {
            let header = raw.header(false);
            let mut plain = Vec::new();
            for part in [header.salt, header.session_id, header.msg_id] {
                plain.extend_from_slice(&part.to_le_bytes());
            }
            plain.extend_from_slice(&header.seq_no.to_le_bytes());
            plain.extend_from_slice(&length.to_le_bytes());
            plain.extend_from_slice(&bytes(&functions::Ping::new(1)));
            plain.resize(plain.len() + padding, 0);
            raw.seal_plaintext(&plain)
        }
    };
    check_packet(server, "a negative length", lying(-4, 0)).await;
    check_packet(server, "a length beyond the packet", lying(1024, 0)).await;
    check_packet(server, "an odd length", lying(10, 0)).await;
    check_packet(server, "too little padding", lying(24, 0)).await;
    check_packet(server, "too much padding", lying(12, 1100)).await;
    bystander.check(server).await;
}

/// A service message that does not decode, or is too much, ends nothing but perhaps its connection.
#[tokio::test]
async fn service_messages_that_are_none() {
    let server = TestServer::start().await;
    let bystander = Bystander::start(&server).await;
    let ids = |count: usize| vec![5; count];
    let beyond = mtproto::limits::ID_LIST_COUNT_MAX + 1;
    let floods: Vec<Vec<u8>> = vec![
        bytes(&types::MsgsAck::new(ids(beyond))),
        bytes(&types::MsgsStateReq::new(ids(beyond))),
        bytes(&types::MsgResendReq::new(ids(beyond))),
        bytes(&types::MsgResendAnsReq::new(ids(beyond))),
    ];
    for body in floods {
        let mut raw = server.raw().await;
        let header = raw.header(false);
        raw.send(header, &body).await;
        assert_eq!(raw.closed().await, Some(-429));
    }
    let mut huge = Vec::from(types::MsgsAck::ID.to_le_bytes());
    huge.extend_from_slice(&tl::VECTOR_ID.to_le_bytes());
    huge.extend_from_slice(&u32::MAX.to_le_bytes());
    let harmless: Vec<Vec<u8>> = vec![
        huge,
        bytes(&functions::Ping::new(1))[..8].to_vec(),
        bytes(&types::HttpWait::new(1, 2, 3)),
        bytes(&types::MsgsStateInfo::new(1, &[4; 10])),
        bytes(&types::MsgDetailedInfo::new(1, 2, 3, 4)),
        bytes(&types::RpcResult::new(1, Inner(&[0; 4]))),
        bytes(&types::MsgsAck::new(vec![1, 2, 3])),
        vec![],
    ];
    let mut raw = server.raw().await;
    for body in harmless {
        let header = raw.header(false);
        raw.send(header, &body).await;
    }
    raw.request(&functions::Ping::new(77)).await;
    raw.wait(|m| m.body.ends_with(&77_i64.to_le_bytes()).then_some(())).await;
    bystander.check(&server).await;
}

// ===== Compression =====

fn bomb(megabytes: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1024 * 1024];
    for _ in 0..megabytes {
        encoder.write_all(&zeros).unwrap();
    }
    bytes(&types::GzipPacked::new(&encoder.finish().unwrap()))
}

fn packed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    bytes(&types::GzipPacked::new(&encoder.finish().unwrap()))
}

#[tokio::test]
async fn what_unpacks_to_too_much_or_nothing() {
    let server = TestServer::start().await;
    let bystander = Bystander::start(&server).await;
    let mut raw = server.raw().await;
    let client = server.client().await;
    let header = raw.header(true);
    raw.send(header, &client.introduced(&bytes(&api::help::GetConfig {}))).await;
    raw.result(header.msg_id).await.expect("it is for anybody");
    let ping = bytes(&functions::Ping::new(1));
    let mut broken = packed(&bytes(&api::help::GetConfig {}));
    broken[20] ^= 0xff;
    let not_unpacked = "INPUT_REQUEST_INVALID";
    let twice = packed(&packed(&bytes(&api::help::GetConfig {})));
    let container = container(&[(raw.msg_id(), 1, ping.clone())]);
    let bodies = [
        ("a bomb", bomb(100), not_unpacked),
        ("nothing", packed(&[]), "INPUT_FETCH_FAIL"),
        ("no compressed data", bytes(&types::GzipPacked::new(b"zip")), not_unpacked),
        ("damaged data", broken, not_unpacked),
        ("packed twice", twice, not_unpacked),
        ("a packed service message", packed(&ping), "INPUT_METHOD_INVALID_2059302892_230"),
        ("a packed container", packed(&container), "INPUT_METHOD_INVALID_1945237724_230"),
    ];
    for (what, body, expected) in bodies {
        let header = raw.header(true);
        raw.send(header, &body).await;
        let error = raw.result(header.msg_id).await.expect_err(what);
        assert_eq!((error.code, error.text.as_str()), (400, expected), "{what}");
    }
    // Inside of the wrappers as well.
    let header = raw.header(true);
    raw.send(header, &client.introduced(&bomb(50))).await;
    assert_eq!(raw.result(header.msg_id).await.unwrap_err().text, "INPUT_REQUEST_INVALID");
    bystander.check(&server).await;
}

// ===== Requests =====

/// The published error of a request that anybody may make, sent as it is.
async fn check_request(raw: &mut Raw, what: &str, body: &[u8], expected: &str) {
    let header = raw.header(true);
    raw.send(header, body).await;
    let error = raw.result(header.msg_id).await.expect_err(what);
    assert_eq!((error.code, error.text.as_str()), (400, expected), "{what}");
}

#[tokio::test]
async fn requests_that_do_not_decode() {
    let server = TestServer::start().await;
    let bystander = Bystander::start(&server).await;
    let mut raw = server.raw().await;
    let client = server.client().await;
    let header = raw.header(true);
    raw.send(header, &client.introduced(&bytes(&api::help::GetConfig {}))).await;
    raw.result(header.msg_id).await.expect("introduced");

    let settings = api_types::CodeSettings::new();
    let send_code = bytes(&api::auth::SendCode::new("123", 1, "h", settings));
    let with = |at: usize, what: [u8; 4]| {
        let mut body = send_code.clone();
        body[at..at + 4].copy_from_slice(&what);
        body
    };
    let end = send_code.len();
    let unknown_settings = with(end - 8, [0x78, 0x56, 0x34, 0x12]);
    let raw = &mut raw;
    check_request(
        raw,
        "an unknown method",
        &[0x78, 0x56, 0x34, 0x12],
        "INPUT_METHOD_INVALID_305419896_230",
    )
    .await;
    let constructor = "INPUT_CONSTRUCTOR_INVALID_12345678";
    check_request(raw, "an unknown constructor", &unknown_settings, constructor).await;
    check_request(raw, "cut short", &send_code[..end - 4], "INPUT_FETCH_FAIL").await;
    let more = [send_code.clone(), vec![0; 4]].concat();
    check_request(raw, "more than there should be", &more, "INPUT_REQUEST_TOO_LONG").await;
    let not_text = with(4, [3, 0xff, 0xfe, 0xfd]);
    check_request(raw, "a text that is none", &not_text, "INPUT_FETCH_ERROR").await;
    let endless = with(4, [0xfe, 0xff, 0xff, 0xff]);
    check_request(raw, "a text beyond the end", &endless, "INPUT_FETCH_FAIL").await;
    bystander.check(&server).await;
}

/// Vectors that claim more than there is, and values in values without end.
#[tokio::test]
async fn requests_that_claim_too_much() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut claim = bytes(&api::messages::GetMessages::new(vec![]));
    let count_at = claim.len() - 4;
    claim[count_at..].copy_from_slice(&u32::MAX.to_le_bytes());
    let request = alice.queue_bytes(claim);
    assert_eq!(alice.answer(request).await.unwrap_err().text, "INPUT_FETCH_FAIL");
    // inputPeerUserFromMessage names a peer, which may be another one.
    let mut peer = bytes(&enums::InputPeer::InputPeerSelf);
    for _ in 0..10_000 {
        let mut outer = Vec::from(0xa87b_0a1c_u32.to_le_bytes());
        outer.extend_from_slice(&peer);
        outer.extend_from_slice(&[0; 12]);
        peer = outer;
    }
    let mut deep = Vec::from(<api::messages::GetPeerSettings as tl::Method>::ID.to_le_bytes());
    deep.extend_from_slice(&peer);
    let request = alice.queue_bytes(deep);
    assert_eq!(alice.answer(request).await.unwrap_err().text, "INPUT_FETCH_ERROR");
    alice.say(&enums::InputPeer::InputPeerSelf, "still here").await;
}

#[tokio::test]
async fn requests_out_of_order() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let raw = &mut raw;
    let query = bytes(&api::help::GetConfig {});
    check_request(raw, "before initConnection", &query, "CONNECTION_NOT_INITED").await;
    let layer = |layer| bytes(&api::InvokeWithLayer::new(layer, Inner(&query)));
    check_request(raw, "a layer alone", &layer(230), "CONNECTION_NOT_INITED").await;
    for too_old in [151, 0, -1, i32::MIN] {
        check_request(raw, "an old layer", &layer(too_old), "CONNECTION_LAYER_INVALID").await;
    }
    let takeout = bytes(&api::InvokeWithTakeout::new(1, Inner(&query)));
    check_request(raw, "a takeout", &takeout, "TAKEOUT_INVALID").await;
    // A layer newer than ours is ours.
    let options = Options { layer: 999, ..Options::default() };
    let mut client = server.client_with(options).await;
    client.call(&api::help::GetConfig {}).await.expect("it is spoken as far as we can");
    let refused = client.call(&api::updates::GetState {}).await.unwrap_err();
    assert_eq!((refused.code, refused.text.as_str()), (401, "AUTH_KEY_UNREGISTERED"));
    // Whoever is not logged in learns nothing of whether it decodes.
    let request =
        client.queue_bytes(Vec::from(<api::messages::GetDialogs as tl::Method>::ID.to_le_bytes()));
    assert_eq!(client.answer(request).await.unwrap_err().text, "AUTH_KEY_UNREGISTERED");
}

/// An access hash is good for the viewer that it was given to, and for the user that it names.
#[tokio::test]
async fn access_hashes_of_others_are_none() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let mut bob = server.person("Bob").await;
    let mut eve = server.person("Eve").await;
    let alices_for_bob = alice.access_hash(&bob).await;
    let eves_for_alice = eve.access_hash(&alice).await;
    let eves_for_bob = eve.access_hash(&bob).await;
    assert!(alices_for_bob != eves_for_bob);
    for hash in [alices_for_bob, eves_for_alice, 0, 1, !eves_for_bob] {
        let peer: enums::InputPeer = api_types::InputPeerUser::new(bob.id, hash).into();
        let user: enums::InputUser = api_types::InputUser::new(bob.id, hash).into();
        let random_id = eve.random_id();
        let send = api::messages::SendMessage::new(peer.clone(), "hello", random_id);
        assert_eq!(eve.refused(&send).await, "PEER_ID_INVALID");
        let history = api::messages::GetHistory::new(peer.clone(), 0, 0, 0, 10, 0, 0, 0);
        assert_eq!(eve.refused(&history).await, "PEER_ID_INVALID");
        assert_eq!(eve.refused(&api::contacts::Block::new(peer)).await, "PEER_ID_INVALID");
        let full = api::users::GetFullUser::new(user.clone());
        assert_eq!(eve.refused(&full).await, "USER_ID_INVALID");
        let users = api::users::GetUsers::new(vec![user.clone()]);
        assert_eq!(eve.refused(&users).await, "USER_ID_INVALID");
        let add = api::contacts::AddContact::new(user, "Bob", "", "");
        assert_eq!(eve.refused(&add).await, "USER_ID_INVALID");
    }
    // A message that one does not have shows nobody.
    let through: enums::InputUser =
        api_types::InputUserFromMessage::new(enums::InputPeer::InputPeerSelf, 1, bob.id).into();
    assert_eq!(eve.refused(&api::users::GetFullUser::new(through)).await, "USER_ID_INVALID");
    assert!(bob.history(&enums::InputPeer::InputPeerSelf).await.is_empty());
}

/// Whoever opens a connection and says nothing, or half of something, is not waited for.
#[tokio::test]
async fn connections_without_a_packet_are_closed() {
    let server = TestServer::start_with(|config| config.limits.first_packet_s = 1).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all(&[0xee, 0xee]).await.unwrap();
    for stream in [&mut silent, &mut slow] {
        let mut buffer = [0; 1];
        let read = tokio::io::AsyncReadExt::read(stream, &mut buffer);
        let ended = tokio::time::timeout(Duration::from_secs(20), read).await;
        assert!(matches!(ended, Ok(Ok(0) | Err(_))), "{ended:?}");
    }
    server.client().await.ping().await;
}
