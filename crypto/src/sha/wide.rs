//! SHA-256 with the vector instructions of x86-64, of eight or sixteen independent messages side by side: a word of each in a
//! register.
//!
//! Where a SHA instruction can begin each cycle, the same eight take less time in [`super::ni`]. On Intel's processors it is
//! every other cycle: eight take a quarter less here, and sixteen almost half.
//!
//! What is unsafe here: calling functions that need instructions, after a value of [`Wide`] has shown that the
//! processor has them.

#![expect(unsafe_code, reason = "vector instructions behind run-time detection")]
#![expect(
    clippy::indexing_slicing,
    reason = "fixed arrays indexed by lane and round in const loops"
)]

use std::{arch::x86_64::*, sync::OnceLock};

use super::{Backend, Block, ROUND_CONSTANTS, State};

/// Proof that this processor has AVX-512 with its instructions for bytes and for shorter registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wide(());

impl Wide {
    /// The proof, if it has.
    pub(super) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl");
        found.then_some(Self(()))
    }

    /// The proof, if this is the faster way here for as many messages.
    pub(super) fn if_faster_than(backend: Backend) -> Option<Self> {
        // Asking the processor may take a virtual machine to its host.
        static IS_INTEL: OnceLock<bool> = OnceLock::new();
        let is_faster = match backend {
            Backend::ShaNi(_) => *IS_INTEL.get_or_init(is_intel),
            Backend::Portable => true,
        };
        Self::detect().filter(|_| is_faster)
    }

    /// Takes as many blocks of each message into its state as the shortest has; tells how many.
    pub(super) fn eight(self, states: &mut [State; 8], blocks: [&[Block]; 8]) -> usize {
        // SAFETY: `self` proves that the instructions exist.
        unsafe { eight::compress(states, blocks) }
    }

    /// The same of twice as many, which takes half as long again.
    pub(super) fn sixteen(self, states: &mut [State; 16], blocks: [&[Block]; 16]) -> usize {
        // SAFETY: `self` proves that the instructions exist.
        unsafe { sixteen::compress(states, blocks) }
    }
}

fn is_intel() -> bool {
    let vendor = __cpuid(0);
    [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes).as_flattened() == b"GenuineIntel"
}

/// Rounds by their numbers, which are constants: no loop of them keeps the words in registers.
macro_rules! rounds {
    ($rounds:ident, $($round:literal)*) => { $($rounds.round::<$round>();)* };
}

/// What is the same for registers of both lengths, but for the names of instructions.
macro_rules! lanes {
    ($lanes:literal, $vector:ident, $set:ident $add:ident $ror:ident $shift:ident $ternary:ident) => {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
        pub(super) fn compress(states: &mut [State; $lanes], blocks: [&[Block]; $lanes]) -> usize {
            let count = blocks.iter().map(|blocks| blocks.len()).min().unwrap_or_default();
            let mut words = load_states(states);
            for at in 0..count {
                let mut rounds = Rounds { state: words, input: load_blocks(&blocks, at) };
                rounds!(rounds,
                     0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
                    16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
                    32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47
                    48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63
                );
                for (word, now) in words.iter_mut().zip(rounds.state) {
                    *word = $add(*word, now);
                }
            }
            store_states(words, states);
            count
        }

        /// The 64 rounds of a block. FIPS 180-4, 6.2.2.
        struct Rounds {
            state: [$vector; 8],
            input: [$vector; 16],
        }

        impl Rounds {
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
            fn round<const ROUND: usize>(&mut self) {
                let w = &mut self.input;
                let at = |back: usize| (ROUND + 16 - back) % 16;
                if ROUND >= 16 {
                    let (near, far) = (w[at(2)], w[at(15)]);
                    let sigma_0 = xor($ror::<7>(far), $ror::<18>(far), $shift::<3>(far));
                    let sigma_1 = xor($ror::<17>(near), $ror::<19>(near), $shift::<10>(near));
                    w[at(0)] = sum([w[at(0)], sigma_0, w[at(7)], sigma_1]);
                }
                let input = $add(w[at(0)], $set(ROUND_CONSTANTS[ROUND].cast_signed()));
                // The words stay where they are, and their names move on.
                let at = |name: usize| (name + 64 - ROUND) % 8;
                let s = &mut self.state;
                let [a, b, c, d] = [s[at(0)], s[at(1)], s[at(2)], s[at(3)]];
                let [e, f, g, h] = [s[at(4)], s[at(5)], s[at(6)], s[at(7)]];
                let sum_1 = xor($ror::<6>(e), $ror::<11>(e), $ror::<25>(e));
                // Bits of f where e has ones, of g where it has none.
                let choice = $ternary::<0xca>(e, f, g);
                let first = sum([h, input, sum_1, choice]);
                let sum_0 = xor($ror::<2>(a), $ror::<13>(a), $ror::<22>(a));
                let majority = $ternary::<0xe8>(a, b, c);
                s[at(3)] = $add(d, first);
                s[at(7)] = $add(first, $add(sum_0, majority));
            }
        }

        #[inline]
        #[target_feature(enable = "avx512f,avx512vl")]
        fn xor(a: $vector, b: $vector, c: $vector) -> $vector {
            $ternary::<0x96>(a, b, c)
        }

        #[inline]
        #[target_feature(enable = "avx512f,avx512vl")]
        fn sum([a, b, c, d]: [$vector; 4]) -> $vector {
            $add($add(a, b), $add(c, d))
        }
    };
}

mod eight {
    use super::*;

    lanes!(8, __m256i, _mm256_set1_epi32 _mm256_add_epi32 _mm256_ror_epi32 _mm256_srli_epi32 _mm256_ternarylogic_epi32);

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load_states(states: &[State; 8]) -> [__m256i; 8] {
        let mut words = states.each_ref().map(|state| {
            // SAFETY: 32 readable bytes; the instruction asks for no alignment.
            unsafe { _mm256_loadu_si256(state.as_ptr().cast()) }
        });
        transpose(&mut words);
        words
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn store_states(mut words: [__m256i; 8], states: &mut [State; 8]) {
        transpose(&mut words);
        for (state, row) in states.iter_mut().zip(words) {
            // SAFETY: 32 writable bytes; the instruction asks for no alignment.
            unsafe { _mm256_storeu_si256(state.as_mut_ptr().cast(), row) }
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load_blocks(blocks: &[&[Block]; 8], at: usize) -> [__m256i; 16] {
        let zero = _mm256_setzero_si256();
        let swap = _mm256_broadcastsi128_si256(big_endian());
        let (mut front, mut back) = ([zero; 8], [zero; 8]);
        for (lane, blocks) in blocks.iter().enumerate() {
            let block = blocks[at].as_ptr();
            // SAFETY: 64 readable bytes; the instruction asks for no alignment.
            let halves = unsafe {
                (_mm256_loadu_si256(block.cast()), _mm256_loadu_si256(block.add(32).cast()))
            };
            front[lane] = _mm256_shuffle_epi8(halves.0, swap);
            back[lane] = _mm256_shuffle_epi8(halves.1, swap);
        }
        transpose(&mut front);
        transpose(&mut back);
        let mut input = [zero; 16];
        input[..8].copy_from_slice(&front);
        input[8..].copy_from_slice(&back);
        input
    }

    /// Makes columns of rows.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn transpose(rows: &mut [__m256i; 8]) {
        // Words of two rows take turns; then pairs of words of two pairs of rows; then halves are exchanged.
        let mut pairs = *rows;
        for i in [0, 2, 4, 6] {
            pairs[i] = _mm256_unpacklo_epi32(rows[i], rows[i + 1]);
            pairs[i + 1] = _mm256_unpackhi_epi32(rows[i], rows[i + 1]);
        }
        let mut fours = pairs;
        for i in [0, 4] {
            fours[i] = _mm256_unpacklo_epi64(pairs[i], pairs[i + 2]);
            fours[i + 1] = _mm256_unpackhi_epi64(pairs[i], pairs[i + 2]);
            fours[i + 2] = _mm256_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
            fours[i + 3] = _mm256_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
        }
        for i in 0..4 {
            rows[i] = _mm256_permute2x128_si256::<0x20>(fours[i], fours[i + 4]);
            rows[i + 4] = _mm256_permute2x128_si256::<0x31>(fours[i], fours[i + 4]);
        }
    }
}

mod sixteen {
    use super::*;

    lanes!(16, __m512i, _mm512_set1_epi32 _mm512_add_epi32 _mm512_ror_epi32 _mm512_srli_epi32 _mm512_ternarylogic_epi32);

    // Once for each message: what takes a few hundred cycles less is not worth another transposition.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load_states(states: &[State; 16]) -> [__m512i; 8] {
        std::array::from_fn(|word| {
            let column = states.each_ref().map(|state| state[word]);
            // SAFETY: 64 readable bytes; the instruction asks for no alignment.
            unsafe { _mm512_loadu_si512(column.as_ptr().cast()) }
        })
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store_states(words: [__m512i; 8], states: &mut [State; 16]) {
        for (word, row) in words.into_iter().enumerate() {
            let mut column = [0; 16];
            // SAFETY: 64 writable bytes; the instruction asks for no alignment.
            unsafe { _mm512_storeu_si512(column.as_mut_ptr().cast(), row) }
            for (state, value) in states.iter_mut().zip(column) {
                state[word] = value;
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn load_blocks(blocks: &[&[Block]; 16], at: usize) -> [__m512i; 16] {
        let swap = _mm512_broadcast_i32x4(big_endian());
        let mut input = [_mm512_setzero_si512(); 16];
        for (row, blocks) in input.iter_mut().zip(blocks) {
            // SAFETY: 64 readable bytes; the instruction asks for no alignment.
            let block = unsafe { _mm512_loadu_si512(blocks[at].as_ptr().cast()) };
            *row = _mm512_shuffle_epi8(block, swap);
        }
        transpose(&mut input);
        input
    }

    /// Makes columns of rows.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn transpose(rows: &mut [__m512i; 16]) {
        // Words of two rows take turns; then pairs of words of two pairs of rows; then quarters are exchanged.
        let mut pairs = *rows;
        for i in [0, 2, 4, 6, 8, 10, 12, 14] {
            pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
            pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
        }
        let mut fours = pairs;
        for i in [0, 4, 8, 12] {
            fours[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
            fours[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
            fours[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
            fours[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
        }
        for i in 0..4 {
            let [a, b, c, d] = [fours[i], fours[i + 4], fours[i + 8], fours[i + 12]];
            // Quarters 0 and 2 of two, and 1 and 3.
            let even = [_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0x88>(c, d)];
            let odd = [_mm512_shuffle_i32x4::<0xdd>(a, b), _mm512_shuffle_i32x4::<0xdd>(c, d)];
            rows[i] = _mm512_shuffle_i32x4::<0x88>(even[0], even[1]);
            rows[i + 4] = _mm512_shuffle_i32x4::<0x88>(odd[0], odd[1]);
            rows[i + 8] = _mm512_shuffle_i32x4::<0xdd>(even[0], even[1]);
            rows[i + 12] = _mm512_shuffle_i32x4::<0xdd>(odd[0], odd[1]);
        }
    }
}

/// How bytes of words go into registers: words are big-endian.
#[inline]
#[target_feature(enable = "sse2")]
fn big_endian() -> __m128i {
    _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203)
}
