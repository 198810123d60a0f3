//! Both sides against each other, the server against known answers and against peers that do not follow.

use std::sync::{Arc, LazyLock};

use crypto::dh::DhSecret;
use crypto::pq::Pq;
use crypto::rsa::PrivateKey;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde_json::Value;
use tl::mtproto::{functions, types};
use tl::{Cursor, Decode as _, Encode as _, Layer};

use super::client::{self, Client, Next, RsaPadding};
use super::exchange::{Exchange, ExchangeId, ResPQ};
use super::server::{Config, Error, Handshakes, KeyKind, NewKey, Step, Stored};
use crate::limits::{
    DH_RETRY_COUNT_MAX, EXCHANGE_AGE_MAX, EXCHANGE_COUNT_MAX, TEMP_KEY_EXPIRES_IN_S_MAX,
};
use crate::{Buffer, UnixTime};

static VECTORS: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../tests/vectors/handshake.json")).unwrap()
});

static KEY: LazyLock<Arc<PrivateKey>> =
    LazyLock::new(|| Arc::new(PrivateKey::from_pem(VECTORS["rsa_pem"].as_str().unwrap()).unwrap()));

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn bytes(name: &str) -> Vec<u8> {
    hex::decode(VECTORS[name].as_str().unwrap()).unwrap()
}

fn array<const N: usize>(name: &str) -> [u8; N] {
    bytes(name).try_into().unwrap()
}

fn config() -> Config {
    Config { keys: vec![Arc::clone(&KEY)], dcs: vec![1, 2, 3] }
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

// ===== Known answers =====

/// Runs the vectors' exchange with one of its encrypted blocks; gives it and the answers at the point of storing.
fn known_exchange(encrypted_data: &str) -> (Exchange, Vec<u8>, NewKey) {
    let pq = Pq { p: u32::from_be_bytes(array("p")), q: u32::from_be_bytes(array("q")) };
    let first = ResPQ { server_nonce: array("server_nonce"), pq };
    let mut exchange = Exchange::new(ExchangeId(1), NOW, array("nonce"), first);

    let res_pq = exchange.res_pq(&config());
    let res_pq = types::ResPQ::from_bytes(res_pq.as_slice()).unwrap();
    assert_eq!(res_pq.pq, bytes("pq"));
    let fingerprint = VECTORS["fingerprint_i64"].as_i64().unwrap();
    assert_eq!(res_pq.server_public_key_fingerprints, [fingerprint]);

    let (p, q, data) = (bytes("p"), bytes("q"), bytes(encrypted_data));
    let (nonce, server_nonce) = (res_pq.nonce, res_pq.server_nonce);
    let query = functions::ReqDHParams::new(nonce, server_nonce, &p, &q, fingerprint, &data);
    let mut padding = [0; 16];
    padding[..8].copy_from_slice(&bytes("answer_padding"));
    let secret = DhSecret::full(array("a"));
    let step = exchange.open(&config(), &query, [1; 32], secret, padding).unwrap();
    let Step::Run(job) = step else { panic!("{step:?}") };
    let step = exchange.job_done(NOW, job.run()).unwrap();
    let Step::Answer(params) = step else { panic!("{step:?}") };

    let data = bytes("client_encrypted_data");
    let query = functions::SetClientDHParams::new(nonce, server_nonce, &data);
    let step = exchange.set_client_dh_params(&query, [2; 32]).unwrap();
    let Step::Run(job) = step else { panic!("{step:?}") };
    let step = exchange.job_done(NOW, job.run()).unwrap();
    let Step::Store(key) = step else { panic!("{step:?}") };
    (exchange, params.as_slice().to_vec(), key)
}

#[test]
fn known_answers_with_either_padding() {
    for (encrypted, dc) in [("rsa_pad_encrypted_data", Some(2)), ("rsa_old_encrypted_data", None)] {
        let (_, params, key) = known_exchange(encrypted);
        let params = types::ServerDHParamsOk::from_bytes(&params).unwrap();
        assert_eq!(params.encrypted_answer, bytes("encrypted_answer"));
        assert_eq!(key.auth_key.as_bytes()[..], bytes("auth_key"));
        assert_eq!(key.auth_key.id().to_le_bytes()[..], bytes("auth_key_id"));
        assert_eq!(key.first_salt.to_le_bytes()[..], bytes("server_salt"));
        assert_eq!((key.dc, key.kind, key.server_time), (dc, KeyKind::Perm, 1_700_000_000));
    }
}

#[test]
fn known_hashes_of_the_last_answer() {
    for (stored, hash) in [
        (Stored::Ok, "new_nonce_hash1"),
        (Stored::Duplicate, "new_nonce_hash2"),
        (Stored::Failed, "new_nonce_hash3"),
    ] {
        let (mut exchange, ..) = known_exchange("rsa_pad_encrypted_data");
        let step = exchange.key_stored(stored).unwrap();
        let Step::Answer(answer) = step else { panic!("{step:?}") };
        assert_eq!(answer.as_slice()[36..], bytes(hash), "{stored:?}");
    }
}

// ===== Both sides =====

/// Everything a client may want.
fn client_config(padding: RsaPadding, inner: client::Inner) -> client::Config {
    client::Config { keys: vec![KEY.public().clone()], padding, inner }
}

/// A server that runs jobs at once and stores keys with the given outcomes, then `Ok`.
struct Server {
    handshakes: Handshakes,
    outcomes: Vec<Stored>,
    keys: Vec<NewKey>,
    rng: ChaCha20Rng,
}

impl Server {
    fn new(seed: u64, outcomes: &[Stored]) -> Self {
        let outcomes = outcomes.iter().rev().copied().collect();
        let rng = rng(seed ^ 0xffff);
        Self { handshakes: Handshakes::default(), outcomes, keys: Vec::new(), rng }
    }

    fn query(&mut self, body: &[u8]) -> Result<Option<Buffer>, Error> {
        let mut step = self.handshakes.handle(NOW, &config(), body, &mut self.rng);
        loop {
            step = match step {
                Step::Answer(answer) => return Ok(Some(answer)),
                Step::Nothing => return Ok(None),
                Step::Refuse(error) => return Err(error),
                Step::Run(job) => {
                    // A repeat meanwhile changes nothing.
                    let repeat = self.handshakes.handle(NOW, &config(), body, &mut self.rng);
                    assert!(matches!(repeat, Step::Nothing), "{repeat:?}");
                    self.handshakes.job_done(NOW, job.run())
                }
                Step::Store(key) => {
                    let outcome = self.outcomes.pop().unwrap_or(Stored::Ok);
                    let exchange = key.exchange;
                    if outcome == Stored::Ok {
                        self.keys.push(key);
                    }
                    self.handshakes.key_stored(NOW, exchange, outcome)
                }
            };
        }
    }

    /// Runs a whole exchange.
    fn shake(&mut self, seed: u64, config: client::Config) -> Result<client::Done, String> {
        let rng = &mut rng(seed);
        let (mut client, mut query) = Client::start(config, rng);
        loop {
            let body = query.as_slice().to_vec();
            let answer = self.query(&body).map_err(|error| format!("server: {error}"))?.unwrap();
            let again = self.query(&body).unwrap().unwrap();
            assert_eq!(answer.as_slice(), again.as_slice(), "a repeat gets the same bytes");
            match client.handle(answer.as_slice(), rng).map_err(|e| format!("client: {e}"))? {
                Next::Send(next, body) => (client, query) = (next, body),
                Next::Done(done) => return Ok(done),
            }
        }
    }
}

#[track_caller]
fn check(
    padding: RsaPadding,
    inner: client::Inner,
    outcomes: &[Stored],
    expected: Result<(KeyKind, Option<i32>), &str>,
) {
    let mut server = Server::new(1, outcomes);
    match (server.shake(2, client_config(padding, inner)), expected) {
        (Ok(done), Ok((kind, dc))) => {
            let key = server.keys.pop().unwrap();
            assert_eq!(done.auth_key, key.auth_key);
            assert_eq!(done.first_salt, key.first_salt);
            assert_eq!(done.server_time, 1_700_000_000);
            assert_eq!((key.kind, key.dc), (kind, dc));
        }
        (Err(error), Err(expected)) => assert!(error.contains(expected), "{error}"),
        (outcome, expected) => panic!("{outcome:?}, expected {expected:?}"),
    }
}

#[test]
fn every_kind_of_inner_data() {
    use client::Inner::{Dc, Plain, Temp, TempDc};
    let day = KeyKind::Temp { expires_in_s: 86_400 };
    let most = KeyKind::Temp { expires_in_s: TEMP_KEY_EXPIRES_IN_S_MAX };
    for padding in [RsaPadding::Pad, RsaPadding::Old] {
        for (inner, expected) in [
            (Plain, Ok((KeyKind::Perm, None))),
            (Dc(2), Ok((KeyKind::Perm, Some(2)))),
            (Dc(-3), Ok((KeyKind::Perm, Some(-3)))),
            (Dc(10_002), Ok((KeyKind::Perm, Some(10_002)))),
            (Dc(4), Err("wrong data centre 4")),
            (Dc(0), Err("wrong data centre 0")),
            (Dc(i32::MIN), Err("wrong data centre")),
            (Temp { expires_in_s: 86_400 }, Ok((day, None))),
            (Temp { expires_in_s: i32::MAX }, Ok((most, None))),
            (Temp { expires_in_s: 0 }, Err("temporary key for 0 s")),
            (TempDc { dc: 1, expires_in_s: 86_400 }, Ok((day, Some(1)))),
            (TempDc { dc: 9, expires_in_s: 86_400 }, Err("wrong data centre 9")),
        ] {
            check(padding, inner, &[], expected);
        }
    }
}

#[test]
fn a_taken_key_id_leads_to_a_retry() {
    let perm = Ok((KeyKind::Perm, Some(2)));
    let dc = client::Inner::Dc(2);
    check(RsaPadding::Pad, dc, &[Stored::Duplicate], perm);
    check(RsaPadding::Pad, dc, &[Stored::Duplicate; DH_RETRY_COUNT_MAX], perm);
    let beyond = [Stored::Duplicate; DH_RETRY_COUNT_MAX + 1];
    check(RsaPadding::Pad, dc, &beyond, Err("wrong retry"));
    check(RsaPadding::Pad, dc, &[Stored::Failed], Err("the server refused"));
}

#[test]
fn two_exchanges_side_by_side() {
    let mut server = Server::new(3, &[]);
    let rng = &mut rng(4);
    let start =
        |inner, rng: &mut ChaCha20Rng| Client::start(client_config(RsaPadding::Pad, inner), rng);
    let (temp, temp_query) = start(client::Inner::Temp { expires_in_s: 60 }, rng);
    let (perm, perm_query) = start(client::Inner::Plain, rng);
    let mut sides = vec![(temp, temp_query), (perm, perm_query)];
    let mut done = 0;
    while let Some((client, query)) = sides.pop() {
        let answer = server.query(query.as_slice()).unwrap().unwrap();
        match client.handle(answer.as_slice(), rng).unwrap() {
            Next::Send(client, query) => sides.insert(0, (client, query)),
            Next::Done(_) => done += 1,
        }
    }
    assert_eq!((done, server.keys.len()), (2, 2));
    assert_ne!(server.keys[0].kind, server.keys[1].kind);
}

// ===== Peers that do not follow =====

#[test]
fn what_is_no_step_is_refused() {
    let mut server = Server::new(5, &[]);
    let encode = |query: &dyn Fn(&mut Vec<u8>)| {
        let mut body = Vec::new();
        query(&mut body);
        body
    };
    let unknown = encode(&|out| functions::Ping::new(1).encode(Layer::NEWEST, out));
    assert_eq!(server.query(&unknown).unwrap_err(), Error::UnknownQuery { id: 0x7abe_77ec });
    let ack = encode(&|out| types::MsgsAck::new(vec![1]).encode(Layer::NEWEST, out));
    assert!(server.query(&ack).unwrap().is_none());
    let stray = encode(&|out| {
        functions::SetClientDHParams::new([0; 16], [0; 16], &[0; 64]).encode(Layer::NEWEST, out);
    });
    assert_eq!(server.query(&stray).unwrap_err(), Error::UnknownExchange);
    assert!(matches!(server.query(&[1, 2]).unwrap_err(), Error::Malformed(_)));
    assert_eq!(Error::WrongDc { dc: 7 }.transport_code(), -444);
    assert_eq!(Error::UnknownExchange.transport_code(), -404);
}

/// The first answer, and its query with other bytes behind it.
#[test]
fn bytes_after_the_query_do_not_matter() {
    let mut server = Server::new(6, &[]);
    let mut body = functions::ReqPqMulti::new([9; 16]).to_vec(Layer::NEWEST);
    let first = server.query(&body).unwrap().unwrap();
    body.extend_from_slice(&[1, 2, 3]);
    let second = server.query(&body).unwrap().unwrap();
    assert_eq!(first.as_slice(), second.as_slice());
}

#[test]
fn wrong_second_queries() {
    let fingerprint = KEY.fingerprint();
    for (change, expected) in [
        ("p", Error::WrongFactors),
        ("fingerprint", Error::UnknownFingerprint { fingerprint: 1 }),
        ("short", Error::BadEncryptedData),
        ("garbage", Error::BadEncryptedData),
        ("server_nonce", Error::UnknownExchange),
    ] {
        let mut server = Server::new(7, &[]);
        let body = functions::ReqPq::new([9; 16]).to_vec(Layer::NEWEST);
        let answer = server.query(&body).unwrap().unwrap();
        let res_pq = types::ResPQ::decode(&mut Cursor::new(answer.as_slice())).unwrap();
        let (p, q) =
            crypto::pq::factorize(u64::from_be_bytes(res_pq.pq.try_into().unwrap())).unwrap();
        let (p, q) = (p.to_be_bytes(), q.to_be_bytes());
        let mut garbage = [0; 256];
        rng(8).fill_bytes(&mut garbage);
        garbage[0] &= 0x7f;
        let mut query = functions::ReqDHParams::new(
            res_pq.nonce,
            res_pq.server_nonce,
            &p,
            &q,
            fingerprint,
            &garbage,
        );
        match change {
            "p" => query.p = &q,
            "fingerprint" => query.public_key_fingerprint = 1,
            "short" => query.encrypted_data = &garbage[1..],
            "server_nonce" => query.server_nonce = [0; 16],
            _ => {}
        }
        let body = query.to_vec(Layer::NEWEST);
        assert_eq!(server.query(&body).unwrap_err(), expected, "{change}");
        // There is no second try.
        assert!(server.query(&body).is_err(), "{change}");
    }
}

#[test]
fn exchanges_are_bounded_in_number_and_time() {
    let mut server = Server::new(9, &[]);
    let query = |nonce| functions::ReqPqMulti::new([nonce; 16]).to_vec(Layer::NEWEST);
    for nonce in 0..EXCHANGE_COUNT_MAX {
        server.query(&query(nonce as u8)).unwrap();
    }
    let one_more = query(EXCHANGE_COUNT_MAX as u8);
    assert_eq!(server.query(&one_more).unwrap_err(), Error::TooMany);
    let end = server.handshakes.poll_timeout().unwrap();
    assert_eq!(end, NOW + EXCHANGE_AGE_MAX);
    server.handshakes.handle_timeout(end);
    assert_eq!(server.handshakes.poll_timeout(), None);
    server.query(&one_more).unwrap();
}
