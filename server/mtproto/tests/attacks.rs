//! Attacks on MTProto that were published, and what a server must do about them, in the order of the paper:
//! Albrecht, Mareková, Paterson, Stepanovs, "Four Attacks and a Proof for Telegram", <https://mtpsym.github.io/>.
//!
//! | attack | what a server must do | shown by |
//! |---|---|---|
//! | reordering of messages | take each once, as what its identifier says, whatever the order | `messages_come_in_any_order_and_repeatedly` |
//! | recordings on connections of others | send nothing there but what they ask for | `a_recording_draws_nothing_to_itself` |
//! | telling re-sent messages by their ciphertext | never seal the same plaintext twice; run what comes again under another ciphertext once | `what_is_sent_again_looks_like_anything_else`, `a_message_under_another_ciphertext_is_the_same_message` |
//! | time of decryption, by fields that are looked at too early | look at no field before `msg_key` was found to fit all of the plaintext | `no_field_is_looked_at_before_the_whole_is_authentic` |
//! | time of the handshake's RSA decryption | do the same steps with every block, tell nothing but that it failed | `every_wrong_inner_data_ends_alike`; `crypto`: `every_block_is_looked_at_alike` |
//! | paddings that are not covered | MTProto 2.0 alone for messages, with bounds on its padding | `messages_of_the_old_protocol_are_none`; `vectors`: `lengths_and_paddings_are_checked` |
//!
//! Nothing here measures time: a step that depends on secrets shows as another result, or as a step that is not taken. What a
//! connection makes of it is in `server/tests/wire/attacks.rs`.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use bytes::{Bytes, BytesMut};
use crypto::rsa::PrivateKey;
use crypto::{AuthKey, AuthKeyId, Side};
use mtproto::envelope::{self, Error, Message, PADDING_RANDOM_LEN};
use mtproto::handshake::server::{Config as Offer, Error as Refused, Handshakes, Step};
use mtproto::limits::PADDING_LEN_MIN;
use mtproto::session::{Config, ConnId, Event, FirstSalt, SaltSecret, Session};
use mtproto::{Buffer, MsgId, UnixTime};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tl::mtproto::{functions, types};
use tl::{Cursor, Decode as _, Encode as _, Layer};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const SALT: i64 = 5;
const SESSION_ID: i64 = 7;
const CONN: ConnId = ConnId(1);

static KEY: LazyLock<Arc<PrivateKey>> = LazyLock::new(|| {
    let vectors = include_str!("vectors/handshake.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
    Arc::new(PrivateKey::from_pem(vectors["rsa_pem"].as_str().unwrap()).unwrap())
});

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn auth_key() -> AuthKey {
    AuthKey::new(std::array::from_fn(|at| at as u8))
}

fn session() -> Session {
    let first_salt = Some(FirstSalt { salt: SALT, valid_since: NOW });
    let mut session = Session::new(
        NOW,
        Config {
            auth_key_id: AuthKeyId(3),
            session_id: SESSION_ID,
            unique_id: 9,
            salt_secret: Arc::new(SaltSecret::new([1; 32])),
            first_salt,
            received_up_to: None,
            updates_too_long: Bytes::new(),
        },
    );
    session.attach(NOW, CONN);
    session
}

/// The message of a request with this number.
fn request(number: i32) -> Message {
    let msg_id = MsgId(MsgId::at(NOW).0 + i64::from(number) * 4);
    let body = [0xc4f9_186b_u32.to_le_bytes(), number.to_le_bytes()].concat();
    let seq_no = 2 * number + 1;
    Message { salt: SALT, session_id: SESSION_ID, msg_id, seq_no, body: BytesMut::from(&body[..]) }
}

/// The requests that are to be run now.
fn requests(session: &mut Session) -> Vec<(MsgId, Bytes)> {
    std::iter::from_fn(|| session.poll_event())
        .filter_map(|event| match event {
            Event::Request(request) => Some((request.msg_id, request.body)),
            _ => None,
        })
        .collect()
}

// ===== Reordering =====

/// Who sits on the wire can deliver packets in any order, and as often as it likes. Nothing in the protocol tells a server which
/// came first, so what it must do is to take each once, and as the message that it is: with its own identifier, by which clients
/// order what they get back, and by which `invokeAfterMsg` names another.
///
/// It would fail if a message were run twice, lost for having come late, or taken for another one.
#[test]
fn messages_come_in_any_order_and_repeatedly() {
    let orders: [[i32; 4]; 6] =
        [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1], [3, 0, 2, 1], [0, 3, 1, 2]];
    for order in orders {
        let mut session = session();
        for number in order.into_iter().chain(order) {
            session.handle_message(NOW, CONN, request(number)).unwrap();
        }
        let ran = requests(&mut session);
        let expected = order.map(|number| (request(number).msg_id, request(number).body.freeze()));
        assert_eq!(ran, expected, "each once, under its own identifier");
    }
}

/// A recording opens, wherever it comes from. A server must not take the connection that it comes on for its owner's: what it then
/// sent there would be unreadable for the thief and lost for the owner, for as long as the thief stays, and a few such connections
/// would push the owner's out.
///
/// It would fail if updates went where the latest packet came from, or if recordings closed connections of others.
#[test]
fn a_recording_draws_nothing_to_itself() {
    let mut session = session();
    session.set_wants_updates(true);
    session.handle_message(NOW, CONN, request(1)).unwrap();
    let owner_gets = |session: &mut Session| {
        assert!(session.send_update(Buffer::from_body(&[2; 8])));
        let conns: Vec<_> =
            std::iter::from_fn(|| session.poll_transmit(NOW)).map(|out| out.conn).collect();
        !conns.is_empty() && conns.iter().all(|conn| *conn == CONN)
    };
    assert!(owner_gets(&mut session));
    for thief in (2..50).map(ConnId) {
        session.attach(NOW, thief);
        session.handle_message(NOW, thief, request(1)).unwrap();
        while let Some(event) = session.poll_event() {
            assert_ne!(event, Event::Close { conn: CONN });
        }
        // What was asked for may be answered where it was asked for, over and over; that is not for the owner.
        while session.poll_transmit(NOW).is_some_and(|out| out.conn == thief) {}
        assert!(owner_gets(&mut session), "not to {thief:?}");
    }
    // Nothing goes to who has only recordings, even if there is nobody else; and the owner gets it.
    session.detach(NOW, CONN);
    assert!(!session.is_connected());
    assert!(session.send_update(Buffer::from_body(&[2; 8])));
    assert!(session.poll_transmit(NOW).is_none());
    let back = ConnId(77);
    session.handle_message(NOW, back, request(2)).unwrap();
    assert!(session.is_connected());
    assert_eq!(session.poll_transmit(NOW).map(|out| out.conn), Some(back));
}

// ===== Messages that are sent again =====

/// The packets that are ready, as they go over the wire. The padding is the same each time, as if chance wanted it.
fn packets(session: &mut Session) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| session.poll_transmit(NOW))
        .map(|outgoing| {
            let mut packet = outgoing.packet;
            envelope::seal(&auth_key(), Side::Server, &mut packet, &[7; PADDING_RANDOM_LEN])
                .unwrap();
            packet.as_slice().to_vec()
        })
        .collect()
}

/// A message that was not acknowledged is sent again. If it were sealed as it was, or only with other padding in the same place,
/// whoever watches could tell that it is the same one, and so distinguish what was sent: `msg_key` is a hash of the plaintext.
/// A server must seal nothing twice: what is sent again travels in a packet with an identifier of its own.
///
/// It would fail if a packet shared its `msg_key` or a block with another although even the padding is the same.
#[test]
fn what_is_sent_again_looks_like_anything_else() {
    let mut session = session();
    session.handle_message(NOW, CONN, request(1)).unwrap();
    packets(&mut session);
    session.send_result(request(1).msg_id, Buffer::from_body(&[1; 64]));
    let mut seen = packets(&mut session);
    for number in 2..6 {
        // Asked for again by its request, and lost with its connection.
        session.handle_message(NOW, CONN, request(1)).unwrap();
        seen.extend(packets(&mut session));
        session.detach(NOW, CONN);
        session.handle_message(NOW, ConnId(2), request(number)).unwrap();
        seen.extend(packets(&mut session));
        session.detach(NOW, ConnId(2));
        session.handle_message(NOW, CONN, request(10 + number)).unwrap();
        seen.extend(packets(&mut session));
    }
    assert!(seen.len() >= 5, "{} packets", seen.len());
    let mut pieces = HashSet::new();
    for packet in &seen {
        for piece in packet[8..].chunks(16) {
            assert!(pieces.insert(piece.to_vec()), "a piece of a packet comes again");
        }
    }
}

/// A client seals a message again that was not acknowledged, with other padding and perhaps another salt: another `msg_key`,
/// the same message. A server must know it by its identifier, not by its packet.
///
/// It would fail if repetitions were told by `msg_key` or by ciphertext.
#[test]
fn a_message_under_another_ciphertext_is_the_same_message() {
    let mut session = session();
    let mut sealed = HashSet::new();
    for padding in 0..4 {
        let message = request(1);
        let mut plain = Vec::new();
        plain.extend(message.salt.to_le_bytes());
        plain.extend(message.session_id.to_le_bytes());
        plain.extend(message.msg_id.0.to_le_bytes());
        plain.extend(message.seq_no.to_le_bytes());
        plain.extend((message.body.len() as i32).to_le_bytes());
        plain.extend(&message.body);
        let mut packet = Buffer::from_body(&plain);
        let random = [padding; PADDING_RANDOM_LEN];
        envelope::seal(&auth_key(), Side::Client, &mut packet, &random).unwrap();
        sealed.insert(packet.as_slice().to_vec());
        let packet = BytesMut::from(packet.as_slice());
        let opened = envelope::open(&auth_key(), Side::Client, packet).unwrap();
        session.handle_message(NOW, CONN, opened.message).unwrap();
    }
    assert_eq!(sealed.len(), 4, "four packets");
    assert_eq!(requests(&mut session).len(), 1, "one request");
}

// ===== Time of decryption =====

/// A packet of a client with `length` in its header, authentic.
fn packet(length: i32, room: usize) -> Vec<u8> {
    let mut packet = vec![0; 24 + 28];
    packet.extend(length.to_le_bytes());
    packet.resize(24 + 32 + room, 0x33);
    crypto::envelope::seal(&auth_key(), Side::Client, &mut packet).unwrap();
    packet
}

fn open(packet: &[u8]) -> Result<i64, Error> {
    let opened = envelope::open(&auth_key(), Side::Client, BytesMut::from(packet));
    opened.map(|opened| opened.message.session_id)
}

/// IGE lets an attacker put blocks of recorded packets where the length stands, whose plaintext then decides whether a peer that
/// looks at the length first goes on to hash: the time tells 32 bits of the recorded plaintext. A server must find `msg_key` right
/// for the whole plaintext before it looks at anything in it.
///
/// It would fail if any packet with blocks in other places were refused for its length, or for anything but its `msg_key`; or if
/// a length were looked at that is not authentic. Authentic ones with a wrong length show that it is looked at at all.
#[test]
fn no_field_is_looked_at_before_the_whole_is_authentic() {
    let good = packet(16, 16 + PADDING_LEN_MIN + 4);
    assert_eq!(open(&good), Ok(0));
    let count = (good.len() - 24) / 16;
    let block = |at: usize| 24 + 16 * at..24 + 16 * (at + 1);
    for to in 0..count {
        // Blocks of this packet, of others with good and bad lengths, and every value of a byte.
        for other in [&good, &packet(0, 16), &packet(-4, 64), &packet(i32::MAX, 16)] {
            for from in 0..(other.len() - 24) / 16 {
                let mut moved = good.clone();
                moved[block(to)].copy_from_slice(&other[block(from)]);
                if moved != good {
                    assert_eq!(open(&moved), Err(Error::WrongMsgKey), "{from} to {to}");
                }
            }
        }
        for byte in 1..=u8::MAX {
            let mut altered = good.clone();
            altered[block(to).start + 12] ^= byte;
            assert_eq!(open(&altered), Err(Error::WrongMsgKey));
        }
    }
    for length in [-4, 3, 1024, i32::MAX] {
        let refused = open(&packet(length, 16));
        assert!(matches!(refused, Err(Error::BadMessageLength { .. })), "{refused:?}");
    }
}

/// MTProto 1.0 leaves the padding out of `msg_key`, and took lengths on trust; it is for `auth.bindTempAuthKey` alone. A server must
/// not take a message that is sealed so, or everything above could be had by asking for the old protocol.
///
/// It would fail if packets were tried as both.
#[test]
fn messages_of_the_old_protocol_are_none() {
    // With padding, and without any.
    for room in [16 + PADDING_LEN_MIN + 4, 16] {
        let mut sealed = vec![0; 24 + 28];
        sealed.extend(16_i32.to_le_bytes());
        sealed.resize(24 + 32 + room, 0);
        let data_len = (sealed.len() - 24).saturating_sub(room % 16);
        crypto::envelope::seal_v1(&auth_key(), Side::Client, &mut sealed, data_len).unwrap();
        assert_eq!(open(&sealed), Err(Error::WrongMsgKey));
    }
    // Nor is what the server sent a message of its client.
    let mut reflected = vec![0; 24 + 64];
    crypto::envelope::seal(&auth_key(), Side::Server, &mut reflected).unwrap();
    assert_eq!(open(&reflected), Err(Error::WrongMsgKey));
}

// ===== The handshake =====

/// An exchange up to its second query, and what is to be said in it.
struct Exchange {
    handshakes: Handshakes,
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    pq: Vec<u8>,
    p: Vec<u8>,
    q: Vec<u8>,
}

fn offer() -> Offer {
    Offer { keys: vec![Arc::clone(&KEY)], dcs: vec![2] }
}

impl Exchange {
    fn new() -> Self {
        let (mut handshakes, nonce) = (Handshakes::default(), [9; 16]);
        let query = functions::ReqPqMulti::new(nonce).to_vec(Layer::NEWEST);
        let step = handshakes.handle(NOW, &offer(), &query, &mut rng(1));
        let Step::Answer(answer) = step else { panic!("{step:?}") };
        let answer = types::ResPQ::decode(&mut Cursor::new(answer.as_slice())).unwrap();
        let number = u64::from_be_bytes(answer.pq.try_into().unwrap());
        let (p, q) = crypto::pq::factorize(number).unwrap();
        let (p, q) = (Vec::from(p.to_be_bytes()), Vec::from(q.to_be_bytes()));
        let (server_nonce, pq) = (answer.server_nonce, answer.pq.to_vec());
        Self { handshakes, nonce, server_nonce, pq, p, q }
    }

    /// The inner data as it should be.
    fn inner(&self) -> types::PQInnerData<'_> {
        types::PQInnerData::new(&self.pq, &self.p, &self.q, self.nonce, self.server_nonce, [4; 32])
    }

    /// Sends the second query; the steps until its end.
    fn ask(&mut self, encrypted: &[u8]) -> (Vec<&'static str>, Option<Refused>) {
        let (nonce, server_nonce, fingerprint) = (self.nonce, self.server_nonce, KEY.fingerprint());
        let query = functions::ReqDHParams::new(
            nonce,
            server_nonce,
            &self.p,
            &self.q,
            fingerprint,
            encrypted,
        );
        let query = query.to_vec(Layer::NEWEST);
        let mut steps = Vec::new();
        let mut step = self.handshakes.handle(NOW, &offer(), &query, &mut rng(2));
        loop {
            step = match step {
                Step::Run(job) => {
                    steps.push("compute");
                    self.handshakes.job_done(NOW, job.run())
                }
                Step::Answer(_) => {
                    steps.push("answer");
                    return (steps, None);
                }
                Step::Refuse(error) => {
                    steps.push("refuse");
                    return (steps, Some(error));
                }
                other => panic!("{other:?}"),
            };
        }
    }
}

/// A server that decrypts the inner data of `req_DH_params` for whoever sends it is an oracle: multiplied blocks of a recorded
/// handshake, and whether, how and when they are refused, tell what the recorded one holds, and with that the key that was agreed.
/// A server must take the same steps and tell the same, whatever is wrong.
///
/// It would fail if a hash that does not fit were refused before the exponentiation that a good one costs, or with another code
/// than a nonce that does not; or if an exchange could be tried again with another block.
#[test]
fn every_wrong_inner_data_ends_alike() {
    let rng = &mut rng(3);
    let public = KEY.public();
    let tampered = |exchange: &Exchange, at: usize, rng: &mut ChaCha20Rng| {
        // Of RSA_PAD, with a bit of the block changed before it is encrypted.
        let data = exchange.inner().to_vec(Layer::NEWEST);
        loop {
            let (mut random, mut key) = ([0; 192], [0; 32]);
            rng.fill_bytes(&mut random);
            rng.fill_bytes(&mut key);
            let mut block = crypto::rsa::pad_rsa_pad(&data, &random, &key).unwrap();
            block[at] ^= 1;
            if let Ok(encrypted) = public.encrypt_raw(&block) {
                return Vec::from(encrypted);
            }
        }
    };
    type Make<'a> = Box<dyn Fn(&Exchange, &mut ChaCha20Rng) -> Vec<u8> + 'a>;
    let wrong = |change: fn(&mut types::PQInnerData<'_>)| -> Make<'_> {
        Box::new(move |exchange, rng| {
            let mut inner = exchange.inner();
            change(&mut inner);
            Vec::from(public.encrypt_pad(&inner.to_vec(Layer::NEWEST), rng).unwrap())
        })
    };
    let cases: Vec<(&str, Make<'_>)> = vec![
        ("another nonce", wrong(|inner| inner.nonce[0] ^= 1)),
        ("another server nonce", wrong(|inner| inner.server_nonce[0] ^= 1)),
        ("another product", wrong(|inner| inner.pq = &[1; 8])),
        ("another factor", wrong(|inner| inner.p = &[1; 4])),
        ("a wrong temporary key", Box::new(|exchange, rng| tampered(exchange, 8, rng))),
        ("a wrong hash", Box::new(|exchange, rng| tampered(exchange, 255, rng))),
        (
            "the old padding with a wrong hash",
            Box::new(|exchange, _| {
                let data = exchange.inner().to_vec(Layer::NEWEST);
                let mut block = *crypto::rsa::pad_old(&data, &[0; 235]).unwrap();
                block[1] ^= 1;
                Vec::from(public.encrypt_raw(&block).unwrap())
            }),
        ),
        ("random bytes", Box::new(|_, _| vec![0x55; 256])),
        ("one", Box::new(|_, _| [vec![0; 255], vec![1]].concat())),
        ("the modulus", Box::new(|_, _| Vec::from(*public.n()))),
    ];
    for (what, make) in cases {
        let mut exchange = Exchange::new();
        let encrypted = make(&exchange, rng);
        let (steps, error) = exchange.ask(&encrypted);
        assert_eq!(steps, ["compute", "refuse"], "{what}");
        assert_eq!(error.unwrap().transport_code(), -404, "{what}");
        // There is no second try, not even with what would have been right.
        let good = exchange.inner().to_vec(Layer::NEWEST);
        let good = public.encrypt_pad(&good, rng).unwrap();
        let (steps, error) = exchange.ask(&good);
        assert_eq!((steps, error.unwrap().transport_code()), (vec!["refuse"], -404), "{what}");
    }
    let mut exchange = Exchange::new();
    let good = public.encrypt_pad(&exchange.inner().to_vec(Layer::NEWEST), rng).unwrap();
    assert_eq!(exchange.ask(&good), (vec!["compute", "answer"], None));
}
