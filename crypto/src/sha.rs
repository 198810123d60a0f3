//! SHA-1, SHA-256 and HMAC-SHA-256 over the concatenation of parts, so that nobody copies bytes to hash them.
//!
//! The `sha1` and `sha2` crates choose SHA-NI at run time where the processor has it.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// SHA-1 of the parts, one after another.
///
/// MTProto's handshake, key ids and version 1.0 are made of it; nothing new should be.
pub fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

/// SHA-256 of the parts, one after another.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

/// HMAC-SHA-256 of the parts under `key`, one after another: derived salts, access hashes, signatures.
pub fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new(&(*key_block(key)).into());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// The key as HMAC's 64-byte block: padded with zeros, as RFC 2104 has it for keys shorter than a block.
fn key_block(key: &[u8; 32]) -> zeroize::Zeroizing<[u8; 64]> {
    let mut block = zeroize::Zeroizing::new([0; 64]);
    let (front, _) = block.split_at_mut(32);
    front.copy_from_slice(key);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_concatenated() {
        assert_eq!(sha1(&[b"ab", b"", b"c"]), sha1(&[b"abc"]));
        assert_eq!(sha256(&[b"ab", b"", b"c"]), sha256(&[b"abc"]));
        assert_eq!(hmac_sha256(&[7; 32], &[b"ab", b"c"]), hmac_sha256(&[7; 32], &[b"abc"]));
    }

    /// RFC 4231 has no 32-byte key; this pads its test case 2 ("Jefe") with the zeros HMAC would add.
    #[test]
    fn hmac_known_answer() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        assert_eq!(
            hex::encode(hmac_sha256(&key, &[b"what do ya want ", b"for nothing?"])),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn known_answers() {
        assert_eq!(hex::encode(sha1(&[b"abc"])), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(
            hex::encode(sha256(&[b"abc"])),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
