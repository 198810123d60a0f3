//! Bodies of `envelope`, `handshake` and `gzip`: no bytes panic, and what comes out keeps the protocol's rules.
//!
//! ```text
//! envelope    | padding (1) | anything: a packet, a plaintext, a body |
//! handshake   | kind (1) | length (1) | query or inner data | …
//! gzip        | anything: an object, and the data of one |
//! ```

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::BytesMut;
use crypto::rsa::PrivateKey;
use crypto::{AuthKey, Side};
use mtproto::envelope::{self, PADDING_RANDOM_LEN};
use mtproto::handshake::server::{Config, Handshakes, Step, Stored};
use mtproto::limits::GZIP_OUTPUT_LEN_MAX;
use mtproto::session::gzip;
use mtproto::{Buffer, UnixTime};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

const START: UnixTime = UnixTime::from_secs(1_700_000_000);

// ===== Envelope =====

/// Any packet, any plaintext inside a good packet, any body sealed and opened.
pub fn envelope(data: &[u8]) {
    let key = AuthKey::new([7; 256]);
    let _ = envelope::peek(data);
    let _ = envelope::open_plain(BytesMut::from(data));
    assert!(envelope::open(&key, Side::Client, BytesMut::from(data)).is_err());
    let Some((&padding, data)) = data.split_first() else { return };

    let mut packet = vec![padding; envelope_len(data.len())];
    packet[24..24 + data.len()].copy_from_slice(data);
    if crypto::envelope::seal(&key, Side::Client, &mut packet).is_ok()
        && let Ok(opened) = envelope::open(&key, Side::Client, BytesMut::from(&packet[..]))
    {
        assert!(opened.message.body.len() + 32 + 12 <= packet.len() - 24);
    }

    let body = &data[..data.len() / 4 * 4];
    let header = [&[0; 28], &u32::try_from(body.len()).unwrap_or(0).to_le_bytes()[..]].concat();
    let mut sealed = Buffer::from_body(&[&header, body].concat());
    let random = [padding; PADDING_RANDOM_LEN];
    envelope::seal(&key, Side::Server, &mut sealed, &random).expect("whole blocks");
    let opened = envelope::open(&key, Side::Server, sealed.into_bytes()).expect("our own");
    assert_eq!(opened.message.body, body);
}

/// Header and whole blocks for so many bytes.
fn envelope_len(len: usize) -> usize {
    24 + len.div_ceil(16) * 16
}

// ===== Handshake =====

static KEY: LazyLock<Arc<PrivateKey>> = LazyLock::new(|| {
    let text = include_str!("../../server/mtproto/tests/vectors/handshake.json");
    let (_, pem) = text.split_once("\"rsa_pem\": \"").expect("the vectors' key");
    let (pem, _) = pem.split_once('"').expect("its end");
    Arc::new(PrivateKey::from_pem(&pem.replace("\\n", "\n")).expect("a good key"))
});

/// Queries in any order; inner data that is anything behind a right hash.
pub fn handshake(mut data: &[u8]) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let config = Config { keys: vec![Arc::clone(&KEY)], dcs: vec![1, 2] };
    let mut server = Handshakes::default();
    let mut names: Option<[u8; 32]> = None;
    let mut factors = None;
    let mut now = START;
    for _ in 0..16 {
        let Some((&[kind, len], rest)) = data.split_first_chunk::<2>() else { return };
        let (content, rest) = rest.split_at(usize::from(len).min(rest.len()));
        data = rest;
        now = now + Duration::from_secs(u64::from(kind >> 4));
        let query = match (kind % 4, names, factors) {
            (1, ..) => [&0xbe7e_8ef1_u32.to_le_bytes()[..], &[kind >> 6; 16]].concat(),
            (2, Some(names), Some((p, q))) => {
                let content = &content[..content.len().min(144)];
                let inner = key_block(content, &mut rng);
                req_dh_params(&names, p, q, &inner)
            }
            (3, Some(names), _) => {
                let padded = [content, &[0; 16]].concat();
                let data = &padded[..padded.len() / 4 * 4];
                [&0xf504_5f1f_u32.to_le_bytes()[..], &names, &tl_bytes(data)].concat()
            }
            _ => content.to_vec(),
        };
        let mut step = server.handle(now, &config, &query, &mut rng);
        loop {
            step = match step {
                Step::Run(job) => server.job_done(now, job.run()),
                Step::Store(new) => server.key_stored(now, new.exchange, Stored::Ok),
                Step::Answer(answer) => {
                    let answer = answer.as_slice();
                    if answer.starts_with(&0x0516_2463_u32.to_le_bytes()) {
                        names = answer.get(4..36).and_then(|names| names.try_into().ok());
                        let pq = answer.get(37..45).and_then(|pq| pq.try_into().ok());
                        factors = pq.and_then(|pq| crypto::pq::factorize(u64::from_be_bytes(pq)));
                    }
                    break;
                }
                Step::Nothing => break,
                Step::Refuse(error) => {
                    assert!(matches!(error.transport_code(), -404 | -429 | -444));
                    break;
                }
            };
        }
    }
}

fn key_block(inner: &[u8], rng: &mut ChaCha20Rng) -> [u8; 256] {
    KEY.public().encrypt_pad(inner, rng).expect("at most 144 bytes")
}

fn req_dh_params(names: &[u8; 32], p: u32, q: u32, encrypted: &[u8; 256]) -> Vec<u8> {
    let mut query = [&0xd712_e4be_u32.to_le_bytes()[..], names].concat();
    query.extend(tl_bytes(&p.to_be_bytes()));
    query.extend(tl_bytes(&q.to_be_bytes()));
    query.extend(KEY.fingerprint().to_le_bytes());
    query.extend(tl_bytes(encrypted));
    query
}

fn tl_bytes(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).unwrap_or(0);
    let mut out = match u8::try_from(len) {
        Ok(len @ 0..0xfe) => vec![len],
        _ => (len << 8 | 0xfe).to_le_bytes().to_vec(),
    };
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

// ===== gzip =====

/// Any object, and any data inside one.
pub fn gzip(data: &[u8]) {
    let object = [&gzip::ID.to_le_bytes()[..], &tl_bytes(data)].concat();
    for object in [data, &object] {
        if let Ok(unpacked) = gzip::unpack(object) {
            assert!(unpacked.len() <= GZIP_OUTPUT_LEN_MAX);
        }
    }
}
