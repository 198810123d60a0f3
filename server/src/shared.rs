//! What all threads share.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mtproto::{
    UnixTime,
    handshake::server as handshake,
    session::SaltSecret,
    transport::{InitId, ReplayMemory},
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sha2::Sha256;
use storage::{AuthKeyId, Owner, UserId};
use tl::operations::functions;

use crate::{
    clock::Clock, codes::CodeSender, config::Config, convert::acquaintances::Acquaintances,
    media::Media, router::Router, tickets::Tickets, updates::Hub,
};

/// The server, but for its threads.
pub struct Shared {
    /// The configuration.
    pub config: Config,
    /// Where clients are told to connect to.
    pub advertised: SocketAddr,
    /// The clock.
    pub clock: Arc<Clock>,
    /// The way to the state.
    pub router: Arc<Router>,
    /// What viewers know of users.
    pub acquaintances: Acquaintances,
    /// The way to online sessions.
    pub hub: Arc<Hub>,
    /// What sends login codes.
    pub codes: CodeSender,
    /// The media service.
    pub media: Media,
    /// What handshakes go by.
    pub(crate) handshake: handshake::Config,
    /// What salts are derived from, and since when.
    pub(crate) salts: Arc<SaltSecret>,
    pub(crate) started: UnixTime,
    /// What access hashes are derived from.
    pub(crate) access_secret: [u8; 32],
    /// What logs further keys of a client in.
    pub(crate) tickets: Tickets,
    /// `updatesTooLong`, which is the same in every layer.
    pub(crate) updates_too_long: Bytes,
    /// How obfuscated streams began lately.
    pub(crate) replays: Mutex<ReplayMemory>,
}

impl Shared {
    /// `N` random bytes of the operating system.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        random()
    }

    /// Whether no obfuscated stream began like this lately; from now on one has.
    pub(crate) fn is_fresh(&self, now: UnixTime, init: InitId) -> bool {
        let mut replays = self.replays.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        replays.remember(now, init)
    }

    /// The hash by which `viewer` names the user `id`: bound to both, and the same for good.
    ///
    /// Clients keep it for years and take it along to other devices, so it depends on neither key nor time. Never 0, which
    /// clients send for peers that they know nothing of.
    #[must_use]
    pub fn access_hash(&self, viewer: UserId, kind: AccessKind, id: i64) -> i64 {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.access_secret)
            .expect("HMAC takes keys of any length");
        mac.update(&viewer.0.to_le_bytes());
        mac.update(&[kind as u8]);
        mac.update(&id.to_le_bytes());
        let tag = mac.finalize().into_bytes();
        let mut hash = [0; 8];
        hash.copy_from_slice(&tag[..8]);
        match i64::from_le_bytes(hash) {
            0 => 1,
            hash => hash,
        }
    }

    /// Whether `hash` is what [`Shared::access_hash`] gives, compared in constant time.
    #[must_use]
    pub fn access_hash_is(&self, viewer: UserId, kind: AccessKind, id: i64, hash: i64) -> bool {
        let expected = self.access_hash(viewer, kind, id);
        crypto::ct_eq(&expected.to_le_bytes(), &hash.to_le_bytes())
    }

    /// Who is logged in with a permanent auth key.
    #[must_use]
    pub fn user_of_key(&self, key: AuthKeyId) -> Option<UserId> {
        let get = functions::keys::Get {};
        self.router.read_now(&Owner::AuthKey(key), &get).ok()?.user_id.map(UserId)
    }
}

/// What an access hash gives access to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// A user.
    User = 1,
    /// A file: a photo or a document.
    File = 2,
}

/// `N` random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::disallowed_methods, reason = "where randomness enters the server")]
    getrandom::fill(&mut bytes).expect("the system has a random source");
    bytes
}

/// A generator seeded by the operating system.
pub(crate) fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed(random())
}

/// A secret for one purpose, out of the server's secret.
pub(crate) fn derive(secret: &[u8; 32], purpose: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(purpose);
    mac.finalize().into_bytes().into()
}
