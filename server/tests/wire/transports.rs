//! Every way to connect carries every kind of message; what is no way is refused.

use bytes::BytesMut;
use mtproto::transport::{ClientTransport, Framing, Init, Secret, Tag};
use server::config::{MtProxySecret, WebSocket};
use tl::api::functions;
use tl::mtproto::functions::Ping;
use tl::mtproto::types;
use tl::{Encode as _, Layer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::common::raw::Raw;
use crate::common::{Client, Connection, Heard, Options, TestServer, Wire, rng};

/// Makes a key over `wire` and talks under it, on as many connections as it takes to begin on a shard that is not the key's.
async fn check(server: &TestServer, wire: Wire) {
    let client = server.client_with(Options { wire: wire.clone(), ..Options::default() }).await;
    // Which shard accepts is the system's choice; of eight connections some land on either.
    for _ in 0..8 {
        let mut sibling = client.sibling().await;
        sibling.ping().await;
        let config = sibling.call(&functions::help::GetConfig {}).await.expect("it is for anybody");
        assert_eq!(config.this_dc, 2, "{wire:?}");
    }
    quick_ack(server, &wire, &client).await;
}

/// A packet that asks for it gets its token before its answer, where the transport has such a thing.
async fn quick_ack(server: &TestServer, wire: &Wire, client: &Client) {
    let connection = Connection::open(server.address, wire, rng()).await;
    let mut raw = Raw::new(connection, client.auth_key().clone(), client.first_salt());
    let header = raw.header(false);
    let packet = raw.seal(header, &Ping::new(7).to_vec(Layer::NEWEST));
    let opened = mtproto::envelope::open(
        client.auth_key(),
        crypto::Side::Client,
        BytesMut::from(&packet[..]),
    );
    let token = opened.expect("it is ours").quick_ack;
    raw.connection.send(&packet, true).await;
    if *wire != Wire::Plain(Framing::Full) {
        assert_eq!(raw.connection.hear().await, Heard::QuickAck(token), "{wire:?}");
    }
    let pong: types::Pong = raw.wait_for().await;
    assert_eq!((pong.msg_id, pong.ping_id), (header.msg_id, 7));
}

#[tokio::test]
async fn every_transport_carries_messages_and_quick_acks() {
    let server = TestServer::start().await;
    for wire in Wire::all() {
        check(&server, wire).await;
    }
}

#[tokio::test]
async fn websockets_may_have_a_port_of_their_own_or_none() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let own = taken.local_addr().unwrap();
    drop(taken);
    let server = TestServer::start_with(|config| config.websocket = WebSocket::Own(own)).await;
    let wire = Wire::WebSocket(Tag::Abridged);
    let options = Options { wire: wire.clone(), ..Options::default() };
    Client::connect(own, &server.key, options).await.ping().await;
    let mut elsewhere = Connection::open(server.address, &wire, rng()).await;
    elsewhere.send(&[0; 40], false).await;
    assert_eq!(elsewhere.hear().await, Heard::Closed, "no WebSocket on the other port");
}

#[tokio::test]
async fn secrets_of_an_mtproxy_are_understood() {
    let key = [7; 16];
    let secret = MtProxySecret { key, padded_only: false };
    let padded = MtProxySecret { key: [8; 16], padded_only: true };
    let server =
        TestServer::start_with(|config| config.mtproxy_secrets = vec![secret, padded]).await;
    let wires = [
        Wire::Proxied(Tag::Intermediate, Secret::Plain(key), 2),
        Wire::Proxied(Tag::Abridged, Secret::Plain(key), -1),
        Wire::Proxied(Tag::Padded, Secret::Padded([8; 16]), 4),
        Wire::Obfuscated(Tag::Intermediate),
    ];
    for wire in wires {
        let options = Options { wire, ..Options::default() };
        server.client_with(options).await.ping().await;
    }
}

/// The same first 64 bytes again are a recording.
#[tokio::test]
async fn an_obfuscated_stream_begins_once() {
    let server = TestServer::start().await;
    let init = || Init::new([9; 64]).unwrap();
    let transport = || ClientTransport::obfuscated(Tag::Intermediate, init(), None);
    let client = server.client().await;
    let ping = |raw: &mut Raw| {
        let header = raw.header(false);
        raw.seal(header, &Ping::new(1).to_vec(Layer::NEWEST))
    };
    let (key, salt) = (client.auth_key(), client.first_salt());
    let mut first =
        Raw::new(Connection::with(server.address, transport(), rng()).await, key.clone(), salt);
    let packet = ping(&mut first);
    first.connection.send(&packet, false).await;
    first.wait_for::<types::Pong>().await;
    let mut again = Connection::with(server.address, transport(), rng()).await;
    again.send(&packet, false).await;
    assert_eq!(again.hear().await, Heard::Closed, "without a word");
}

/// What a server says to those who speak HTTP, TLS or nothing at all.
#[tokio::test]
async fn other_protocols_are_told_so_or_closed() {
    let server = TestServer::start().await;
    let cases: [(&[u8], &[u8]); 4] = [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 404"),
        (b"POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd", b"HTTP/1.1 4"),
        (b"OPTIONS /apiws HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 4"),
        (&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0, 0, 0, 0, 0], b""),
    ];
    for (request, answer) in cases {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut said = Vec::new();
        // The rest of the request may lie unread, so that the end is a reset.
        let _ = stream.read_to_end(&mut said).await;
        assert!(said.starts_with(answer), "{:?}", String::from_utf8_lossy(&said));
        assert_eq!(said.is_empty(), answer.is_empty(), "{:?}", String::from_utf8_lossy(&said));
    }
    server.client().await.ping().await;
}

/// A server that stops finishes what was asked, and says goodbye.
#[tokio::test]
async fn a_stopping_server_answers_what_runs() {
    let server = TestServer::start().await;
    let mut alice = server.person("Alice").await;
    let request = alice.queue(&functions::updates::GetState {});
    alice.flush().await;
    let mut bystander = server
        .client_with(Options { wire: Wire::WebSocket(Tag::Padded), ..Options::default() })
        .await;
    bystander.ping().await;
    let (stopped, answer) = tokio::join!(tokio::spawn(server.stop()), alice.answer(request));
    stopped.unwrap();
    answer.expect("it was asked before");
    assert_eq!(alice.turn().await, Err(Heard::Closed));
    assert_eq!(bystander.turn().await, Err(Heard::Closed));
}
