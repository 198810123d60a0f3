//! SHA-256 with the SHA instructions of x86-64, of several independent messages side by side.
//!
//! A round waits for the round before it: two rounds are one instruction of 4 cycles, but one can begin each cycle, or every
//! other one on Intel's processors. Two messages in one stream of instructions therefore take little longer than one; what four
//! save is mostly used up by what is around the rounds, and a tenth is left. A single one is the same function with one lane;
//! `aes_ige` weaves that into a chain of its own.
//!
//! What is unsafe here: calling functions that need instructions, after a value of [`ShaNi`] has shown that the
//! processor has them.

#![expect(unsafe_code, reason = "SHA instructions behind run-time detection")]
#![expect(
    clippy::indexing_slicing,
    reason = "fixed arrays indexed by lane and round in const loops"
)]

use std::arch::x86_64::*;

use super::{Block, ROUND_CONSTANTS, State};

/// Proof that this processor has SHA-NI and SSE 4.1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShaNi(());

impl ShaNi {
    /// The proof, if it has.
    pub(crate) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1");
        found.then_some(Self(()))
    }

    /// Takes as many blocks of each message into its state: those that all have.
    #[inline]
    pub(super) fn compress<const L: usize>(self, states: &mut [State; L], blocks: [&[Block]; L]) {
        // SAFETY: `self` proves that the instructions exist.
        unsafe { compress(states, blocks) }
    }
}

/// The states of `L` messages as the instructions want them: words a, b, e, f and c, d, g, h.
#[derive(Clone, Copy)]
pub(crate) struct Registers<const L: usize> {
    abef: [__m128i; L],
    cdgh: [__m128i; L],
}

impl<const L: usize> Registers<L> {
    /// From words in their order.
    #[inline]
    #[target_feature(enable = "sha,sse4.1")]
    pub(crate) fn load(states: &[State; L]) -> Self {
        let zero = _mm_setzero_si128();
        let mut registers = Self { abef: [zero; L], cdgh: [zero; L] };
        for (l, state) in states.iter().enumerate() {
            let [dcba, hgfe] = [0, 4].map(|at| load(&state[at..]));
            let cdab = _mm_shuffle_epi32::<0xb1>(dcba);
            let efgh = _mm_shuffle_epi32::<0x1b>(hgfe);
            registers.abef[l] = _mm_alignr_epi8::<8>(cdab, efgh);
            registers.cdgh[l] = _mm_blend_epi16::<0xf0>(efgh, cdab);
        }
        registers
    }

    /// Words in their order.
    #[inline]
    #[target_feature(enable = "sha,sse4.1")]
    pub(crate) fn store(self, states: &mut [State; L]) {
        for (l, state) in states.iter_mut().enumerate() {
            let feba = _mm_shuffle_epi32::<0x1b>(self.abef[l]);
            let dchg = _mm_shuffle_epi32::<0xb1>(self.cdgh[l]);
            let (front, back) = state.split_at_mut(4);
            store(front, _mm_blend_epi16::<0xf0>(feba, dchg));
            store(back, _mm_alignr_epi8::<8>(dchg, feba));
        }
    }

    /// Takes one block of each message into its state.
    #[inline]
    #[target_feature(enable = "sha,sse4.1")]
    pub(crate) fn block(&mut self, blocks: [&Block; L]) {
        let mut rounds = Rounds::new(*self, blocks);
        // One by one: the compiler makes no loop of these, and knows the words in registers.
        rounds.sixteen(0);
        rounds.sixteen(1);
        rounds.sixteen(2);
        rounds.sixteen(3);
        *self = rounds.end();
    }
}

/// The 64 rounds of a block, in four parts. FIPS 180-4, 6.2.2.
pub(crate) struct Rounds<const L: usize> {
    before: Registers<L>,
    now: Registers<L>,
    words: [[__m128i; 4]; L],
}

impl<const L: usize> Rounds<L> {
    /// Before the first round.
    #[inline]
    #[target_feature(enable = "sha,sse4.1")]
    pub(crate) fn new(before: Registers<L>, blocks: [&Block; L]) -> Self {
        // Words are big-endian.
        let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        let mut words = [[_mm_setzero_si128(); 4]; L];
        for (words, block) in words.iter_mut().zip(blocks) {
            for (word, bytes) in words.iter_mut().zip(block.as_chunks::<16>().0) {
                // SAFETY: 16 readable bytes; the instruction asks for no alignment.
                *word = _mm_shuffle_epi8(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }, swap);
            }
        }
        Self { before, now: before, words }
    }

    /// The next sixteen rounds: the part `quarter` of four.
    #[inline]
    #[target_feature(enable = "sha,sse4.1")]
    pub(crate) fn sixteen(&mut self, quarter: usize) {
        for i in 0..4 {
            let constants = load(&ROUND_CONSTANTS[16 * quarter + 4 * i..]);
            for (l, w) in self.words.iter_mut().enumerate() {
                if quarter > 0 {
                    let front = _mm_sha256msg1_epu32(w[i], w[(i + 1) % 4]);
                    let middle = _mm_alignr_epi8::<4>(w[(i + 3) % 4], w[(i + 2) % 4]);
                    w[i] = _mm_sha256msg2_epu32(_mm_add_epi32(front, middle), w[(i + 3) % 4]);
                }
                let input = _mm_add_epi32(w[i], constants);
                let (abef, cdgh) = (&mut self.now.abef[l], &mut self.now.cdgh[l]);
                *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, input);
                *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32::<0x0e>(input));
            }
        }
    }

    /// After the last round.
    #[inline]
    #[target_feature(enable = "sha,sse4.1")]
    pub(crate) fn end(mut self) -> Registers<L> {
        for l in 0..L {
            self.now.abef[l] = _mm_add_epi32(self.now.abef[l], self.before.abef[l]);
            self.now.cdgh[l] = _mm_add_epi32(self.now.cdgh[l], self.before.cdgh[l]);
        }
        self.now
    }
}

#[target_feature(enable = "sha,sse4.1")]
fn compress<const L: usize>(states: &mut [State; L], blocks: [&[Block]; L]) {
    let count = blocks.iter().map(|blocks| blocks.len()).min().unwrap_or_default();
    let mut registers = Registers::load(states);
    for i in 0..count {
        registers.block(blocks.map(|blocks| &blocks[i]));
    }
    registers.store(states);
}

/// The first four words as a register.
#[inline(always)]
fn load(words: &[u32]) -> __m128i {
    let words: &[u32; 4] = words.first_chunk().expect("four words");
    // SAFETY: 16 readable bytes, and the instruction asks for no alignment; SSE2 is part of x86-64.
    unsafe { _mm_loadu_si128(words.as_ptr().cast()) }
}

/// A register as four words.
#[inline(always)]
fn store(words: &mut [u32], register: __m128i) {
    let words: &mut [u32; 4] = words.first_chunk_mut().expect("four words");
    // SAFETY: 16 writable bytes, and the instruction asks for no alignment; SSE2 is part of x86-64.
    unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), register) }
}
