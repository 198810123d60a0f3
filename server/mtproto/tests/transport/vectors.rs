//! Known answers: frames, errors and obfuscated streams as other implementations write them.
//!
//! `vectors/transports.json` was computed independently of this code; its obfuscation was compared with a released
//! client.

use std::sync::{Arc, LazyLock};

use crate::support::{Received, check, events, feed};
use bytes::BytesMut;
use mtproto::transport::{
    ClientTransport, Framing, HEADROOM, Incoming, Init, Noise, Secret, ServerConfig,
    ServerTransport, Tag,
};
use serde_json::Value;

static VECTORS: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../vectors/transports.json")).expect("the vectors are JSON")
});

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("hex")).expect("hex")
}

fn vector(name: &str) -> Vec<u8> {
    bytes(&VECTORS[name])
}

fn tag(framing: Framing) -> &'static [u8] {
    match framing {
        Framing::Abridged => &[0xef],
        Framing::Intermediate => &[0xee; 4],
        Framing::Padded => &[0xdd; 4],
        Framing::Full => &[],
    }
}

/// The client writes `frames` for these packets, and the server reads them from there.
#[track_caller]
fn check_frames(framing: Framing, frames: &[&[u8]], packets: &[(&[u8], bool)]) {
    let mut client = ClientTransport::plain(framing);
    let mut out = BytesMut::new();
    for (payload, quick_ack) in packets {
        client.encode_packet(payload, *quick_ack, &Noise::default(), &mut out);
    }
    let stream = [tag(framing), &frames.concat()].concat();
    assert_eq!(out, stream, "{framing:?}");
    check(&ServerConfig::default(), &stream, &Received::packets(packets));
}

#[test]
fn frames() {
    let payload = &vector("payload40")[..];
    let both = [(payload, false), (payload, true)];
    let (plain, asking) = (vector("abridged_40"), vector("abridged_40_quickack"));
    check_frames(Framing::Abridged, &[&plain, &asking], &both);
    let (plain, asking) = (vector("intermediate_40"), vector("intermediate_40_quickack_head"));
    check_frames(Framing::Intermediate, &[&plain, &asking, payload], &both);
    let (first, second) = (vector("full_40_seq0"), vector("full_40_seq1"));
    check_frames(Framing::Full, &[&first, &second], &[(payload, false), (payload, false)]);
}

#[test]
fn heads() {
    #[track_caller]
    fn check_head(framing: Framing, len: usize, noise: Noise, name: &str) {
        let mut client = ClientTransport::plain(framing);
        let mut out = BytesMut::new();
        client.encode_packet(&vec![1; len], false, &noise, &mut out);
        let head = vector(name);
        assert_eq!(out[tag(framing).len()..][..head.len()], head, "{name}");
    }
    check_head(Framing::Abridged, 504, Noise::default(), "abridged_504_head");
    check_head(Framing::Abridged, 508, Noise::default(), "abridged_508_head");
    check_head(Framing::Padded, 40, Noise([7; 16]), "padded_40_pad7_head");
}

/// A server that has received one packet in this framing.
fn opened(framing: Framing) -> ServerTransport {
    let mut server = ServerTransport::new(Arc::default());
    let mut out = BytesMut::new();
    let mut client = ClientTransport::plain(framing);
    client.encode_packet(&[1; 24], false, &Noise::default(), &mut out);
    assert_eq!(feed(&mut server, [&out[..]]).packets.len(), 1);
    server
}

#[test]
fn errors() {
    #[track_caller]
    fn check_error(framing: Framing, code: i32, expected: &[u8]) {
        let mut out = BytesMut::new();
        opened(framing).encode_error(code, &mut out);
        assert_eq!(out, expected, "{framing:?} {code}");
        let mut client = ClientTransport::plain(framing);
        assert_eq!(events(&mut client, &out), Ok(vec![Incoming::Error(code)]));
    }
    check_error(Framing::Abridged, -404, &vector("error_404_abridged"));
    check_error(Framing::Intermediate, -404, &vector("error_404_intermediate"));
    check_error(Framing::Padded, -404, &vector("error_404_intermediate"));
    check_error(Framing::Full, -404, &vector("error_404_full_seq0"));
    check_error(
        Framing::Intermediate,
        -429,
        &[&[4, 0, 0, 0], &vector("error_429_word")[..]].concat(),
    );
    check_error(
        Framing::Intermediate,
        -444,
        &[&[4, 0, 0, 0], &vector("error_444_word")[..]].concat(),
    );
}

#[test]
fn quick_acks() {
    #[track_caller]
    fn check_ack(framing: Framing, expected: &[u8]) {
        // The token of the vectors' session: 40 a4 9f e0 in order of the hash.
        let token = u32::from_le_bytes([0x40, 0xa4, 0x9f, 0xe0]);
        let mut out = BytesMut::new();
        opened(framing).encode_quick_ack(token, &Noise([2; 16]), &mut out);
        assert_eq!(out, expected, "{framing:?}");
        let acks = if expected.is_empty() { vec![] } else { vec![Incoming::QuickAck(token)] };
        assert_eq!(events(&mut ClientTransport::plain(framing), &out), Ok(acks));
    }
    check_ack(Framing::Abridged, &[0xe0, 0x9f, 0xa4, 0x40]);
    check_ack(Framing::Intermediate, &[0x40, 0xa4, 0x9f, 0xe0]);
    let padded = [[10, 0, 0, 0], [0xff; 4], [0x40, 0xa4, 0x9f, 0xe0]].concat();
    check_ack(Framing::Padded, &[&padded[..], &[2, 2]].concat());
    check_ack(Framing::Full, &[]);
}

/// One obfuscated connection: both directions, and the DC that the server learns.
#[track_caller]
fn check_obfuscated(name: &str, tag: Tag) {
    let vector = &VECTORS[name];
    let secret =
        vector["secret"].as_str().map(|secret| secret.parse::<Secret>().expect("a secret"));
    let dc = vector["dc"].as_i64().map(|dc| i16::try_from(dc).expect("a DC"));
    let target = secret.clone().zip(dc);
    let payload = bytes(&VECTORS["payload40"]);

    let init = Init::new(bytes(&vector["init_plain"]).try_into().expect("64 bytes"));
    let mut client = ClientTransport::obfuscated(tag, init.expect("an init"), target.as_ref());
    let mut sent = BytesMut::new();
    client.encode_packet(&payload, false, &Noise::default(), &mut sent);
    let (init, frame) = sent.split_at(64);
    assert_eq!(init, bytes(&vector["first_64_bytes_on_wire"]), "{name}");
    assert_eq!(frame, bytes(&vector["c2s_first_frame_on_wire"]), "{name}");

    let config = ServerConfig {
        secrets: secret.into_iter().collect(),
        secrets_only: dc.is_some(),
        ..ServerConfig::default()
    };
    check(&config, &sent, &Received::packets(&[(&payload, false)]));
    let mut server = ServerTransport::new(Arc::new(config));
    feed(&mut server, [&sent[..]]);
    assert_eq!(server.dc_id(), dc, "{name}");
    assert!(server.take_init().is_some() && server.take_init().is_none());

    let answer: Vec<u8> = payload.iter().rev().copied().collect();
    let mut out = BytesMut::from(&[&[0; HEADROOM][..], &answer].concat()[..]);
    server.encode_in_place(&mut out, &Noise::default());
    assert_eq!(out, bytes(&vector["s2c_first_frame_on_wire"]), "{name}");
    assert_eq!(events(&mut client, &out), Ok(vec![Incoming::Packet(BytesMut::from(&answer[..]))]));
}

#[test]
fn obfuscated() {
    check_obfuscated("obf_abridged", Tag::Abridged);
    check_obfuscated("obf_intermediate", Tag::Intermediate);
    check_obfuscated("obf_padded_secret_dc2", Tag::Padded);
    check_obfuscated("obf_padded_secret_media_dc4_test", Tag::Padded);
}
