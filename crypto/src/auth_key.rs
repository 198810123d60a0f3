//! The authorization key: what client and server share after the handshake, and the hashes that name it.
//!
//! ```text
//! SHA1(auth_key) = aux_hash (8) | - (4) | auth_key_id (8)
//! ```
//!
//! Sizes in brackets are bytes; both numbers are little-endian on the wire.
//!
//! Source: <https://core.telegram.org/mtproto/auth_key#9-server-responds-in-one-of-three-ways>.

use zeroize::{Zeroize, Zeroizing};

use crate::{ct_eq, sha};

/// The number that names an auth key in every packet: the last 8 bytes of its SHA-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthKeyId(pub u64);

impl AuthKeyId {
    /// Reads the id as it stands at the front of a packet.
    pub fn from_le_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }

    /// The id as it stands at the front of a packet.
    pub fn to_le_bytes(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }
}

impl std::fmt::Display for AuthKeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// 256 bytes shared by client and server, big-endian, cleared on drop.
///
/// Behind a box, so that moving the key leaves no copies behind. Its two hashes are computed once.
#[derive(Clone)]
pub struct AuthKey {
    bytes: Box<Zeroizing<[u8; 256]>>,
    id: AuthKeyId,
    aux_hash: u64,
}

impl AuthKey {
    /// Takes over the key. Cost: one SHA-1 over 256 bytes.
    pub fn new(mut bytes: [u8; 256]) -> Self {
        let hash = sha::sha1(&[&bytes]);
        let [a @ .., _, _, _, _, _, _, _, _, _, _, _, _] = hash;
        let [_, _, _, _, _, _, _, _, _, _, _, _, i @ ..] = hash;
        let key = Self {
            bytes: Box::new(Zeroizing::new(bytes)),
            id: AuthKeyId::from_le_bytes(i),
            aux_hash: u64::from_le_bytes(a),
        };
        bytes.zeroize();
        key
    }

    /// The key itself.
    pub fn as_bytes(&self) -> &[u8; 256] {
        &self.bytes
    }

    /// The number that names this key in packets.
    pub fn id(&self) -> AuthKeyId {
        self.id
    }

    /// The first 8 bytes of the key's SHA-1: part of the `new_nonce_hash`es, and the `retry_id` of a client's
    /// second attempt.
    pub fn aux_hash(&self) -> u64 {
        self.aux_hash
    }

    /// What proves to the client that the server holds this key, in `dh_gen_ok`, `_retry` or `_fail`.
    pub fn new_nonce_hash(&self, new_nonce: &[u8; 32], number: NewNonceHash) -> [u8; 16] {
        let number = match number {
            NewNonceHash::Ok => 1,
            NewNonceHash::Retry => 2,
            NewNonceHash::Fail => 3,
        };
        tail(sha::sha1(&[new_nonce, &[number], &self.aux_hash.to_le_bytes()]))
    }
}

/// In constant time.
impl PartialEq for AuthKey {
    fn eq(&self, other: &Self) -> bool {
        ct_eq(self.as_bytes(), other.as_bytes())
    }
}

impl Eq for AuthKey {}

/// Shows the id alone: keys do not belong into logs.
impl std::fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthKey({})", self.id)
    }
}

/// Which of the handshake's three answers a nonce hash is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewNonceHash {
    /// `dh_gen_ok`, `new_nonce_hash1`.
    Ok,
    /// `dh_gen_retry`, `new_nonce_hash2`.
    Retry,
    /// `dh_gen_fail`, `new_nonce_hash3`.
    Fail,
}

/// The hash in `server_DH_params_fail`: no key exists yet.
pub fn params_fail_hash(new_nonce: &[u8; 32]) -> [u8; 16] {
    tail(sha::sha1(&[new_nonce]))
}

/// The first salt of a new key, valid at once: the first 8 bytes of both nonces, xored; little-endian on the wire.
pub fn first_salt(new_nonce: &[u8; 32], server_nonce: &[u8; 16]) -> u64 {
    let [a @ .., _, _, _, _, _, _, _, _] = *server_nonce;
    let b = new_nonce.first_chunk::<8>().copied().unwrap_or_default();
    u64::from_le_bytes(a) ^ u64::from_le_bytes(b)
}

/// Bytes 4..20 of a SHA-1.
fn tail(hash: [u8; 20]) -> [u8; 16] {
    let [_, _, _, _, tail @ ..] = hash;
    tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_id_alone() {
        let key = AuthKey::new([0xab; 256]);
        assert_eq!(format!("{key:?}"), format!("AuthKey({:016x})", key.id().0));
        assert_eq!(key, key.clone());
        assert_ne!(key, AuthKey::new([0xac; 256]));
    }

    #[test]
    fn id_bytes_round_trip() {
        let id = AuthKeyId(0x0123_4567_89ab_cdef);
        assert_eq!(AuthKeyId::from_le_bytes(id.to_le_bytes()), id);
        assert_eq!(id.to_string(), "0123456789abcdef");
    }
}
