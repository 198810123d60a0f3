//! MTProto's use of vetted primitives: modes, padding and key derivation around other people's ciphers and hashes.
//!
//! ```text
//! handshake:  pq ─ rsa ─ kdf::tmp_aes ─ envelope::seal_dh ─ dh ──► AuthKey
//! messages:   AuthKey ─ kdf ─ aes_ige ──► envelope::{seal, open, seal_many, open_many}
//! transport:  aes_ctr          passwords: srp          hashes: sha
//! ```
//!
//! Nothing here keeps state, does I/O, reads a clock or draws a random number: randomness is an argument, either
//! an array or a generator. Secrets are cleared when dropped and compared in constant time. Bytes of a peer
//! never panic; what is wrong with them is a value of the module's `Error`.
//!
//! Deliberately absent: what the bytes mean (that is `mtproto`), and any cipher or hash of our own: where `aes_ige` and
//! `sha` call the processor's rounds themselves, it is to run those of several messages side by side. Big numbers
//! with secrets in them are computed by aws-lc in the private module `bignum`, in time that depends on lengths alone.
//!
//! Source: <https://core.telegram.org/mtproto/description>, <https://core.telegram.org/mtproto/auth_key>.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)
)]

use subtle::ConstantTimeEq;

pub mod aes_ctr;
pub mod aes_ige;
pub mod auth_key;
mod bignum;
pub mod dh;
pub mod envelope;
pub mod kdf;
pub mod pq;
pub mod rsa;
mod secret;
pub mod sha;
pub mod srp;

pub use auth_key::{AuthKey, AuthKeyId};
pub use secret::Secret;

/// Who sends a message; decides which part of the auth key its keys are derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// From client to server; in a secret chat, from the chat's creator. Offset `x` = 0.
    Client,
    /// From server to client; in a secret chat, to the chat's creator. Offset `x` = 8.
    Server,
}

impl Side {
    /// The other end.
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// A 32-byte AES-256 key, cleared on drop.
pub type AesKey = Secret<32>;

/// A 32-byte IV of IGE, cleared on drop: the ciphertext block before the first, then the plaintext block.
pub type AesIv = Secret<32>;

/// What identifies a message's plaintext and salts its key: 16 bytes of a hash.
pub type MsgKey = [u8; 16];

/// Compares in time that depends on the lengths alone; different lengths are never equal.
pub fn ct_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
