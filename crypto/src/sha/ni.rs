//! SHA-256 with the SHA instructions of x86-64, of several independent messages side by side.
//!
//! A round waits for the round before it: two rounds are one instruction of 4 cycles, but one can begin each cycle. Two
//! messages in one stream of instructions therefore take little longer than one; what four save is mostly used up by what is
//! around the rounds, and a tenth is left. A single one is the same function with one lane; `aes_ige` weaves that into a chain
//! of its own.
//!
//! What is unsafe here: calling functions that need instructions, after a value of [`ShaNi`] has shown that the
//! processor has them.

#![expect(unsafe_code, reason = "SHA instructions behind run-time detection")]
#![expect(
    clippy::indexing_slicing,
    reason = "fixed arrays indexed by lane and round in const loops"
)]

use std::arch::x86_64::*;

use super::{Block, State};

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

/// FIPS 180-4, 4.2.2.
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
