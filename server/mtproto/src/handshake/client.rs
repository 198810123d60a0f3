//! The client's side, for tests and the load generator: one key from a server whose public key is known.

use crypto::auth_key::{self, NewNonceHash};
use crypto::dh::{self, DhPublic, DhSecret};
use crypto::rsa::PublicKey;
use crypto::{AuthKey, ct_eq, envelope, kdf, pq};
use tl::mtproto::{enums, functions, types};
use tl::{Cursor, Decode, DecodeError, Encode, Layer};

use crate::buffer::Buffer;

/// Which key to ask for, and how.
#[derive(Clone, Debug)]
pub struct Config {
    /// The keys that the server may have.
    pub keys: Vec<PublicKey>,
    /// How the inner data is padded before encryption.
    pub padding: RsaPadding,
    /// Which of the four kinds of inner data to send.
    pub inner: Inner,
}

/// How the inner data is padded before encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RsaPadding {
    /// As documented since 2021.
    Pad,
    /// SHA-1, data and random bytes, as before that.
    Old,
}

/// Which of the four kinds of inner data to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inner {
    /// `p_q_inner_data`.
    Plain,
    /// `p_q_inner_data_dc`.
    Dc(i32),
    /// `p_q_inner_data_temp`.
    Temp {
        /// Life of the key.
        expires_in_s: i32,
    },
    /// `p_q_inner_data_temp_dc`.
    TempDc {
        /// The data centre.
        dc: i32,
        /// Life of the key.
        expires_in_s: i32,
    },
}

/// A key made.
#[derive(Clone, Debug)]
pub struct Done {
    /// The key.
    pub auth_key: AuthKey,
    /// The first salt.
    pub first_salt: i64,
    /// What the server said the time is, in unix seconds.
    pub server_time: i32,
}

/// What follows an answer.
#[derive(Debug)]
pub enum Next {
    /// Send this unencrypted, and wait.
    Send(Client, Buffer),
    /// The exchange is over.
    Done(Done),
}

/// Why the server's answer is not acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It does not decode, or belongs to another step.
    #[error("answer does not decode: {0}")]
    Malformed(#[from] DecodeError),
    /// A nonce or hash differs.
    #[error("answer belongs to another exchange")]
    Mismatch,
    /// The server has none of the keys.
    #[error("no key of the server is known")]
    UnknownKeys,
    /// `pq` is no product of two primes.
    #[error("pq cannot be factorized")]
    BadPq,
    /// Group or public value are out of range.
    #[error("the server's numbers are out of range")]
    BadNumbers,
    /// Encryption failed, which only a wrong configuration causes.
    #[error("inner data cannot be encrypted")]
    Encryption,
    /// The server refused.
    #[error("the server refused")]
    Refused,
}

/// An exchange under way.
#[derive(Debug)]
pub struct Client {
    config: Config,
    nonce: [u8; 16],
    state: State,
}

enum State {
    AwaitResPQ,
    AwaitParams { server_nonce: [u8; 16], new_nonce: [u8; 32] },
    AwaitDhGen(Box<Agreement>),
}

/// What the last step needs.
struct Agreement {
    server_nonce: [u8; 16],
    new_nonce: [u8; 32],
    g_a: DhPublic,
    auth_key: AuthKey,
    server_time: i32,
}

impl Client {
    /// Starts an exchange.
    pub fn start(config: Config, rng: &mut impl rand_core::CryptoRng) -> (Self, Buffer) {
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        let query = encode(&functions::ReqPqMulti::new(nonce));
        (Self { config, nonce, state: State::AwaitResPQ }, query)
    }

    /// Takes the body of an unencrypted answer.
    ///
    /// # Errors
    ///
    /// See [`Error`]; the exchange is over.
    pub fn handle(self, body: &[u8], rng: &mut impl rand_core::CryptoRng) -> Result<Next, Error> {
        let Self { config, nonce, state } = self;
        let send = |config, state, query| Next::Send(Self { config, nonce, state }, query);
        match state {
            State::AwaitResPQ => {
                let res_pq = types::ResPQ::decode(&mut Cursor::new(body))?;
                if res_pq.nonce != nonce {
                    return Err(Error::Mismatch);
                }
                let mut new_nonce = [0; 32];
                rng.fill_bytes(&mut new_nonce);
                let query = req_dh_params(&config, &res_pq, new_nonce, rng)?;
                let server_nonce = res_pq.server_nonce;
                Ok(send(config, State::AwaitParams { server_nonce, new_nonce }, query))
            }
            State::AwaitParams { server_nonce, new_nonce } => {
                let params = match enums::ServerDHParams::decode(&mut Cursor::new(body))? {
                    enums::ServerDHParams::ServerDHParamsOk(params) => params,
                    enums::ServerDHParams::ServerDHParamsFail(_) => return Err(Error::Refused),
                };
                if params.nonce != nonce || params.server_nonce != server_nonce {
                    return Err(Error::Mismatch);
                }
                let (key, iv) = kdf::tmp_aes(&new_nonce, &server_nonce);
                let mut encrypted = params.encrypted_answer.to_vec();
                let data = envelope::open_dh(&mut encrypted, &key, &iv, |data| {
                    let mut input = Cursor::new(data);
                    types::ServerDHInnerData::decode(&mut input).ok()?;
                    Some(input.position())
                })
                .map_err(|_| Error::Mismatch)?;
                let inner = types::ServerDHInnerData::from_bytes(data)?;
                if inner.nonce != nonce || inner.server_nonce != server_nonce {
                    return Err(Error::Mismatch);
                }
                if inner.g != dh::G || inner.dh_prime != dh::PRIME {
                    return Err(Error::BadNumbers);
                }
                let g_a = DhPublic::parse(inner.g_a).map_err(|_| Error::BadNumbers)?;
                let server_time = inner.server_time;
                let (agreement, query) =
                    agree(nonce, server_nonce, new_nonce, g_a, server_time, 0, rng)?;
                Ok(send(config, State::AwaitDhGen(Box::new(agreement)), query))
            }
            State::AwaitDhGen(agreement) => {
                let Agreement { server_nonce, new_nonce, g_a, auth_key, server_time } = *agreement;
                let hash = |n| auth_key.new_nonce_hash(&new_nonce, n);
                let answer = enums::SetClientDHParamsAnswer::decode(&mut Cursor::new(body))?;
                let (ours, theirs) = match &answer {
                    enums::SetClientDHParamsAnswer::DhGenOk(ok) => {
                        (hash(NewNonceHash::Ok), ok.new_nonce_hash1)
                    }
                    enums::SetClientDHParamsAnswer::DhGenRetry(retry) => {
                        (hash(NewNonceHash::Retry), retry.new_nonce_hash2)
                    }
                    enums::SetClientDHParamsAnswer::DhGenFail(_) => return Err(Error::Refused),
                };
                if !ct_eq(&ours, &theirs) {
                    return Err(Error::Mismatch);
                }
                if let enums::SetClientDHParamsAnswer::DhGenOk(_) = answer {
                    let salt = auth_key::first_salt(&new_nonce, &server_nonce);
                    let first_salt = salt.cast_signed();
                    return Ok(Next::Done(Done { auth_key, first_salt, server_time }));
                }
                let retry_id = auth_key.aux_hash().cast_signed();
                let (agreement, query) =
                    agree(nonce, server_nonce, new_nonce, g_a, server_time, retry_id, rng)?;
                Ok(send(config, State::AwaitDhGen(Box::new(agreement)), query))
            }
        }
    }
}

/// The second query: the factors, and the new nonce encrypted.
fn req_dh_params(
    config: &Config,
    res_pq: &types::ResPQ<'_>,
    new_nonce: [u8; 32],
    rng: &mut impl rand_core::CryptoRng,
) -> Result<Buffer, Error> {
    let key = config
        .keys
        .iter()
        .find(|key| res_pq.server_public_key_fingerprints.contains(&key.fingerprint()))
        .ok_or(Error::UnknownKeys)?;
    let product = res_pq.pq.iter().fold(0_u64, |number, digit| (number << 8) | u64::from(*digit));
    let (p, q) = pq::factorize(product).ok_or(Error::BadPq)?;
    let (p, q) = (p.to_be_bytes(), q.to_be_bytes());
    let (pq, nonce, server_nonce) = (res_pq.pq, res_pq.nonce, res_pq.server_nonce);
    let data = match config.inner {
        Inner::Plain => types::PQInnerData::new(pq, &p, &q, nonce, server_nonce, new_nonce)
            .to_vec(Layer::NEWEST),
        Inner::Dc(dc) => types::PQInnerDataDc::new(pq, &p, &q, nonce, server_nonce, new_nonce, dc)
            .to_vec(Layer::NEWEST),
        Inner::Temp { expires_in_s } => {
            types::PQInnerDataTemp::new(pq, &p, &q, nonce, server_nonce, new_nonce, expires_in_s)
                .to_vec(Layer::NEWEST)
        }
        Inner::TempDc { dc, expires_in_s } => types::PQInnerDataTempDc::new(
            pq,
            &p,
            &q,
            nonce,
            server_nonce,
            new_nonce,
            dc,
            expires_in_s,
        )
        .to_vec(Layer::NEWEST),
    };
    let encrypted = match config.padding {
        RsaPadding::Pad => key.encrypt_pad(&data, rng),
        RsaPadding::Old => key.encrypt_old(&data, rng),
    }
    .map_err(|_| Error::Encryption)?;
    let fingerprint = key.fingerprint();
    Ok(encode(&functions::ReqDHParams::new(nonce, server_nonce, &p, &q, fingerprint, &encrypted)))
}

/// The third query: our half of the agreement.
fn agree(
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    new_nonce: [u8; 32],
    g_a: DhPublic,
    server_time: i32,
    retry_id: i64,
    rng: &mut impl rand_core::CryptoRng,
) -> Result<(Agreement, Buffer), Error> {
    let (secret, g_b) = DhSecret::generate(rng);
    let mut padding = [0; 16];
    rng.fill_bytes(&mut padding);
    let data = types::ClientDHInnerData::new(nonce, server_nonce, retry_id, g_b.as_bytes())
        .to_vec(Layer::NEWEST);
    let (key, iv) = kdf::tmp_aes(&new_nonce, &server_nonce);
    let encrypted = envelope::seal_dh(&data, &padding, &key, &iv);
    let query = encode(&functions::SetClientDHParams::new(nonce, server_nonce, &encrypted));
    let auth_key = secret.shared(&g_a);
    Ok((Agreement { server_nonce, new_nonce, g_a, auth_key, server_time }, query))
}

fn encode(value: &impl Encode) -> Buffer {
    Buffer::encode(value, Layer::NEWEST)
}

impl core::fmt::Debug for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::AwaitResPQ => "AwaitResPQ",
            Self::AwaitParams { .. } => "AwaitParams",
            Self::AwaitDhGen(_) => "AwaitDhGen",
        })
    }
}
