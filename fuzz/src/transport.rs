//! Bodies of `transport` and `websocket`: the server gives packets or an error, and neither depends on where the stream
//! was cut.
//!
//! ```text
//! transport   | opening (1) | cuts (1) | anything |      opening: see `connection`, what comes before `anything`
//! websocket   | opening (1) | cuts (1) | anything |      opening % 2: before or after the init
//! ```
//!
//! The stream is fed whole, in pieces whose lengths follow from `cuts`, and, as long as it is short, in two parts cut at each
//! byte.

use std::sync::Arc;

use bytes::BytesMut;
use mtproto::transport::{
    ClientTransport, Error, Framing, HEADROOM, Incoming, Init, Noise, Secret, ServerConfig,
    ServerTransport, Tag, WebSocketRequest,
};

/// Longest stream that is cut at each byte.
const CUT_LEN_MAX: usize = 32;

/// Longest answer to an upgrade, error page or close frame that a server writes by itself, in bytes.
const ANSWER_LEN_MAX: usize = 512;

/// Any bytes as a connection, or after the opening of an obfuscated one, which no fuzzer finds by itself.
pub fn connection(data: &[u8]) {
    let Some((&[opening, cuts], rest)) = data.split_first_chunk::<2>() else { return };
    let opening = match opening % 8 {
        0..=4 => BytesMut::new(),
        n => obfuscated(Tag::ALL[usize::from(n) - 5], opening & 8 != 0),
    };
    check(&opening, rest, cuts);
    answers(rest, cuts.into());
}

/// Any bytes after an upgrade.
pub fn websocket(data: &[u8]) {
    let Some((&[opening, cuts], rest)) = data.split_first_chunk::<2>() else { return };
    let request = WebSocketRequest { host: "localhost", path: "/apiws", key: [1; 16] };
    let init = Init::new([0x42; 64]).expect("it looks like nothing else");
    let mut client =
        ClientTransport::websocket(&request, Tag::Abridged, init, None, &Noise::default());
    let opened = client.poll_output().expect("a request and a frame");
    let end = opened.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("an empty line") + 4;
    let opening = if opening % 2 == 0 { &opened[..] } else { &opened[..end] };
    check(opening, rest, cuts);
}

fn config() -> Arc<ServerConfig> {
    let secrets = vec![Secret::Plain([5; 16])];
    Arc::new(ServerConfig { secrets, ..ServerConfig::default() })
}

/// The 64 bytes of an obfuscated connection, with or without a secret.
fn obfuscated(tag: Tag, with_secret: bool) -> BytesMut {
    let init = Init::new([0x42; 64]).expect("it looks like nothing else");
    let target = with_secret.then_some((Secret::Plain([5; 16]), 2));
    let mut client = ClientTransport::obfuscated(tag, init, target.as_ref());
    BytesMut::from(&client.poll_output().expect("64 bytes")[..])
}

/// What came out of a connection.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    packets: Vec<(Vec<u8>, bool)>,
    error: Option<Error>,
    output: Vec<u8>,
}

/// `opening` and `rest` come to the same however they are cut; its size is bounded by theirs.
fn check(opening: &[u8], rest: &[u8], cuts: u8) {
    let stream = [opening, rest].concat();
    let whole = feed(&[&stream]);
    assert_eq!(feed(&pieces(&stream, cuts)), whole);
    for at in opening.len()..stream.len().min(opening.len() + CUT_LEN_MAX) {
        let (before, after) = stream.split_at(at);
        assert_eq!(feed(&[before, after]), whole, "cut at {at}");
    }
    let len: usize = whole.packets.iter().map(|(payload, _)| payload.len() + 1).sum();
    assert!(len <= stream.len(), "{len} bytes of packets out of {}", stream.len());
    assert!(whole.output.len() <= stream.len() + ANSWER_LEN_MAX);
}

/// Pieces of one length, or of lengths that seem to be without order.
fn pieces(mut stream: &[u8], cuts: u8) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut state = u32::from(cuts);
    while !stream.is_empty() {
        let len = if cuts.is_multiple_of(2) {
            usize::from(cuts / 2)
        } else {
            (state >> 24) as usize % 32
        };
        let (piece, rest) = stream.split_at(len.clamp(1, stream.len()));
        pieces.push(piece);
        stream = rest;
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    }
    pieces
}

fn feed(pieces: &[&[u8]]) -> Outcome {
    let (mut server, mut input) = (ServerTransport::new(config()), BytesMut::new());
    let mut outcome = Outcome::default();
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match server.next_packet(&mut input) {
                Ok(Some(packet)) => {
                    assert!(packet.payload.len() >= 4);
                    outcome.packets.push((packet.payload.to_vec(), packet.quick_ack));
                    // Whoever was understood can be answered, in either way.
                    let mut copied = BytesMut::new();
                    server.encode_packet(
                        &[1; 24],
                        &Noise([outcome.packets.len() as u8; 16]),
                        &mut copied,
                    );
                    let mut placed = BytesMut::from(&[1; HEADROOM + 24][..]);
                    server.encode_in_place(&mut placed, &Noise([outcome.packets.len() as u8; 16]));
                    let written = server.poll_output().map_or(0, |output| output.len());
                    assert!(written == 0 && copied.len() > 24 && placed.len() > 24);
                    // What `encode_packet` put in front of itself is output as well.
                    let own = copied.len() - placed.len();
                    outcome.output.extend_from_slice(&copied[..own]);
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(server.next_packet(&mut input), Err(error), "an error is final");
                    outcome.error = Some(error);
                    break;
                }
            }
        }
        if let Some(output) = server.poll_output() {
            outcome.output.extend_from_slice(&output);
        }
        if outcome.error.is_some() {
            break;
        }
    }
    outcome
}

/// The same bytes as what a server says: a client gives events or an error.
fn answers(stream: &[u8], n: usize) {
    let framings = [Framing::Abridged, Framing::Intermediate, Framing::Padded, Framing::Full];
    let mut client = ClientTransport::plain(framings[n % framings.len()]);
    let (mut input, mut count) = (BytesMut::from(stream), 0);
    while let Ok(Some(event)) = client.next_event(&mut input) {
        count += match event {
            Incoming::Packet(payload) => payload.len(),
            Incoming::QuickAck(_) | Incoming::Error(_) => 4,
        };
    }
    assert!(count <= stream.len());
}
