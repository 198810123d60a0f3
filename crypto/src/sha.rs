//! SHA-1, SHA-256 and HMAC-SHA-256 over the concatenation of parts, so that nobody copies bytes to hash them.
//!
//! The `sha1` and `sha2` crates choose SHA-NI at run time where the processor has it.

use core::slice;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, block_api::compress256};
use zeroize::Zeroizing;

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

/// SHA-256 of the two parts, 52 bytes in all, in the one block that they fill with their padding.
///
/// The same as [`sha256`] without the buffer that joins parts: two of these derive the keys of every message.
pub(crate) fn sha256_of_52<const F: usize, const B: usize>(
    front: &[u8; F],
    back: &[u8; B],
) -> [u8; 32] {
    const { assert!(F + B == 52) };
    let mut block = Zeroizing::new([0; 64]);
    let (at_front, behind) = block.split_at_mut(F);
    at_front.copy_from_slice(front);
    behind.split_at_mut(B).0.copy_from_slice(back);
    let [.., end, _, _, _, _, _, _, _, _, _, bits_high, bits_low] = &mut *block;
    *end = 0x80;
    [*bits_high, *bits_low] = (52_u16 * 8).to_be_bytes();
    let mut state = Zeroizing::new(SHA256_START);
    compress256(&mut state, slice::from_ref(&*block));
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(*state) {
        *bytes = word.to_be_bytes();
    }
    hash
}

/// The state that SHA-256 begins with. Source: FIPS 180-4, section 5.3.3.
const SHA256_START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// HMAC-SHA-256 of the parts under `key`, one after another: derived salts, access hashes, signatures.
pub fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new(&(*key_block(key)).into());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// The key as HMAC's 64-byte block: padded with zeros, as RFC 2104 has it for keys shorter than a block.
fn key_block(key: &[u8; 32]) -> Zeroizing<[u8; 64]> {
    let mut block = Zeroizing::new([0; 64]);
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

    #[test]
    fn a_block_of_52_bytes_is_the_same_hash() {
        let (key, part) = ([7; 16], [9; 36]);
        assert_eq!(sha256_of_52(&key, &part), sha256(&[&key, &part]));
        assert_eq!(sha256_of_52(&part, &key), sha256(&[&part, &key]));
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
