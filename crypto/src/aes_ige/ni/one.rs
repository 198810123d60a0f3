//! One stream, alone or together with the hash of what it decrypts to.

use std::arch::x86_64::*;

use super::{Block, RoundKeys, last_round, load, round, store};
use crate::sha::{
    self,
    ni::{Registers, Rounds},
};

/// One stream from its first block to its last.
#[target_feature(enable = "aes,avx")]
pub(super) fn one<const ENCRYPT: bool>(
    blocks: &mut [Block],
    keys: &RoundKeys,
    feedbacks: (Block, Block),
) {
    let Some(first) = blocks.first() else { return };
    let mut chain = Chain::<ENCRYPT>::new(first, keys, feedbacks);
    for i in 0..blocks.len() {
        chain.step(blocks, i);
    }
}

/// Where one stream is, between two blocks.
struct Chain<'k, const ENCRYPT: bool> {
    keys: &'k RoundKeys,
    /// The first and the last round key together.
    both_ends: __m128i,
    /// The next block in.
    input: __m128i,
    /// What is xored in after the cipher: the last block in.
    after: __m128i,
    /// `input`, ready for the first round.
    state: __m128i,
}

impl<'k, const ENCRYPT: bool> Chain<'k, ENCRYPT> {
    #[inline]
    #[target_feature(enable = "aes,avx")]
    fn new(first: &Block, keys: &'k RoundKeys, (before, after): (Block, Block)) -> Self {
        let (input, both_ends) = (load(first), _mm_xor_si128(keys[14], keys[0]));
        let state = _mm_xor_si128(_mm_xor_si128(input, load(&before)), keys[0]);
        Self { keys, both_ends, input, after: load(&after), state }
    }

    /// Processes block `i`; all before it must be done.
    #[inline]
    #[target_feature(enable = "aes,avx")]
    fn step(&mut self, blocks: &mut [Block], i: usize) {
        let next = blocks.get(i + 1).map_or(self.input, load);
        for key in &self.keys[1..14] {
            self.state = round::<ENCRYPT>(self.state, *key);
        }
        let fold = _mm_xor_si128(_mm_xor_si128(self.both_ends, self.after), next);
        self.state = last_round::<ENCRYPT>(self.state, fold);
        blocks[i] = store(_mm_xor_si128(_mm_xor_si128(self.state, next), self.keys[0]));
        (self.after, self.input) = (self.input, next);
    }
}

/// Decrypts one stream and hashes what comes out, beginning in the middle of the hash's first block. Returns how many
/// blocks of the stream the state contains.
#[target_feature(enable = "aes,avx,sha")]
pub(super) fn decrypt_hashing(
    blocks: &mut [Block],
    keys: &RoundKeys,
    feedbacks: (Block, Block),
    secret: &[u8; 32],
    state: &mut [sha::State; 1],
) -> usize {
    let Some(first) = blocks.first() else { return 0 };
    let mut chain = Chain::<false>::new(first, keys, feedbacks);
    let mut hashed = 0;
    if blocks.len() >= 2 {
        chain.step(blocks, 0);
        chain.step(blocks, 1);
        let mut ready = [0; 64];
        ready[..32].copy_from_slice(secret);
        ready[32..].copy_from_slice(blocks[..2].as_flattened());
        hashed = 2;
        let mut registers = Registers::load(state);
        while hashed + 4 <= blocks.len() {
            let mut rounds = Rounds::new(registers, [&ready]);
            for quarter in 0..4 {
                chain.step(blocks, hashed + quarter);
                rounds.sixteen(quarter);
            }
            registers = rounds.end();
            ready.copy_from_slice(blocks[hashed..hashed + 4].as_flattened());
            hashed += 4;
        }
        registers.block([&ready]);
        registers.store(state);
    }
    for i in hashed..blocks.len() {
        chain.step(blocks, i);
    }
    hashed
}
