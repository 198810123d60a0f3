//! Streams that are no MTProto, and streams that break the rules of their transport.

use std::sync::Arc;

use crate::support::{Received, check, feed, noise, payload};
use bytes::BytesMut;
use mtproto::limits::PACKET_LEN_MAX;
use mtproto::transport::{
    ClientTransport, Error, Framing, Init, Secret, ServerConfig, ServerTransport, Tag,
};

#[track_caller]
fn check_error(parts: &[&[u8]], error: Error) {
    let expected = Received { error: Some(error), ..Received::default() };
    check(&ServerConfig::default(), &parts.concat(), &expected);
}

#[track_caller]
fn check_len(parts: &[&[u8]], len: usize) {
    check_error(parts, Error::BadLength { len });
}

#[test]
fn lengths() {
    let max = u32::try_from(PACKET_LEN_MAX).unwrap();
    let le = |len: u32| len.to_le_bytes();

    check_len(&[&[0xef], &[0]], 0);
    check_len(&[&[0xef], &[0x80]], 0);
    check_len(&[&[0xef], &[0x7f, 0, 0, 0]], 0);
    check_len(&[&[0xef], &[0x7f, 0xff, 0xff, 0xff]], 0xff_ffff * 4);
    check_len(&[&[0xef, 0x7f], &le(max / 4 + 1)[..3]], PACKET_LEN_MAX + 4);

    check_len(&[&[0xee; 4], &le(0)], 0);
    check_len(&[&[0xee; 4], &le(0x8000_0000)], 0);
    check_len(&[&[0xee; 4], &le(41)], 41);
    check_len(&[&[0xee; 4], &le(max + 4)], PACKET_LEN_MAX + 4);
    check_len(&[&[0xee; 4], &le(0x7fff_fffc)], 0x7fff_fffc);

    check_len(&[&[0xdd; 4], &le(3)], 3);
    check_len(&[&[0xdd; 4], &le(max + 16)], PACKET_LEN_MAX + 16);
    check_len(&[&[0xdd; 4], &le(16), &[1; 16]], 16);
    check_len(&[&[0xdd; 4], &le(24), &[0; 16], &[5, 0, 0, 0], &[0; 4]], 24);

    check_len(&[&le(0), &[0; 4]], 0);
    check_len(&[&le(12), &[0; 8]], 0);
    check_len(&[&le(18), &[0; 14]], 6);
    check_len(&[&le(max + 16), &[0; 4]], PACKET_LEN_MAX + 4);
    check_len(&[&le(u32::MAX), &[0; 4]], u32::MAX as usize - 12);
}

/// A long form of a short length is read like the short form.
#[test]
fn abridged_long_form() {
    let expected = Received::packets(&[(&[1, 2, 3, 4], false), (&[5, 6, 7, 8], true)]);
    let stream = [0xef, 0x7f, 1, 0, 0, 1, 2, 3, 4, 0xff, 1, 0, 0, 5, 6, 7, 8];
    check(&ServerConfig::default(), &stream, &expected);
}

#[test]
fn full_is_checked() {
    let mut client = ClientTransport::plain(Framing::Full);
    let (mut first, mut second) = (BytesMut::new(), BytesMut::new());
    client.encode_packet(&payload(24), false, &noise(0), &mut first);
    client.encode_packet(&payload(24), false, &noise(0), &mut second);
    let expected = Received {
        error: Some(Error::BadSeqNo { received: 0, expected: 1 }),
        ..Received::packets(&[(&payload(24), false)])
    };
    check(&ServerConfig::default(), &[&first[..], &first].concat(), &expected);
    // A packet that is not the first has a number that no other transport begins with either.
    let mut server = ServerTransport::new(Arc::default());
    assert_eq!(feed(&mut server, [&second[..]]), Received::default());
    for at in 8..first.len() {
        let mut broken = first.clone();
        broken[at] ^= 1;
        let mut server = ServerTransport::new(Arc::default());
        let error = feed(&mut server, [&broken[..]]).error;
        assert!(matches!(error, Some(Error::BadChecksum { .. })), "byte {at}: {error:?}");
    }
}

#[test]
fn neither_tls_nor_noise_is_answered() {
    check_error(&[&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]], Error::Tls);
    check_error(&[&[0x55; 64]], Error::UnknownTag);
    // Everything but the last byte: not yet.
    check(&ServerConfig::default(), &[0x55; 63], &Received::default());
    check(&ServerConfig::default(), &[0xee, 0xee, 0xee], &Received::default());
    check(&ServerConfig::default(), &[], &Received::default());
}

/// What `client` sends is refused as `error`, or accepted.
#[track_caller]
fn check_secrets(config: &ServerConfig, mut client: ClientTransport, error: Option<Error>) {
    let mut stream = BytesMut::new();
    client.encode_packet(&payload(40), false, &noise(0), &mut stream);
    let mut server = ServerTransport::new(Arc::new(config.clone()));
    let received = feed(&mut server, [&stream[..]]);
    assert_eq!((received.error, received.packets.len()), (error, usize::from(error.is_none())));
}

#[test]
fn secrets() {
    let init = || Init::new([0x31; 64]).unwrap();
    let direct = |tag| ClientTransport::obfuscated(tag, init(), None);
    let proxied =
        |tag, key| ClientTransport::obfuscated(tag, init(), Some(&(Secret::Plain([key; 16]), 2)));
    let secrets = vec![Secret::Plain([1; 16]), Secret::Padded([2; 16])];
    let mixed = ServerConfig { secrets, ..ServerConfig::default() };
    let only = ServerConfig { secrets_only: true, ..mixed.clone() };
    let refused = Some(Error::UnknownTag);
    for tag in Tag::ALL {
        check_secrets(&ServerConfig::default(), direct(tag), None);
        check_secrets(&ServerConfig::default(), proxied(tag, 1), refused);
        check_secrets(&mixed, direct(tag), None);
        check_secrets(&only, direct(tag), refused);
        for config in [&mixed, &only] {
            check_secrets(config, proxied(tag, 1), None);
            // The second secret is for padded intermediate alone.
            check_secrets(config, proxied(tag, 2), refused.filter(|_| tag != Tag::Padded));
            check_secrets(config, proxied(tag, 3), refused);
        }
    }
    for framing in [Framing::Abridged, Framing::Intermediate, Framing::Padded, Framing::Full] {
        check_secrets(&mixed, ClientTransport::plain(framing), None);
        check_secrets(&only, ClientTransport::plain(framing), Some(Error::NotAllowed));
    }
}
