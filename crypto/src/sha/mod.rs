//! SHA-1, SHA-256 and HMAC-SHA-256 over the concatenation of parts, so that nobody copies bytes to hash them.
//!
//! The `sha1` and `sha2` crates choose SHA-NI at run time where the processor has it. They hash one message after the
//! other; several side by side, which takes half the time, are in `many`, and what that is made of in `ni` and `wide`.

pub(crate) mod many;
#[cfg(target_arch = "x86_64")]
pub(crate) mod ni;
#[cfg(target_arch = "x86_64")]
mod wide;
#[cfg(not(target_arch = "x86_64"))]
mod wide {
    //! Nothing of the kind is there.

    use super::{Backend, Block, State};

    /// Proof of what is not there.
    #[derive(Clone, Copy, Debug)]
    pub(super) enum Wide {}

    impl Wide {
        #[cfg(test)]
        pub(super) const fn detect() -> Option<Self> {
            None
        }

        pub(super) const fn if_faster_than(_backend: Backend) -> Option<Self> {
            None
        }

        pub(super) const fn eight(self, _: &mut [State; 8], _: [&[Block]; 8]) -> usize {
            match self {}
        }

        pub(super) const fn sixteen(self, _: &mut [State; 16], _: [&[Block]; 16]) -> usize {
            match self {}
        }
    }
}

use core::slice;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, block_api::compress256};
use zeroize::{Zeroizing, optimization_barrier};

use crate::Secret;

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

/// The hash of a message whose first `before` bytes, whole blocks, are in the state, and which ends with `rest`.
#[cfg(target_arch = "x86_64")]
pub(crate) fn finish(mut state: State, before: usize, rest: &[u8]) -> [u8; 32] {
    let (blocks, rest) = rest.as_chunks();
    compress256(&mut state, blocks);
    let mut last = Secret::new([0; 2 * 64]);
    let bits = (before as u64 + blocks.as_flattened().len() as u64 + rest.len() as u64) * 8;
    compress256(&mut state, pad(&mut *last, &[rest], bits));
    to_bytes(&state)
}

/// Writes the parts, the end's mark and the length in bits into blocks of zeros; returns those that it took.
fn pad<'a>(blocks: &'a mut [u8], parts: &[&[u8]], bits: u64) -> &'a [Block] {
    let mut at = 0;
    for part in parts.iter().copied().chain([&[0x80][..]]) {
        if let Some(to) = blocks.get_mut(at..at + part.len()) {
            to.copy_from_slice(part);
        }
        at += part.len();
    }
    let used = (at + 8).next_multiple_of(64);
    let used = blocks.get_mut(..used).unwrap_or_default();
    if let Some(to) = used.last_chunk_mut() {
        *to = bits.to_be_bytes();
    }
    used.as_chunks().0
}

/// SHA-256 of the two messages side by side, each of two parts of 52 bytes in all: what the keys of every message are
/// derived with.
pub(crate) fn sha256_two_of_52<const F: usize, const B: usize>(
    (front_a, back_a): (&[u8; F], &[u8; B]),
    (front_b, back_b): (&[u8; B], &[u8; F]),
) -> [Secret<32>; 2] {
    two_blocks(Backend::detect(), [&block_of_52(front_a, back_a), &block_of_52(front_b, back_b)])
}

/// The one block that 52 bytes fill with their padding.
fn block_of_52<const F: usize, const B: usize>(front: &[u8; F], back: &[u8; B]) -> Secret<64> {
    const { assert!(F + B == 52) };
    let mut block = Secret::new([0; 64]);
    let (at_front, behind) = block.split_at_mut(F);
    at_front.copy_from_slice(front);
    behind.split_at_mut(B).0.copy_from_slice(back);
    let [.., end, _, _, _, _, _, _, _, _, _, bits_high, bits_low] = &mut *block;
    *end = 0x80;
    [*bits_high, *bits_low] = (52_u16 * 8).to_be_bytes();
    block
}

/// The hashes of two messages that are one block each, padding included.
fn two_blocks(backend: Backend, [a, b]: [&Block; 2]) -> [Secret<32>; 2] {
    let mut states = [SHA256_START; 2];
    backend.compress(&mut states, [slice::from_ref(a), slice::from_ref(b)]);
    let hashes = states.each_ref().map(|state| Secret::new(to_bytes(state)));
    states = [[0; 8]; 2];
    optimization_barrier(&states);
    hashes
}

/// One block of SHA-256's input.
pub(crate) type Block = [u8; 64];

/// The state of SHA-256.
pub(crate) type State = [u32; 8];

/// An implementation that this processor can run.
#[derive(Clone, Copy, Debug)]
enum Backend {
    #[cfg(target_arch = "x86_64")]
    ShaNi(ni::ShaNi),
    Portable,
}

impl Backend {
    /// The fastest. Costs a few loads of a cached answer.
    fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(ni) = ni::ShaNi::detect() {
            return Self::ShaNi(ni);
        }
        Self::Portable
    }

    /// Every one that this processor can run.
    #[cfg(test)]
    fn all() -> Vec<Self> {
        let mut all = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        all.extend(ni::ShaNi::detect().map(Self::ShaNi));
        all
    }

    /// Takes as many blocks of each message into its state as the shortest has; tells how many.
    fn compress<const L: usize>(self, states: &mut [State; L], blocks: [&[Block]; L]) -> usize {
        let count = blocks.iter().map(|blocks| blocks.len()).min().unwrap_or_default();
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::ShaNi(ni) => ni.compress(states, blocks),
            Self::Portable => {
                for (state, blocks) in states.iter_mut().zip(blocks) {
                    compress256(state, blocks.get(..count).unwrap_or_default());
                }
            }
        }
        count
    }
}

/// A final state as a hash.
pub(crate) fn to_bytes(state: &State) -> [u8; 32] {
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    hash
}

/// The state that SHA-256 begins with. Source: FIPS 180-4, section 5.3.3.
pub(crate) const SHA256_START: State = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// FIPS 180-4, 4.2.2.
#[cfg(target_arch = "x86_64")]
const ROUND_CONSTANTS: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
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
        let blocks = [&*block_of_52(&key, &part), &*block_of_52(&part, &key)];
        for backend in Backend::all() {
            let [a, b] = two_blocks(backend, blocks);
            assert_eq!(*a, sha256(&[&key, &part]), "{backend:?}");
            assert_eq!(*b, sha256(&[&part, &key]), "{backend:?}");
        }
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
