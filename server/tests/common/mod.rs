//! A small real client over TCP, and servers to point it at.
//!
//! | module         | what it is                                                                   |
//! |----------------|------------------------------------------------------------------------------|
//! | [`connection`] | one socket with a transport: packets out, events in, every wait bounded      |
//! | [`exchange`]   | unencrypted queries, and auth keys made with them                            |
//! | [`raw`]        | encrypted messages, each field of their header chosen by hand                |
//! | [`client`]     | what an application has: a session, answers, updates, connections that break |
//! | [`server`]     | a server for one test                                                        |
//! | [`person`]     | a client that signed up, and short ways to ask                               |
//!
//! Clients know the protocol's own crates and generated code, but nothing of the server's inside.

pub(crate) mod client;
pub(crate) mod connection;
pub(crate) mod exchange;
pub(crate) mod person;
pub(crate) mod raw;
pub(crate) mod server;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mtproto::UnixTime;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

pub(crate) use client::{Client, Options, RpcError};
pub(crate) use connection::{Connection, Heard, Wire};
pub(crate) use person::Person;
pub(crate) use raw::Raw;
pub(crate) use server::TestServer;

/// How long anything awaited may take. Only a failing test waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A generator that no other client of this process has; the same in each run.
pub(crate) fn rng() -> ChaCha20Rng {
    static SEED: AtomicU64 = AtomicU64::new(1);
    ChaCha20Rng::seed_from_u64(SEED.fetch_add(1, Ordering::Relaxed))
}

/// A random number other than 0.
pub(crate) fn random_id(rng: &mut ChaCha20Rng) -> i64 {
    rng.next_u64().cast_signed() | 1
}

/// The time.
pub(crate) fn now() -> UnixTime {
    static CLOCK: std::sync::LazyLock<::server::clock::Clock> =
        std::sync::LazyLock::new(::server::clock::Clock::default);
    CLOCK.now()
}
