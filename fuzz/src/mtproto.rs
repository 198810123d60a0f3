//! Bodies of `envelope`, `handshake`, `session` and `gzip`: no bytes panic, and what comes out keeps the protocol's rules.
//!
//! ```text
//! envelope    | padding (1) | anything: a packet, a plaintext, a body |
//! handshake   | kind (1) | length (1) | query or inner data | …
//! session     | operation (1) | its arguments | …               see `Op`
//! gzip        | anything: an object, and the data of one |
//! ```

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use crypto::rsa::PrivateKey;
use crypto::{AuthKey, AuthKeyId, Side};
use mtproto::envelope::{self, Message, PADDING_RANDOM_LEN};
use mtproto::handshake::server::{Config, Handshakes, Step, Stored};
use mtproto::limits::GZIP_OUTPUT_LEN_MAX;
use mtproto::session::{self, ConnId, Event, Predecessors, SaltSecret, Session, gzip};
use mtproto::{Buffer, MsgId, UnixTime};
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

// ===== Session =====

/// Constructors that a session knows, and two that it does not.
const CONSTRUCTORS: [u32; 20] = [
    0x73f1_f8dc,
    0xe060_46b2,
    0x3072_cfa1,
    0x62d6_b459,
    0xda69_fb52,
    0x04de_b57d,
    0x8cc0_d131,
    0x7d86_1a08,
    0x8610_baeb,
    0x276d_3ec6,
    0x809d_b6df,
    0x58e4_a740,
    0xb921_bd04,
    0x7abe_77ec,
    0xf342_7b8c,
    0xe751_2126,
    0xd143_5160,
    0x9299_359f,
    0xcb9f_372d,
    0xc4f9_186b,
];

/// What happens to a session.
///
/// ```text
/// 0..=3 message     | connection | seconds ahead | id | seq_no | constructor | length | body |
/// 4 wait  | seconds |     5 answer a request | length |     6 update | length |
/// 7 attach | conn |       8 detach | conn |     9 writable | conn |     10 poll     11 hold
/// ```
struct Op<'a>(&'a [u8]);

impl<'a> Op<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self, len: u8) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(usize::from(len).min(self.0.len()));
        self.0 = rest;
        bytes
    }

    fn conn(&mut self) -> Option<ConnId> {
        self.byte().map(|conn| ConnId(u64::from(conn % 4)))
    }
}

/// Anything, in any order: requests are run once, identifiers increase, memory is bounded.
pub fn session(data: &[u8]) {
    let mut now = START;
    let config = session::Config {
        auth_key_id: AuthKeyId(1),
        session_id: 2,
        unique_id: 3,
        salt_secret: Arc::new(SaltSecret::new([4; 32])),
        first_salt: Some(session::FirstSalt { salt: 5, valid_since: START }),
        received_up_to: None,
        updates_too_long: Bytes::from_static(&[0x7e, 0xaf, 0x17, 0xe3]),
    };
    let mut session = Session::new(now, config);
    session.set_wants_updates(true);
    let mut ops = Op(data);
    let mut requests: Vec<session::Request> = Vec::new();
    let mut run = HashSet::new();
    let mut last_packet = MsgId(0);
    while let Some(()) = step(&mut ops, &mut now, &mut session, &mut requests, &mut last_packet) {
        if session.poll_timeout().is_some_and(|at| at <= now) {
            session.handle_timeout(now);
        }
        while let Some(event) = session.poll_event() {
            match event {
                Event::Request(request) => {
                    if request.predecessors == Predecessors::Unchecked {
                        assert!(run.insert(request.msg_id), "run twice");
                    }
                    requests.push(request);
                }
                Event::DestroySession { msg_id, session_id } => {
                    session.send_destroy_session(msg_id, session_id, true);
                }
                Event::DestroyAuthKey { msg_id } => {
                    session.send_destroy_auth_key(msg_id, session::DestroyAuthKey::Fail);
                }
                Event::Cancelled { .. } | Event::Close { .. } | Event::Expired => {}
            }
        }
        assert!(session.memory_len() < 32 << 20, "memory grows");
    }
}

fn step(
    ops: &mut Op<'_>,
    now: &mut UnixTime,
    session: &mut Session,
    requests: &mut Vec<session::Request>,
    last_packet: &mut MsgId,
) -> Option<()> {
    match ops.byte()? % 12 {
        0..=3 => {
            let conn = ops.conn()?;
            let ahead_s = i64::from(ops.byte()?.cast_signed()) * 4;
            let id = ops.byte()?;
            let seq_no = i32::from(ops.byte()?.cast_signed());
            let constructor = CONSTRUCTORS[usize::from(ops.byte()?) % CONSTRUCTORS.len()];
            let len = ops.byte()?;
            let body = [&constructor.to_le_bytes(), ops.bytes(len)].concat();
            // Few identifiers, so that they repeat; the lowest bits are mostly a client's.
            let low = i64::from(id >> 2) * 4 + i64::from(id.is_multiple_of(16));
            let msg_id = MsgId(MsgId::at(*now).0.wrapping_add(ahead_s << 32).wrapping_add(low));
            let body = BytesMut::from(&body[..]);
            let message = Message { salt: 5, session_id: 2, msg_id, seq_no, body };
            let _ = session.handle_message(*now, conn, message);
        }
        4 => *now = *now + Duration::from_secs(u64::from(ops.byte()?)),
        5 => {
            let len = usize::from(ops.byte()?) * 64;
            if let Some(request) = requests.pop() {
                session.send_result(*now, request.msg_id, Buffer::from_body(&vec![1; len / 4 * 4]));
            }
        }
        6 => {
            let len = usize::from(ops.byte()?) * 256;
            session.send_update(Buffer::from_body(&vec![2; len]));
        }
        7 => session.attach(*now, ops.conn()?),
        8 => session.detach(*now, ops.conn()?),
        9 => {
            let conn = ops.conn()?;
            session.set_writable(conn, conn.0.is_multiple_of(2));
        }
        10 => {
            while let Some(outgoing) = session.poll_transmit(*now) {
                let header = outgoing.packet.as_slice();
                let field = |at: usize| header.get(at..at + 8).and_then(|b| b.try_into().ok());
                let msg_id = MsgId(i64::from_le_bytes(field(16).expect("a whole header")));
                assert!(msg_id > *last_packet && msg_id.is_of_server(), "identifiers increase");
                *last_packet = msg_id;
                assert!(session.connections().any(|conn| conn == outgoing.conn));
            }
        }
        _ => {
            if let Some(request) = requests.pop() {
                let after: Vec<_> = requests.iter().map(|request| request.msg_id).collect();
                session.hold(*now, request, &after);
            }
        }
    }
    Some(())
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
