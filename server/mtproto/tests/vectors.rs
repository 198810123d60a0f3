//! Known answers of envelope, wrappers and the binding of temporary keys.
//!
//! The handshake's are in `src/handshake/tests.rs`, because they need its random numbers fixed.

use std::sync::LazyLock;

use bytes::BytesMut;
use crypto::{AuthKey, AuthKeyId, Side};
use mtproto::bind_temp::{self, Error, Request};
use mtproto::envelope::{self, Message, OpenJob, SealJob};
use mtproto::limits::{BIND_EXPIRES_AT_SLACK_S, PADDING_LEN_MAX, PADDING_LEN_MIN};
use mtproto::session::gzip;
use mtproto::{Buffer, MsgId, UnixTime};
use serde_json::Value;
use tl::mtproto::types::BindAuthKeyInner;

static SESSION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("vectors/session.json")).unwrap());
static HANDSHAKE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("vectors/handshake.json")).unwrap());

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn long(value: &Value) -> i64 {
    i64::from_le_bytes(array(value))
}

fn key() -> AuthKey {
    AuthKey::new(array(&HANDSHAKE["auth_key"]))
}

// ===== Envelope =====

#[test]
fn known_packets_open() {
    for (side, name) in [(Side::Client, "client"), (Side::Server, "server")] {
        let vector = &SESSION[name];
        let packet = BytesMut::from(&bytes(&vector["packet"])[..]);
        assert_eq!(envelope::peek(&packet), Ok(envelope::Kind::Encrypted(key().id())));
        let opened = envelope::open(&key(), side, packet.clone()).unwrap();
        let plaintext = bytes(&vector["plaintext"]);
        let Message { salt, session_id, msg_id, seq_no, body } = &opened.message;
        assert_eq!(*salt, long(&vector["salt"]));
        assert_eq!(*session_id, long(&vector["session_id"]));
        assert_eq!(msg_id.0, long(&vector["msg_id"]));
        assert_eq!(*seq_no, 0);
        assert_eq!(body[..], plaintext[32..]);
        let quick_ack = u32::from_le_bytes(array(&vector["quick_ack_token_le"]));
        assert_eq!(opened.quick_ack, quick_ack | 1 << 31);

        let key = key();
        let jobs = vec![
            OpenJob { key: &key, packet: packet.clone() },
            OpenJob { key: &key, packet: BytesMut::from(&packet[..60]) },
            OpenJob { key: &key, packet },
        ];
        let many = envelope::open_many(side, jobs);
        assert_eq!(many[0].as_ref(), Ok(&opened));
        assert!(many[1].is_err());
        assert_eq!(many[2].as_ref(), Ok(&opened));
    }
}

#[test]
fn known_packets_seal() {
    // The server's has the padding that we would use; the client's has more.
    let vector = &SESSION["server"];
    let mut random = [0; envelope::PADDING_RANDOM_LEN];
    random[..12].copy_from_slice(&bytes(&vector["padding"]));
    let plain = || Buffer::from_body(&bytes(&vector["plaintext"]));
    let mut packet = plain();
    envelope::seal(&key(), Side::Server, &mut packet, &random).unwrap();
    assert_eq!(packet.as_slice(), bytes(&vector["packet"]));
    let (key, mut first, mut second) = (key(), plain(), plain());
    let mut jobs = [
        SealJob { key: &key, packet: &mut first, random },
        SealJob { key: &key, packet: &mut second, random },
    ];
    envelope::seal_many(Side::Server, &mut jobs).unwrap();
    assert_eq!(first.as_slice(), packet.as_slice());
    assert_eq!(second.as_slice(), packet.as_slice());
}

/// Opens `packet`, changed, with the vectors' key.
#[track_caller]
fn check(change: impl FnOnce(&mut Vec<u8>), expected: &str) {
    let mut packet = bytes(&SESSION["client"]["packet"]);
    change(&mut packet);
    let opened = envelope::open(&key(), Side::Client, BytesMut::from(&packet[..]));
    match opened {
        Ok(_) => assert_eq!(expected, "ok"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

#[test]
fn altered_packets_do_not_open() {
    check(|_| {}, "ok");
    check(|packet| packet.extend([7; 15]), "ok");
    check(|packet| packet.extend([7; 16]), "msg_key does not fit");
    check(|packet| packet[0] ^= 1, "msg_key does not fit");
    check(|packet| packet[8] ^= 1, "msg_key does not fit");
    check(|packet| packet[30] ^= 1, "msg_key does not fit");
    check(|packet| packet.truncate(40), "msg_key does not fit");
    check(|packet| packet.truncate(39), "ciphertext of 15 bytes");
    check(|packet| packet.truncate(24), "ciphertext of 0 bytes");
    check(|packet| packet.truncate(23), "packet of 23 bytes ends inside its header");
    check(Vec::clear, "packet of 0 bytes ends inside its header");
}

/// Seals a message that claims `length` bytes of body and has `room` after its header, and opens it.
#[track_caller]
fn check_length(length: i32, room: usize, is_ok: bool) {
    let mut plaintext = vec![0; 28];
    plaintext.extend(length.to_le_bytes());
    plaintext.resize(32 + room, 1);
    let mut packet = vec![0; 24];
    packet.extend(plaintext);
    crypto::envelope::seal(&key(), Side::Client, &mut packet).unwrap();
    let opened = envelope::open(&key(), Side::Client, BytesMut::from(&packet[..]));
    assert_eq!(opened.is_ok(), is_ok, "{opened:?}");
}

#[test]
fn lengths_and_paddings_are_checked() {
    let (min, max) = (PADDING_LEN_MIN, PADDING_LEN_MAX);
    for (length, room, is_ok) in [
        (4, 4 + min, true),
        (0, 16, true),
        (8, 4 + min, false),
        (3, 16, false),
        (-4, 16, false),
        (i32::MAX - 3, 16, false),
        (0, max, true),
        (0, max + 16, false),
        (16, max + 16, true),
        (0, 0, false),
    ] {
        check_length(length, room, is_ok);
    }
}

#[test]
fn unencrypted_packets() {
    let packet = envelope::seal_plain(MsgId(0x1234_5679), Buffer::from_body(&[1, 2, 3, 4]));
    let mut bytes = packet.into_bytes();
    assert_eq!(envelope::peek(&bytes), Ok(envelope::Kind::Unencrypted));
    bytes.extend([9; 7]);
    let plain = envelope::open_plain(bytes.clone()).unwrap();
    assert_eq!((plain.msg_id, &plain.body[..]), (MsgId(0x1234_5679), &[1, 2, 3, 4][..]));
    for len in 0..24 {
        assert!(envelope::open_plain(BytesMut::from(&bytes[..len])).is_err(), "{len}");
    }
    bytes[19] = 0x80;
    assert!(envelope::open_plain(bytes.clone()).is_err());
    bytes[0] = 1;
    assert_eq!(envelope::open_plain(bytes), Err(envelope::Error::OtherKind));
}

#[test]
fn known_gzip() {
    let packed = bytes(&SESSION["gzip_packed"]);
    assert_eq!(gzip::unpack(&packed).unwrap()[..], bytes(&SESSION["gzip_plain"]));
}

// ===== Binding a temporary key =====

fn long_of(name: &str) -> i64 {
    long(&HANDSHAKE["bind"][name])
}

const BEFORE: UnixTime = UnixTime::from_secs(1_700_000_000);

/// Verifies the known proof in a request that was changed.
#[track_caller]
fn check_bind(
    now: UnixTime,
    change: impl FnOnce(&mut Request<'_>),
    proof: &[u8],
    expected: Result<(), Error>,
) {
    let expires_at = i32::try_from(HANDSHAKE["bind"]["expires_at"].as_i64().unwrap()).unwrap();
    let mut request = Request {
        msg_id: MsgId(long_of("msg_id")),
        session_id: long_of("temp_session_id"),
        temp_key_id: AuthKeyId(long_of("temp_auth_key_id").cast_unsigned()),
        temp_expires_at: i64::from(expires_at),
        perm_auth_key_id: long_of("perm_auth_key_id"),
        nonce: long_of("nonce"),
        expires_at,
        encrypted_message: proof,
    };
    change(&mut request);
    assert_eq!(bind_temp::verify(now, &request, &key()), expected);
}

#[test]
fn known_binding() {
    let proof = bytes(&HANDSHAKE["bind"]["encrypted_message"]);
    let plaintext = bytes(&HANDSHAKE["bind"]["plaintext"]);
    let mut random = [0; 24];
    random[..16].copy_from_slice(&plaintext[..16]);
    random[16..].copy_from_slice(&bytes(&HANDSHAKE["bind"]["padding"]));
    let inner = BindAuthKeyInner::new(
        long_of("nonce"),
        long_of("temp_auth_key_id"),
        long_of("perm_auth_key_id"),
        long_of("temp_session_id"),
        1_700_086_400,
    );
    let made = bind_temp::create(&key(), MsgId(long_of("msg_id")), &inner, &random);
    assert_eq!(made, proof);
    check_bind(BEFORE, |_| {}, &proof, Ok(()));
}

#[test]
fn bindings_of_something_else() {
    let proof = bytes(&HANDSHAKE["bind"]["encrypted_message"]);
    let invalid = Err(Error::EncryptedMessageInvalid);
    check_bind(BEFORE, |r| r.msg_id.0 += 4, &proof, invalid);
    check_bind(BEFORE, |r| r.session_id += 1, &proof, invalid);
    check_bind(BEFORE, |r| r.temp_key_id.0 ^= 1, &proof, invalid);
    check_bind(BEFORE, |r| r.perm_auth_key_id ^= 1, &proof, invalid);
    check_bind(BEFORE, |r| r.nonce ^= 1, &proof, invalid);
    check_bind(BEFORE, |r| r.expires_at += 1, &proof, invalid);
    let expired = Err(Error::ExpiresAtInvalid { expires_at: 1_700_086_400 });
    check_bind(UnixTime::from_secs(1_700_086_400), |_| {}, &proof, expired);
    check_bind(BEFORE, |r| r.temp_expires_at -= BIND_EXPIRES_AT_SLACK_S + 1, &proof, expired);
    check_bind(BEFORE, |r| r.temp_expires_at -= BIND_EXPIRES_AT_SLACK_S, &proof, Ok(()));
    for at in 0..proof.len() {
        let mut altered = proof.clone();
        altered[at] ^= 0x10;
        // The last 8 bytes of plaintext are padding, which MTProto 1.0 does not cover; it shares its block with data.
        check_bind(BEFORE, |_| {}, &altered, invalid);
        check_bind(BEFORE, |_| {}, &proof[..at], invalid);
    }
    check_bind(BEFORE, |_| {}, &vec![0; 4096], invalid);
    assert_eq!(Error::EncryptedMessageInvalid.rpc_message(), "ENCRYPTED_MESSAGE_INVALID");
}
