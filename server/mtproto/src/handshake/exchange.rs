//! One exchange of the server.
//!
//! ```text
//! AwaitReqDHParams --req_DH_params--> Opening --job--> AwaitSetClientDHParams <------------------+
//!                                                        --set_client_DH_params--> Agreeing      | dh_gen_retry
//!                                                          --job--> Storing --key_stored--+------+
//!                                                                                         +--> Done
//! ```
//!
//! Each state holds what it needs and moves by value, so that a step is neither skipped nor repeated and secrets go with the
//! state that needed them. Any error leads to `Done`.

use std::sync::Arc;

use crypto::auth_key::NewNonceHash;
use crypto::dh::{DhPublic, DhSecret};
use crypto::pq::Pq;
use crypto::rsa::PrivateKey;
use crypto::{AuthKey, auth_key, dh, envelope, kdf, rsa};
use tl::mtproto::{enums, functions, types};
use tl::{Cursor, Decode, Encode, Layer};
use zeroize::Zeroizing;

use crate::buffer::Buffer;
use crate::limits::{DH_RETRY_COUNT_MAX, TEMP_KEY_EXPIRES_IN_S_MAX};
use crate::time::UnixTime;

use super::server::{Config, Error, KeyKind, NewKey, Step, Stored};

/// Half of an exchange's name.
pub(super) type Nonce = [u8; 16];

/// Which of a connection's exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeId(pub(super) u32);

/// What the server contributes at first.
#[derive(Debug)]
pub(super) struct ResPQ {
    pub(super) server_nonce: Nonce,
    pub(super) pq: Pq,
}

impl ResPQ {
    pub(super) fn generate(rng: &mut impl rand_core::CryptoRng) -> Self {
        let mut server_nonce = Nonce::default();
        rng.fill_bytes(&mut server_nonce);
        Self { server_nonce, pq: Pq::generate(rng) }
    }
}

/// An exchange and what it answered so far.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) id: ExchangeId,
    pub(super) started: UnixTime,
    pub(super) nonce: Nonce,
    server_nonce: Nonce,
    pq: Pq,
    state: State,
    /// Hash of each query, and the answer if there is one yet.
    answered: Vec<([u8; 32], Option<Buffer>)>,
}

#[derive(Debug)]
enum State {
    AwaitReqDHParams,
    Opening(Opening),
    AwaitSetClientDHParams(Agreement),
    Agreeing(Agreement),
    Storing(Agreement, Aux),
    Done,
}

/// While the inner data is decrypted.
#[derive(Debug)]
struct Opening {
    dcs: Vec<i32>,
    padding: [u8; 16],
}

/// What the second half of the exchange needs.
struct Agreement {
    new_nonce: Zeroizing<[u8; 32]>,
    /// Away while the job that computes with it runs.
    secret: Option<DhSecret>,
    kind: KeyKind,
    dc: Option<i32>,
    server_time: i32,
    /// 0 at first, then the auxiliary hash of the key that was rejected.
    retry_id: i64,
    retry_count: usize,
}

/// Hashes of the key under way; the key itself is with the caller.
struct Aux {
    retry_id: i64,
    ok: Nonce,
    retry: Nonce,
    fail: Nonce,
}

/// Work that takes too long for a shard: an RSA decryption and g^a, or (g^b)^a.
#[derive(Debug)]
pub struct Job {
    exchange: ExchangeId,
    work: Work,
}

enum Work {
    Open { key: Arc<PrivateKey>, block: Box<[u8; 256]>, secret: DhSecret },
    Agree { secret: DhSecret, g_b: Box<DhPublic> },
}

/// The result of a [`Job`].
#[derive(Debug)]
pub struct JobDone {
    pub(super) exchange: ExchangeId,
    output: Output,
}

enum Output {
    Opened { data: Option<Zeroizing<Vec<u8>>>, secret: DhSecret, g_a: Option<Box<DhPublic>> },
    Agreed { secret: DhSecret, auth_key: AuthKey },
}

impl Job {
    /// Does the work: a millisecond or a few.
    #[must_use]
    pub fn run(self) -> JobDone {
        let output = match self.work {
            Work::Open { key, block, secret } => {
                let data = key.decrypt_raw(&block).ok().and_then(|block| {
                    rsa::unpad(&block, |data| len_of::<enums::PQInnerData<'_>>(data))
                });
                let g_a = secret.public().ok().map(Box::new);
                Output::Opened { data, secret, g_a }
            }
            Work::Agree { secret, g_b } => {
                let auth_key = secret.shared(&g_b);
                Output::Agreed { secret, auth_key }
            }
        };
        JobDone { exchange: self.exchange, output }
    }
}

impl Exchange {
    pub(super) const fn new(id: ExchangeId, started: UnixTime, nonce: Nonce, first: ResPQ) -> Self {
        let ResPQ { server_nonce, pq } = first;
        let state = State::AwaitReqDHParams;
        Self { id, started, nonce, server_nonce, pq, state, answered: Vec::new() }
    }

    pub(super) const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    pub(super) fn is_named(&self, nonce: &Nonce, server_nonce: &Nonce) -> bool {
        self.nonce == *nonce && self.server_nonce == *server_nonce
    }

    /// The first answer; every query with the same nonce gets it again.
    pub(super) fn res_pq(&self, config: &Config) -> Buffer {
        let fingerprints = config.keys.iter().map(|key| key.fingerprint()).collect();
        let pq = self.pq.pq_bytes();
        encode(&types::ResPQ::new(self.nonce, self.server_nonce, &pq, fingerprints))
    }

    /// Second query: checks the factors and has the inner data decrypted.
    pub(super) fn req_dh_params(
        &mut self,
        config: &Config,
        query: &functions::ReqDHParams<'_>,
        hash: [u8; 32],
        rng: &mut impl rand_core::CryptoRng,
    ) -> Result<Step, Error> {
        let mut random = Zeroizing::new([0; dh::SHORT_SECRET_LEN]);
        let mut padding = [0; 16];
        rng.fill_bytes(&mut *random);
        rng.fill_bytes(&mut padding);
        self.open(config, query, hash, DhSecret::short(*random), padding)
    }

    /// As [`Exchange::req_dh_params`], with the random numbers drawn.
    pub(super) fn open(
        &mut self,
        config: &Config,
        query: &functions::ReqDHParams<'_>,
        hash: [u8; 32],
        secret: DhSecret,
        padding: [u8; 16],
    ) -> Result<Step, Error> {
        if let Some(step) = self.repeated(&hash) {
            return Ok(step);
        }
        let State::AwaitReqDHParams = core::mem::replace(&mut self.state, State::Done) else {
            return Err(Error::OutOfOrder);
        };
        if number(query.p) != Some(self.pq.p) || number(query.q) != Some(self.pq.q) {
            return Err(Error::WrongFactors);
        }
        let fingerprint = query.public_key_fingerprint;
        let key = config
            .keys
            .iter()
            .find(|key| key.fingerprint() == fingerprint)
            .ok_or(Error::UnknownFingerprint { fingerprint })?;
        let block: [u8; 256] =
            query.encrypted_data.try_into().map_err(|_| Error::BadEncryptedData)?;
        self.answered.push((hash, None));
        self.state = State::Opening(Opening { dcs: config.dcs.clone(), padding });
        let work = Work::Open { key: Arc::clone(key), block: Box::new(block), secret };
        Ok(Step::Run(Job { exchange: self.id, work }))
    }

    /// Third query: decrypts g^b and has the key computed.
    pub(super) fn set_client_dh_params(
        &mut self,
        query: &functions::SetClientDHParams<'_>,
        hash: [u8; 32],
    ) -> Result<Step, Error> {
        if let Some(step) = self.repeated(&hash) {
            return Ok(step);
        }
        let State::AwaitSetClientDHParams(mut agreement) =
            core::mem::replace(&mut self.state, State::Done)
        else {
            return Err(Error::OutOfOrder);
        };
        let (key, iv) = kdf::tmp_aes(&agreement.new_nonce, &self.server_nonce);
        let mut encrypted = query.encrypted_data.to_vec();
        let data = envelope::open_dh(&mut encrypted, &key, &iv, |data| {
            len_of::<types::ClientDHInnerData<'_>>(data)
        })
        .map_err(|_| Error::BadEncryptedData)?;
        let inner = types::ClientDHInnerData::from_bytes(data)?;
        if !self.is_named(&inner.nonce, &inner.server_nonce) {
            return Err(Error::Mismatch);
        }
        if inner.retry_id != agreement.retry_id || agreement.retry_count > DH_RETRY_COUNT_MAX {
            return Err(Error::BadRetry);
        }
        let g_b = DhPublic::parse(inner.g_b).map_err(|_| Error::BadPublicValue)?;
        let secret = agreement.secret.take().ok_or(Error::OutOfOrder)?;
        self.answered.push((hash, None));
        self.state = State::Agreeing(agreement);
        let work = Work::Agree { secret, g_b: Box::new(g_b) };
        Ok(Step::Run(Job { exchange: self.id, work }))
    }

    pub(super) fn job_done(&mut self, now: UnixTime, done: JobDone) -> Result<Step, Error> {
        match (core::mem::replace(&mut self.state, State::Done), done.output) {
            (State::Opening(opening), Output::Opened { data, secret, g_a }) => {
                let data = data.ok_or(Error::BadEncryptedData)?;
                // Out of range once in 2^64; the client tries again.
                let g_a = g_a.ok_or(Error::BadPublicValue)?;
                self.opened(now, &opening, &data, secret, &g_a)
            }
            (State::Agreeing(mut agreement), Output::Agreed { secret, auth_key }) => {
                agreement.secret = Some(secret);
                Ok(self.agreed(agreement, auth_key))
            }
            (state, _) => {
                self.state = state;
                Ok(Step::Nothing)
            }
        }
    }

    /// The inner data is decrypted: checks it and answers with g^a.
    fn opened(
        &mut self,
        now: UnixTime,
        opening: &Opening,
        data: &[u8],
        secret: DhSecret,
        g_a: &DhPublic,
    ) -> Result<Step, Error> {
        let inner = Inner::decode(data)?;
        let (pq, p, q) = (self.pq.product(), self.pq.p, self.pq.q);
        let factors = [u64::from(p), u64::from(q), pq];
        if !self.is_named(&inner.nonce, &inner.server_nonce) || inner.numbers != factors.map(Some) {
            return Err(Error::Mismatch);
        }
        if let Some(dc) = inner.dc
            && !opening.dcs.contains(&dc.unsigned_abs().cast_signed().wrapping_rem(10_000))
        {
            return Err(Error::WrongDc { dc });
        }
        let kind = match inner.expires_in_s {
            None => KeyKind::Perm,
            Some(expires_in_s) if expires_in_s <= 0 => {
                return Err(Error::BadExpiry { expires_in_s });
            }
            Some(expires_in_s) => {
                KeyKind::Temp { expires_in_s: expires_in_s.min(TEMP_KEY_EXPIRES_IN_S_MAX) }
            }
        };
        let server_time = now.secs_i32();
        let answer = types::ServerDHInnerData::new(
            self.nonce,
            self.server_nonce,
            dh::G,
            &dh::PRIME,
            g_a.as_bytes(),
            server_time,
        );
        let (key, iv) = kdf::tmp_aes(&inner.new_nonce, &self.server_nonce);
        let encrypted =
            envelope::seal_dh(&answer.to_vec(Layer::NEWEST), &opening.padding, &key, &iv);
        let ok = types::ServerDHParamsOk::new(self.nonce, self.server_nonce, &encrypted);
        let answer = encode(&ok);
        self.state = State::AwaitSetClientDHParams(Agreement {
            new_nonce: inner.new_nonce,
            secret: Some(secret),
            kind,
            dc: inner.dc,
            server_time,
            retry_id: 0,
            retry_count: 0,
        });
        Ok(self.answer(answer))
    }

    /// The key is computed: has it stored.
    fn agreed(&mut self, agreement: Agreement, auth_key: AuthKey) -> Step {
        let hash = |n| auth_key.new_nonce_hash(&agreement.new_nonce, n);
        let aux = Aux {
            retry_id: auth_key.aux_hash().cast_signed(),
            ok: hash(NewNonceHash::Ok),
            retry: hash(NewNonceHash::Retry),
            fail: hash(NewNonceHash::Fail),
        };
        // Zero would read as "unencrypted".
        if auth_key.id().0 == 0 {
            return self.retry(agreement, &aux);
        }
        let first_salt = auth_key::first_salt(&agreement.new_nonce, &self.server_nonce);
        let step = Step::Store(NewKey {
            exchange: self.id,
            auth_key,
            kind: agreement.kind,
            first_salt: first_salt.cast_signed(),
            dc: agreement.dc,
            server_time: agreement.server_time,
        });
        self.state = State::Storing(agreement, aux);
        step
    }

    pub(super) fn key_stored(&mut self, outcome: Stored) -> Result<Step, Error> {
        match core::mem::replace(&mut self.state, State::Done) {
            State::Storing(agreement, aux) => Ok(match outcome {
                Stored::Ok => {
                    self.answer(encode(&types::DhGenOk::new(self.nonce, self.server_nonce, aux.ok)))
                }
                Stored::Duplicate => self.retry(agreement, &aux),
                Stored::Failed => {
                    let fail = types::DhGenFail::new(self.nonce, self.server_nonce, aux.fail);
                    self.answer(encode(&fail))
                }
            }),
            state => {
                self.state = state;
                Ok(Step::Nothing)
            }
        }
    }

    /// Asks for another g^b; g^a stays.
    fn retry(&mut self, mut agreement: Agreement, aux: &Aux) -> Step {
        agreement.retry_id = aux.retry_id;
        agreement.retry_count = agreement.retry_count.saturating_add(1);
        self.state = State::AwaitSetClientDHParams(agreement);
        self.answer(encode(&types::DhGenRetry::new(self.nonce, self.server_nonce, aux.retry)))
    }

    /// Notes the answer to the query that came last.
    fn answer(&mut self, answer: Buffer) -> Step {
        if let Some((_, waiting)) = self.answered.last_mut() {
            *waiting = Some(answer.clone());
        }
        Step::Answer(answer)
    }

    /// What to do about a query that was seen before.
    fn repeated(&self, hash: &[u8; 32]) -> Option<Step> {
        let (_, answer) = self.answered.iter().find(|(seen, _)| seen == hash)?;
        Some(match answer {
            Some(answer) => Step::Answer(answer.clone()),
            // After a failure nothing is under way any more.
            None if self.is_done() => Step::Refuse(Error::OutOfOrder),
            None => Step::Nothing,
        })
    }
}

/// The four kinds of inner data, as one.
struct Inner {
    nonce: Nonce,
    server_nonce: Nonce,
    new_nonce: Zeroizing<[u8; 32]>,
    /// `p`, `q`, `pq`.
    numbers: [Option<u64>; 3],
    dc: Option<i32>,
    expires_in_s: Option<i32>,
}

impl Inner {
    fn decode(data: &[u8]) -> Result<Self, Error> {
        macro_rules! inner {
            ($data:expr, $dc:expr, $expires_in_s:expr) => {
                Self {
                    nonce: $data.nonce,
                    server_nonce: $data.server_nonce,
                    new_nonce: Zeroizing::new($data.new_nonce),
                    numbers: [$data.p, $data.q, $data.pq].map(number64),
                    dc: $dc,
                    expires_in_s: $expires_in_s,
                }
            };
        }
        Ok(match enums::PQInnerData::decode(&mut Cursor::new(data))? {
            enums::PQInnerData::PQInnerData(d) => inner!(d, None, None),
            enums::PQInnerData::PQInnerDataDc(d) => inner!(d, Some(d.dc), None),
            enums::PQInnerData::PQInnerDataTemp(d) => inner!(d, None, Some(d.expires_in)),
            enums::PQInnerData::PQInnerDataTempDc(d) => inner!(d, Some(d.dc), Some(d.expires_in)),
        })
    }
}

/// How many bytes the `T` at the front of `bytes` takes.
fn len_of<'a, T: Decode<'a>>(bytes: &'a [u8]) -> Option<usize> {
    let mut input = Cursor::new(bytes);
    T::decode(&mut input).ok()?;
    Some(input.position())
}

/// A big-endian number of at most eight bytes; leading zeros do not matter.
fn number64(bytes: &[u8]) -> Option<u64> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = bytes.get(zeros..).filter(|digits| digits.len() <= 8)?;
    Some(digits.iter().fold(0, |number, digit| (number << 8) | u64::from(*digit)))
}

fn number(bytes: &[u8]) -> Option<u32> {
    number64(bytes).and_then(|number| u32::try_from(number).ok())
}

fn encode(value: &impl Encode) -> Buffer {
    Buffer::encode(value, Layer::NEWEST)
}

impl core::fmt::Debug for Agreement {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { kind, dc, retry_count, .. } = self;
        write!(f, "Agreement {{ {kind:?}, dc: {dc:?}, retries: {retry_count} }}")
    }
}

impl core::fmt::Debug for Aux {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Aux")
    }
}

impl core::fmt::Debug for Work {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Open { .. } => "Open",
            Self::Agree { .. } => "Agree",
        })
    }
}

impl core::fmt::Debug for Output {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Opened { .. } => "Opened",
            Self::Agreed { .. } => "Agreed",
        })
    }
}
