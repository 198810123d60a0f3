//! The server's side: all exchanges of one connection.
//!
//! Expensive work (RSA, modular exponentiation) is handed out as a [`Job`] to be run elsewhere, and comes back as a
//! [`JobDone`]. A finished key is handed out as a [`NewKey`] to be stored; only [`Handshakes::key_stored`] releases the
//! answer, so a client never holds a key that a crash could lose.
//!
//! A connection has a few exchanges, told apart by the client's nonce, because Telegram Desktop makes its permanent and its
//! temporary key side by side. A query repeated byte for byte is answered with the same bytes.

use std::sync::Arc;

use crypto::rsa::PrivateKey;
use crypto::{AuthKey, sha};
use tl::mtproto::{functions, types};
use tl::{Cursor, Decode as _, DecodeError};

use crate::buffer::Buffer;
use crate::limits::{EXCHANGE_AGE_MAX, EXCHANGE_COUNT_MAX};
use crate::time::UnixTime;

use super::exchange::{Exchange, Nonce, ResPQ};
pub use super::exchange::{ExchangeId, Job, JobDone};

/// What the server offers and accepts.
#[derive(Debug)]
pub struct Config {
    /// The keys that a client may encrypt for.
    pub keys: Vec<Arc<PrivateKey>>,
    /// Ids of the data centres that this server stands for.
    ///
    /// Clients add 10000 for a test data centre and negate the id for a media one; both are accepted.
    pub dcs: Vec<i32>,
}

/// What the caller has to do next.
#[derive(Debug)]
pub enum Step {
    /// Send this, as an unencrypted message.
    Answer(Buffer),
    /// Run this where it may take a few milliseconds, and give the result to [`Handshakes::job_done`].
    Run(Job),
    /// Store this durably, and say so to [`Handshakes::key_stored`].
    Store(NewKey),
    /// Nothing: an acknowledgement, or a query that is being worked on.
    Nothing,
    /// Send the error's transport code and close the connection.
    Refuse(Error),
}

/// A key to be stored before the client may know that it exists.
#[derive(Debug)]
pub struct NewKey {
    /// Which exchange made it.
    pub exchange: ExchangeId,
    /// The key.
    pub auth_key: AuthKey,
    /// How long it lives.
    pub kind: KeyKind,
    /// The salt that both sides know already.
    pub first_salt: i64,
    /// The data centre, as the client named it.
    pub dc: Option<i32>,
    /// The time that the client was told, in unix seconds.
    pub server_time: i32,
}

/// How long a key lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Until it is destroyed.
    Perm,
    /// For a while; it acts for the permanent key that it gets bound to.
    Temp {
        /// Seconds from now.
        expires_in_s: i32,
    },
}

/// What became of a [`NewKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is durable.
    Ok,
    /// Another key has the same id.
    Duplicate,
    /// It could not be stored.
    Failed,
}

/// Why an exchange ends without a key. The peer is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not one of the four queries that may arrive unencrypted.
    #[error("unencrypted {id:#010x}")]
    UnknownQuery {
        /// The constructor's id.
        id: u32,
    },
    /// A query or what is encrypted in it does not decode.
    #[error("query does not decode: {0}")]
    Malformed(#[from] DecodeError),
    /// The nonces name no exchange of this connection, or one that is older than ten minutes.
    #[error("unknown or expired exchange")]
    UnknownExchange,
    /// Too many exchanges at once.
    #[error("more than {EXCHANGE_COUNT_MAX} exchanges")]
    TooMany,
    /// The query belongs to another step.
    #[error("query out of order")]
    OutOfOrder,
    /// `p` and `q` are not the factors.
    #[error("wrong factors")]
    WrongFactors,
    /// Encrypted for a key that we do not have.
    #[error("unknown key {fingerprint:#018x}")]
    UnknownFingerprint {
        /// What the query names.
        fingerprint: i64,
    },
    /// What was encrypted does not decrypt to something with the right hash.
    #[error("encrypted data is invalid")]
    BadEncryptedData,
    /// A nonce or factor inside the encrypted data differs from the one outside.
    #[error("encrypted data belongs to another exchange")]
    Mismatch,
    /// A data centre that this server does not stand for.
    #[error("wrong data centre {dc}")]
    WrongDc {
        /// As the client named it.
        dc: i32,
    },
    /// A life of zero or less for a temporary key.
    #[error("temporary key for {expires_in_s} s")]
    BadExpiry {
        /// What was asked for.
        expires_in_s: i32,
    },
    /// `g_b` is out of range.
    #[error("g_b is out of range")]
    BadPublicValue,
    /// `retry_id` is not that of the last rejected key, or there were too many retries.
    #[error("wrong retry")]
    BadRetry,
}

impl Error {
    /// What the transport tells the client before the connection is closed.
    #[must_use]
    pub const fn transport_code(&self) -> i32 {
        match self {
            Self::WrongDc { .. } => -444,
            Self::TooMany => -429,
            _ => -404,
        }
    }
}

/// All exchanges of one connection.
#[derive(Debug, Default)]
pub struct Handshakes {
    exchanges: Vec<Exchange>,
    last_id: u32,
}

impl Handshakes {
    /// Takes the body of an unencrypted message.
    ///
    /// Bytes after a complete query are ignored (TDLib appends random ones). Random numbers are drawn from `rng` for
    /// the first two queries.
    pub fn handle(
        &mut self,
        now: UnixTime,
        config: &Config,
        body: &[u8],
        rng: &mut impl rand_core::CryptoRng,
    ) -> Step {
        self.handle_timeout(now);
        self.query(now, config, body, rng).unwrap_or_else(Step::Refuse)
    }

    /// Takes the result of a [`Job`].
    pub fn job_done(&mut self, now: UnixTime, done: JobDone) -> Step {
        self.handle_timeout(now);
        let id = done.exchange;
        self.advance(id, |exchange| exchange.job_done(now, done))
    }

    /// Takes what became of a [`NewKey`], and releases the answer.
    pub fn key_stored(&mut self, now: UnixTime, exchange: ExchangeId, outcome: Stored) -> Step {
        self.handle_timeout(now);
        self.advance(exchange, |exchange| exchange.key_stored(outcome))
    }

    /// Forgets exchanges that took too long, and their secrets.
    pub fn handle_timeout(&mut self, now: UnixTime) {
        self.exchanges.retain(|exchange| now < exchange.started + EXCHANGE_AGE_MAX);
    }

    /// When [`Handshakes::handle_timeout`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<UnixTime> {
        self.exchanges.iter().map(|exchange| exchange.started + EXCHANGE_AGE_MAX).min()
    }

    fn query(
        &mut self,
        now: UnixTime,
        config: &Config,
        body: &[u8],
        rng: &mut impl rand_core::CryptoRng,
    ) -> Result<Step, Error> {
        let mut input = Cursor::new(body);
        match input.peek_id()? {
            functions::ReqPq::ID => {
                let query = functions::ReqPq::decode(&mut input)?;
                self.req_pq(now, config, query.nonce, rng)
            }
            functions::ReqPqMulti::ID => {
                let query = functions::ReqPqMulti::decode(&mut input)?;
                self.req_pq(now, config, query.nonce, rng)
            }
            functions::ReqDHParams::ID => {
                let query = functions::ReqDHParams::decode(&mut input)?;
                let hash = hash(body, &input);
                let exchange = self.find(&query.nonce, &query.server_nonce)?;
                exchange.req_dh_params(config, &query, hash, rng)
            }
            functions::SetClientDHParams::ID => {
                let query = functions::SetClientDHParams::decode(&mut input)?;
                let hash = hash(body, &input);
                let exchange = self.find(&query.nonce, &query.server_nonce)?;
                exchange.set_client_dh_params(&query, hash)
            }
            types::MsgsAck::ID => Ok(Step::Nothing),
            id => Err(Error::UnknownQuery { id }),
        }
    }

    /// Starts an exchange, or repeats its first answer.
    fn req_pq(
        &mut self,
        now: UnixTime,
        config: &Config,
        nonce: Nonce,
        rng: &mut impl rand_core::CryptoRng,
    ) -> Result<Step, Error> {
        let fresh = match self.exchanges.iter().find(|exchange| exchange.nonce == nonce) {
            Some(exchange) => return Ok(Step::Answer(exchange.res_pq(config))),
            None => ResPQ::generate(rng),
        };
        // A client that starts again and again is fine; one that leaves all of them unfinished is not.
        if self.exchanges.len() >= EXCHANGE_COUNT_MAX {
            let done = self.exchanges.iter().position(Exchange::is_done).ok_or(Error::TooMany)?;
            self.exchanges.remove(done);
        }
        self.last_id = self.last_id.wrapping_add(1);
        let exchange = Exchange::new(ExchangeId(self.last_id), now, nonce, fresh);
        let answer = exchange.res_pq(config);
        self.exchanges.push(exchange);
        Ok(Step::Answer(answer))
    }

    fn find(&mut self, nonce: &Nonce, server_nonce: &Nonce) -> Result<&mut Exchange, Error> {
        self.exchanges
            .iter_mut()
            .find(|exchange| exchange.is_named(nonce, server_nonce))
            .ok_or(Error::UnknownExchange)
    }

    /// Gives a result to the exchange that waits for it, if there still is one.
    fn advance(
        &mut self,
        id: ExchangeId,
        step: impl FnOnce(&mut Exchange) -> Result<Step, Error>,
    ) -> Step {
        match self.exchanges.iter_mut().find(|exchange| exchange.id == id) {
            Some(exchange) => step(exchange).unwrap_or_else(Step::Refuse),
            None => Step::Nothing,
        }
    }
}

/// What makes two queries the same: their bytes without what follows.
fn hash(body: &[u8], input: &Cursor<'_>) -> [u8; 32] {
    sha::sha256(&[body.get(..input.position()).unwrap_or_default()])
}
