//! What comes at once: large packets, which are opened and sealed together, packets in pieces, and more than a busy shard takes.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use crypto::Side;
use mtproto::envelope;
use server::limits::{
    ANSWERS_LEN_MAX, LARGE_PACKET_LEN, OPENED_TOGETHER_COUNT, PARTIAL_LEN_MAX,
    REQUESTS_READ_BUSY_MAX, REQUESTS_RUNNING_BUSY_MAX, SEALED_TOGETHER_COUNT, SHARD_BUSY_COUNT,
};
use tl::api::enums::InputFileLocation as Location;
use tl::api::{functions as api, types as api_types};
use tl::mtproto::{functions, types};
use tl::{Decode as _, Encode, Layer};

use super::upload::{bytes, fetch, location, make, send};
use crate::common::client::unpacked;
use crate::common::raw::{Raw, Received, container};
use crate::common::{Heard, Person, RpcError, TestServer};

fn encoded(value: &impl Encode) -> Vec<u8> {
    value.to_vec(Layer::NEWEST)
}

/// A session of a person's key, on a connection of its own.
async fn session_of(server: &TestServer, person: &Person) -> Raw {
    Raw::new(server.connection().await, person.auth_key().clone(), person.first_salt())
}

/// Packets for one write, each of which asks for a quick ack.
#[derive(Default)]
struct Burst {
    stream: BytesMut,
    tokens: Vec<u32>,
}

impl Burst {
    /// Adds a packet; the identifier of its message.
    fn add(&mut self, raw: &mut Raw, body: &[u8]) -> i64 {
        let header = raw.header(true);
        let packet = raw.seal(header, body);
        let opened = envelope::open(&raw.auth_key, Side::Client, BytesMut::from(&packet[..]));
        self.tokens.push(opened.expect("it is ours").quick_ack);
        self.stream.extend_from_slice(&raw.connection.encode(&packet, true));
        header.msg_id
    }
}

/// What a connection hears until all of `requests` are answered and a `ping` behind them is: the quick acks in their order,
/// and the answers, each of which comes once.
async fn hear_all(raw: &mut Raw, requests: &[i64]) -> (Vec<u32>, HashMap<i64, Bytes>) {
    let (mut tokens, mut answers) = (Vec::new(), HashMap::new());
    let mut ping = None;
    loop {
        if answers.len() == requests.len() && ping.is_none() {
            ping = Some(raw.request(&functions::Ping::new(-1)).await);
        }
        match raw.hear().await {
            Ok(Received { body, .. }) => {
                if let Ok(pong) = types::Pong::from_bytes(&body)
                    && Some(pong.msg_id) == ping
                {
                    return (tokens, answers);
                }
                let Ok(result) = types::RpcResult::from_bytes(&body) else { continue };
                assert!(requests.contains(&result.req_msg_id), "nobody asked");
                let answer = unpacked(body.slice_ref(result.result.0));
                let answer = RpcError::check(answer).expect("it is served");
                assert!(answers.insert(result.req_msg_id, answer).is_none(), "answered twice");
            }
            Err(Heard::QuickAck(token)) => tokens.push(token),
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Two devices, with different keys.
async fn devices(server: &TestServer) -> [Person; 2] {
    let first = server.person("Ada").await;
    let second = server.device_of(&first).await;
    [first, second]
}

/// `OPENED_TOGETHER_COUNT`, `LARGE_PACKET_LEN`: of any number of large packets that come at once each is opened under the key
/// of its connection, and the packets of a connection are taken in the order they came, small ones behind large ones too.
#[tokio::test]
async fn large_packets_are_opened_together_and_in_order() {
    const PART_LEN: usize = 2 * LARGE_PACKET_LEN;
    let server = TestServer::start_with(|config| config.shards = 1).await;
    let mut devices = devices(&server).await;
    // The first alone waits for nobody.
    for count in
        [1, OPENED_TOGETHER_COUNT - 1, OPENED_TOGETHER_COUNT, 2 * OPENED_TOGETHER_COUNT + 1]
    {
        let content = bytes(2 * count * PART_LEN, count as u32);
        let file_id = devices[0].random_id();
        let mut parts = (0..).zip(content.chunks(PART_LEN));
        let mut part = || {
            let (part, bytes) = parts.next().expect("two for each connection");
            encoded(&api::upload::SaveBigFilePart::new(file_id, part, 2 * count as i32, bytes))
        };
        let mut bursts = Vec::new();
        for number in 0..count {
            let mut raw = session_of(&server, &devices[number % 2]).await;
            let mut burst = Burst::default();
            let nearest = encoded(&api::help::GetNearestDc {});
            let mut requests = Vec::new();
            for body in [&part(), &nearest, &nearest, &part(), &nearest] {
                requests.push(burst.add(&mut raw, body));
            }
            bursts.push((raw, burst, requests));
        }
        for (raw, burst, _) in &mut bursts {
            raw.connection.send_bytes(&burst.stream).await;
        }
        for (raw, burst, requests) in &mut bursts {
            let (tokens, _) = hear_all(raw, requests).await;
            assert_eq!(tokens, burst.tokens, "{count} connections: taken in another order");
        }
        let file = api_types::InputFileBig::new(file_id, 2 * count as i32, "x").into();
        let document = make(&mut devices[0], file).await.expect("it is complete");
        assert!(fetch(&mut devices[1], &location(&document), PART_LEN).await == content);
    }
}

/// `SEALED_TOGETHER_COUNT`, `LARGE_PACKET_LEN`: of any number of large answers each comes once, to whom it is for, as it is; a
/// lone one as well.
#[tokio::test]
async fn large_answers_are_sealed_together() {
    const COUNT_MAX: usize = 2 * SEALED_TOGETHER_COUNT + 1;
    const LEN_MAX: usize = 2 * LARGE_PACKET_LEN;
    let server = TestServer::start_with(|config| config.shards = 1).await;
    let mut devices = devices(&server).await;
    let content = bytes(2 * COUNT_MAX * LEN_MAX, 9);
    let file = send(&mut devices[0], &content, LEN_MAX).await;
    let place = location(&make(&mut devices[0], file).await.expect("it is complete"));
    let lens = [LARGE_PACKET_LEN / 2, LARGE_PACKET_LEN, LEN_MAX];
    for count in [1, SEALED_TOGETHER_COUNT - 1, SEALED_TOGETHER_COUNT, COUNT_MAX] {
        let mut bursts = Vec::new();
        for number in 0..count {
            let mut raw = session_of(&server, &devices[number % 2]).await;
            let mut burst = Burst::default();
            let mut requests = Vec::new();
            for (at, len) in lens.into_iter().cycle().skip(number).take(2).enumerate() {
                // No two ask for the same bytes.
                let offset = (2 * number + at) * LEN_MAX;
                let get = api::upload::GetFile::new(place.clone(), offset as i64, len as i32);
                requests.push((burst.add(&mut raw, &encoded(&get)), offset, len));
            }
            bursts.push((raw, burst, requests));
        }
        for (raw, burst, _) in &mut bursts {
            raw.connection.send_bytes(&burst.stream).await;
        }
        for (raw, _, requests) in &mut bursts {
            let asked: Vec<_> = requests.iter().map(|(msg_id, ..)| *msg_id).collect();
            let (_, answers) = hear_all(raw, &asked).await;
            for (msg_id, offset, len) in requests {
                // Constructor, kind, date, length.
                assert!(answers[msg_id][16..] == content[*offset..*offset + *len], "{offset}");
            }
        }
    }
}

/// `PARTIAL_LEN_MAX`: a packet that comes in two pieces is the same packet, wherever it was cut.
#[tokio::test]
async fn packets_come_in_pieces() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let most = PARTIAL_LEN_MAX;
    for cut in [1, 4, 5, 28, most - 1, most, most + 1, 2 * most] {
        // What stands before the cut was read when its answer is here.
        let mut stream = BytesMut::new();
        let first = raw.header(true);
        let packet = raw.seal(first, &encoded(&functions::Ping::new(1)));
        stream.extend_from_slice(&raw.connection.encode(&packet, false));
        let start = stream.len();
        let pings: Vec<_> = (0..3 * most / 28)
            .map(|number| {
                let ping = functions::Ping::new(number as i64);
                (raw.msg_id(), raw.seq_no(true), encoded(&ping))
            })
            .collect();
        let header = raw.header(false);
        let packet = raw.seal(header, &container(&pings));
        stream.extend_from_slice(&raw.connection.encode(&packet, false));
        let (before, after) = stream.split_at(start + cut);
        raw.connection.send_bytes(before).await;
        assert_eq!(raw.wait_for::<types::Pong>().await.msg_id, first.msg_id);
        raw.connection.send_bytes(after).await;
        for (number, (msg_id, ..)) in pings.iter().enumerate() {
            let pong: types::Pong = raw.wait_for().await;
            assert_eq!((pong.msg_id, pong.ping_id), (*msg_id, number as i64), "cut at {cut}");
        }
    }
}

/// How many of `messages` of `raw` were told to wait; the others were served.
async fn refused(raw: &mut Raw, messages: &[i64]) -> usize {
    let mut refused = 0;
    for _ in messages {
        let body = raw
            .wait(|message| {
                let result = types::RpcResult::from_bytes(&message.body).ok()?;
                let ours = messages.contains(&result.req_msg_id);
                ours.then(|| unpacked(message.body.slice_ref(result.result.0)))
            })
            .await;
        if let Err(error) = RpcError::check(body) {
            assert_eq!((error.code, error.text.as_str()), (420, "FLOOD_WAIT_1"));
            refused += 1;
        }
    }
    refused
}

/// Asks for so much at once in one container; how many requests were told to wait.
async fn ask_at_once(raw: &mut Raw, count: usize) -> usize {
    let nearest = encoded(&api::help::GetNearestDc {});
    let messages: Vec<_> =
        (0..count).map(|_| (raw.msg_id(), raw.seq_no(true), nearest.clone())).collect();
    let header = raw.header(false);
    raw.send(header, &container(&messages)).await;
    let messages: Vec<_> = messages.iter().map(|(msg_id, ..)| *msg_id).collect();
    refused(raw, &messages).await
}

/// A connection on which far more was asked for than it carries: nobody reads the answers, and the requests wait for room until
/// it ends.
async fn greedy(server: &TestServer, person: &Person, place: &Location<'static>) -> Raw {
    const LEN: usize = 128 * 1024;
    // Few are answered: as much as the server promises at once, and what the system's buffers take.
    const COUNT: usize = SHARD_BUSY_COUNT / 2;
    const { assert!(COUNT * LEN > 8 * ANSWERS_LEN_MAX) };
    let get = encoded(&api::upload::GetFile::new(place.clone(), 0, LEN as i32));
    let mut raw = session_of(server, person).await;
    socket2::SockRef::from(raw.connection.stream()).set_recv_buffer_size(16 * 1024).unwrap();
    let messages: Vec<_> =
        (0..COUNT).map(|_| (raw.msg_id(), raw.seq_no(true), get.clone())).collect();
    let header = raw.header(false);
    raw.send(header, &container(&messages)).await;
    raw
}

/// `SHARD_BUSY_COUNT`, `REQUESTS_RUNNING_BUSY_MAX`, `REQUESTS_READ_BUSY_MAX`: on a busy shard a session has its share, and what
/// is beyond is told to wait; of a connection that has its share nothing more is read, so that nothing of it is refused.
#[tokio::test]
async fn a_busy_shard_gives_everybody_a_share() {
    const BEYOND: usize = 8;
    const COUNT: usize = REQUESTS_RUNNING_BUSY_MAX + BEYOND;
    let server = TestServer::start_with(|config| config.shards = 1).await;
    let mut ada = server.person("Ada").await;
    let file = send(&mut ada, &bytes(512 * 1024, 1), 512 * 1024).await;
    let place = location(&make(&mut ada, file).await.expect("it is complete"));
    let bob = server.person("Bob").await;
    let mut raw = session_of(&server, &bob).await;
    assert_eq!(ask_at_once(&mut raw, COUNT).await, 0, "it is not busy yet");

    let nearest = encoded(&api::help::GetNearestDc {});
    let mut connections = Vec::new();
    loop {
        let refused = ask_at_once(&mut raw, COUNT).await;
        assert!(refused <= BEYOND, "{refused} of {COUNT}");
        if refused < BEYOND {
            // What was asked for before may not be read yet, or be answered already.
            connections.push(greedy(&server, &ada, &place).await);
            assert!(connections.len() < 32, "it is never busy");
            continue;
        }
        // As many, but in packets of their own and one write.
        let mut burst = Burst::default();
        let asked: Vec<_> =
            (0..COUNT + REQUESTS_READ_BUSY_MAX).map(|_| burst.add(&mut raw, &nearest)).collect();
        raw.connection.send_bytes(&burst.stream).await;
        let (tokens, _) = hear_all(&mut raw, &asked).await;
        assert_eq!(tokens, burst.tokens);
        if ask_at_once(&mut raw, COUNT).await == BEYOND {
            // It was busy all the time.
            break;
        }
    }
    drop(connections);
    while ask_at_once(&mut raw, COUNT).await > 0 {}
}
