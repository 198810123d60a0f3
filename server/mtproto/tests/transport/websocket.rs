//! WebSockets: the upgrade, the frames a client may send, and those it may not.

use std::sync::Arc;

use crate::support::{Received, Way, check, events, feed, payload};
use bytes::BytesMut;
use mtproto::limits::{HTTP_HEAD_LEN_MAX, WEBSOCKET_FRAME_LEN_MAX};
use mtproto::transport::{
    ClientTransport, Error, Init, Noise, ServerConfig, ServerTransport, Tag, Violation,
};

const REQUEST: &str = "GET /apiws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n\r\n";

const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Protocol: binary\r\n\r\n";

/// A close frame with status 1000.
const CLOSE: [u8; 4] = [0x88, 2, 0x03, 0xe8];

/// A masked frame with the length in its shortest form.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x12, 0x34, 0x56, 0x78];
    let len = match u16::try_from(payload.len()) {
        Ok(len @ 0..126) => vec![0x80 | len.to_le_bytes()[0]],
        Ok(len) => [&[0xfe][..], &len.to_be_bytes()].concat(),
        Err(_) => [&[0xff][..], &payload.len().to_be_bytes()].concat(),
    };
    let masked = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    [&[first], &len[..], &mask, &masked.collect::<Vec<_>>()].concat()
}

/// The obfuscated stream of three packets.
fn stream() -> Vec<u8> {
    let init = Init::new([0x42; 64]).unwrap();
    let mut client = ClientTransport::obfuscated(Tag::Intermediate, init, None);
    let mut out = BytesMut::new();
    for len in [40, 24, 200] {
        client.encode_packet(&payload(len), false, &Noise::default(), &mut out);
    }
    out.to_vec()
}

fn received(output: &[u8]) -> Received {
    let packets = [40, 24, 200].map(|len| (payload(len), false)).to_vec();
    let output = [SWITCHING.as_bytes(), output].concat();
    Received { packets, output, error: None }
}

/// Frames after an upgrade: the packets of [`stream`], and `output` after the answer to the upgrade.
#[track_caller]
fn check_frames(frames: &[Vec<u8>], output: &[u8]) {
    let whole = [REQUEST.as_bytes(), &frames.concat()].concat();
    check(&ServerConfig::default(), &whole, &received(output));
}

#[test]
fn one_frame() {
    check_frames(&[frame(0x82, &stream())], &[]);
}

#[test]
fn frames_cut_anywhere() {
    let stream = stream();
    for len in [1, 3, 63, 64, 65, 125, 126, 127] {
        let frames: Vec<_> = stream.chunks(len).map(|part| frame(0x82, part)).collect();
        let whole = [REQUEST.as_bytes(), &frames.concat()].concat();
        let mut server = ServerTransport::new(Arc::default());
        assert_eq!(feed(&mut server, [&whole[..]]), received(&[]), "frames of {len}");
    }
}

#[test]
fn fragments_pings_and_empty_frames() {
    let (head, tail) = (&stream()[..10], &stream()[10..]);
    let frames = [
        frame(0x82, &[]),
        frame(0x02, head),
        frame(0x89, b"are you there"),
        frame(0x00, &[]),
        frame(0x8a, b"unasked pong"),
        frame(0x80, &tail[..100]),
        frame(0x82, &tail[100..]),
        frame(0x89, &[]),
    ];
    let pongs = [&[0x8a, 13][..], b"are you there", &[0x8a, 0]].concat();
    check_frames(&frames, &pongs);
}

/// After the packets of [`stream`], `frame` ends the connection; `error` says why, and a close frame is sent.
#[track_caller]
fn check_refused(frame_bytes: &[u8], error: Error) {
    let whole = [REQUEST.as_bytes(), &frame(0x82, &stream()), frame_bytes].concat();
    let expected = Received { error: Some(error), ..received(&CLOSE) };
    check(&ServerConfig::default(), &whole, &expected);
}

#[test]
fn closing() {
    check_refused(&frame(0x88, &[0x03, 0xe8]), Error::Closed);
    check_refused(&frame(0x88, &[]), Error::Closed);
    check_refused(&frame(0x88, b"\x03\xe9going away"), Error::Closed);
}

#[test]
fn violations() {
    let check = |bytes: &[u8], violation| check_refused(bytes, Error::WebSocket(violation));
    check(&[0x82, 1, 0], Violation::Masking);
    check(&frame(0xc2, &[1]), Violation::Reserved);
    check(&frame(0x92, &[1]), Violation::Reserved);
    check(&frame(0x81, b"text"), Violation::Opcode { opcode: 1 });
    check(&frame(0x83, &[]), Violation::Opcode { opcode: 3 });
    check(&frame(0x8f, &[]), Violation::Opcode { opcode: 15 });
    check(&frame(0x09, &[]), Violation::Control);
    check(&frame(0x89, &[0; 126]), Violation::Control);
    check(&frame(0x80, &[1]), Violation::Fragment);
    check(&[frame(0x02, &[]), frame(0x82, &[])].concat(), Violation::Fragment);
    // Lengths not in their shortest form, and beyond the bound.
    check(&[0x82, 0xfe, 0, 125], Violation::Length);
    check(&[&[0x82, 0xff][..], &0xffff_u64.to_be_bytes()].concat(), Violation::Length);
    let len = u64::try_from(WEBSOCKET_FRAME_LEN_MAX).unwrap() + 1;
    check(&[&[0x82, 0xff][..], &len.to_be_bytes()].concat(), Violation::Length);
    check(&[&[0x82, 0xff][..], &u64::MAX.to_be_bytes()].concat(), Violation::Length);
}

/// What is inside must be obfuscated: other transports are taken for an init, and open to nothing.
#[test]
fn obfuscation_is_mandatory() {
    let whole = [REQUEST.as_bytes(), &frame(0x82, &[0xee; 100])].concat();
    let output = SWITCHING.as_bytes().to_vec();
    let expected = Received { error: Some(Error::UnknownTag), output, ..Received::default() };
    check(&ServerConfig::default(), &whole, &expected);
}

#[track_caller]
fn check_http(request: &str, status: u16) {
    let mut server = ServerTransport::new(Arc::default());
    let whole = feed(&mut server, [request.as_bytes()]);
    assert_eq!(whole.error, Some(Error::Http { status }), "{request}");
    let answer = str::from_utf8(&whole.output).unwrap();
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert!(answer.contains("close\r\n") && answer.len() < 300, "{answer}");
    let mut server = ServerTransport::new(Arc::default());
    assert_eq!(feed(&mut server, request.as_bytes().chunks(1)), whole);
}

#[test]
fn http() {
    check_http("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 404);
    check_http("GET /apiws HTTP/1.1\r\nHost: x\r\n\r\n", 426);
    check_http("POST /api HTTP/1.1\r\nContent-Length: 40\r\n\r\n", 404);
    check_http("POST /apiws HTTP/1.1\r\n\r\n", 405);
    check_http("HEAD /apiws HTTP/1.1\r\n\r\n", 405);
    check_http("OPTIONS /apiws HTTP/1.1\r\nOrigin: https://x\r\n\r\n", 405);
    check_http("OPTIONS * HTTP/1.1\r\n\r\n", 404);
    check_http("GET garbage\r\n\r\n", 400);
    check_http("GET \u{1f41f} HTTP/1.1 \r\n\r\n", 400);
    check_http(&format!("GET / HTTP/1.1\r\nCookie: {}", "x".repeat(HTTP_HEAD_LEN_MAX)), 431);
    // Up to the bound a head may come; it is not answered before it is complete.
    let mut server = ServerTransport::new(Arc::default());
    let long = format!("GET / HTTP/1.1\r\nCookie: {}", "x".repeat(HTTP_HEAD_LEN_MAX - 50));
    assert_eq!(feed(&mut server, [long.as_bytes()]), Received::default());
}

#[test]
fn websockets_can_be_switched_off() {
    let config = ServerConfig { websockets: false, ..ServerConfig::default() };
    let mut server = ServerTransport::new(Arc::new(config));
    let received = feed(&mut server, [REQUEST.as_bytes()]);
    assert_eq!(received.error, Some(Error::Http { status: 404 }));
}

/// Clients read frames of servers as strictly: an answer to the upgrade that fits, no masks.
#[test]
fn clients_check_servers() {
    #[track_caller]
    fn check_client(answer: &[u8], expected: Error) {
        let mut client = Way::WebSocket(Tag::Abridged).client();
        assert_eq!(events(&mut client, answer), Err(expected));
    }
    check_client(b"HTTP/1.1 404 Not Found\r\n\r\n", Error::BadUpgrade);
    check_client(SWITCHING.as_bytes(), Error::BadUpgrade);
    let mut client = Way::WebSocket(Tag::Abridged).client();
    let mut server = ServerTransport::new(Arc::default());
    let answer = feed(&mut server, [&client.poll_output().unwrap()[..]]).output;
    let masked = [&answer[..], &frame(0x82, &[1])].concat();
    assert_eq!(events(&mut client, &masked), Err(Error::WebSocket(Violation::Masking)),);
}

#[test]
fn servers_close() {
    let mut server = ServerTransport::new(Arc::default());
    let whole = [REQUEST.as_bytes(), &frame(0x82, &stream())].concat();
    feed(&mut server, [&whole[..]]);
    let mut out = BytesMut::new();
    server.encode_close(&mut out);
    assert_eq!(out, &CLOSE[..]);
}
