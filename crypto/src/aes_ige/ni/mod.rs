//! IGE with the AES instructions of x86-64.
//!
//! One block of a stream is 14 dependent AES rounds. The mode's xors cost nothing on top: the last round xors its
//! round key into the result anyway, so that key is combined beforehand with everything else that the next block's
//! first step would xor in.
//!
//! ```text
//! state    = in[i] xor before xor rk[0]
//! state'   = lastround(rounds(state), rk[14] xor after xor in[i+1] xor rk[0])    ready for block i+1
//! out[i]   = state' xor in[i+1] xor rk[0]                                          off the critical path
//! before   = out[i]     after = in[i]
//! ```
//!
//! Interleaved, `L` such chains run side by side, each with its own key, position and length ([`Lanes`]). All run as
//! many steps as the shortest has left; then the finished are replaced, until the source is empty. A lane without a
//! stream works on spare blocks.
//!
//! Decryption is the same with the inverse rounds and round keys ("equivalent inverse cipher", FIPS 197, 5.3.5).
//!
//! What is unsafe here: calling functions that need instructions, after a value of [`AesNi`] or [`Vaes512`] has shown
//! that the processor has them; loads and stores through the lanes' pointers.

#![expect(unsafe_code, reason = "AES instructions behind run-time detection, raw lane pointers")]
#![expect(
    clippy::indexing_slicing,
    reason = "fixed arrays indexed by lane and round in const loops"
)]

use std::arch::x86_64::*;

use zeroize::optimization_barrier;

use super::{BLOCK_LEN, Block, Direction, Stream};
use crate::sha::{self, ni::ShaNi};

mod keys;
mod one;

use keys::{expand_ni, expand_vaes, halves, round_keys};
use one::{decrypt_hashing, one};

/// Round keys of AES-256: one before the first round, one a round.
const ROUND_KEYS: usize = 15;

/// Streams interleaved with 128-bit registers: enough to hide the latency of 4 cycles at 2 rounds a cycle.
const LANES_NI: usize = 8;

/// Streams interleaved with 512-bit registers, four in each.
const LANES_VAES: usize = 16;

/// The round keys of one stream.
type RoundKeys = [__m128i; ROUND_KEYS];

/// Proof that this processor has AES-NI and AVX.
#[derive(Clone, Copy, Debug)]
pub(super) struct AesNi(());

impl AesNi {
    /// The proof, if it has.
    pub(super) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("aes") && is_x86_feature_detected!("avx");
        found.then_some(Self(()))
    }

    /// One stream.
    pub(super) fn one(
        self,
        direction: Direction,
        blocks: &mut [Block],
        key: &[u8; 32],
        iv: &[u8; 32],
    ) {
        // SAFETY: `self` proves that the instructions exist.
        unsafe {
            let mut keys = round_keys(direction, halves(key));
            let feedbacks = direction.feedbacks(iv);
            match direction {
                Direction::Encrypt => one::<true>(blocks, &keys, feedbacks),
                Direction::Decrypt => one::<false>(blocks, &keys, feedbacks),
            }
            keys = [zero(); ROUND_KEYS];
            optimization_barrier(&keys);
        }
    }

    /// Decrypts one stream and returns the hash of `secret` and what comes out, computed while the cipher waits.
    pub(super) fn decrypt_hashing(
        self,
        _sha: ShaNi,
        blocks: &mut [Block],
        key: &[u8; 32],
        iv: &[u8; 32],
        secret: &[u8; 32],
    ) -> [u8; 32] {
        let mut state = [sha::SHA256_START];
        // SAFETY: `self` and `_sha` prove that the instructions exist.
        let hashed = unsafe {
            let mut keys = round_keys(Direction::Decrypt, halves(key));
            let feedbacks = Direction::Decrypt.feedbacks(iv);
            let hashed = decrypt_hashing(blocks, &keys, feedbacks, secret, &mut state);
            keys = [zero(); ROUND_KEYS];
            optimization_barrier(&keys);
            hashed
        };
        let [state] = state;
        match blocks.split_at(hashed) {
            ([], all) => sha::sha256(&[secret, all.as_flattened()]),
            (front, rest) => {
                sha::finish(state, secret.len() + front.as_flattened().len(), rest.as_flattened())
            }
        }
    }

    /// Many streams, eight at a time.
    pub(super) fn many<'a>(
        self,
        direction: Direction,
        streams: &mut dyn Iterator<Item = Stream<'a>>,
    ) {
        let with: Wide<LANES_NI> = match direction {
            Direction::Encrypt => Wide { expand: expand_ni::<true, _>, step: step_ni::<true> },
            Direction::Decrypt => Wide { expand: expand_ni::<false, _>, step: step_ni::<false> },
        };
        // SAFETY: `self` proves that the instructions exist.
        unsafe { drive(self, direction, streams, with) }
    }
}

/// Proof that this processor has AVX-512F, AVX-512BW and VAES besides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vaes512(AesNi);

impl Vaes512 {
    /// The proof, if it has.
    pub(super) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("vaes")
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw");
        AesNi::detect().filter(|_| found).map(Self)
    }

    /// What it has for single streams.
    pub(super) fn ni(self) -> AesNi {
        self.0
    }

    /// Many streams, sixteen at a time; or eight, if there are no more: half the registers wait for the same latency.
    pub(super) fn many<'a>(
        self,
        direction: Direction,
        streams: &mut dyn Iterator<Item = Stream<'a>>,
    ) {
        let few = streams.size_hint().1.is_some_and(|count| count <= LANES_NI);
        // SAFETY: `self` proves that the instructions exist.
        unsafe {
            match (few, direction) {
                (true, Direction::Encrypt) => {
                    drive(self.0, direction, streams, wide_vaes::<true, LANES_NI, 2>());
                }
                (true, Direction::Decrypt) => {
                    drive(self.0, direction, streams, wide_vaes::<false, LANES_NI, 2>());
                }
                (false, Direction::Encrypt) => {
                    drive(self.0, direction, streams, wide_vaes::<true, LANES_VAES, 4>());
                }
                (false, Direction::Decrypt) => {
                    drive(self.0, direction, streams, wide_vaes::<false, LANES_VAES, 4>());
                }
            }
        }
    }
}

/// What is done to `L` lanes at once.
///
/// Unsafe to call: the processor must have the instructions.
struct Wide<const L: usize> {
    /// Makes the round keys of the lanes whose bits are set, out of the two halves of their keys in the first two rows.
    expand: unsafe fn(&mut [[__m128i; L]; ROUND_KEYS], u32),
    /// Processes so many blocks of each lane. Each lane's `next` must be valid for reads of that many blocks (one, if its
    /// stride is 0), and what lies `away` from it for writes, and no two lanes may overlap.
    step: unsafe fn(&mut Lanes<L>, usize),
}

/// Lanes in `WIDE` registers of four.
fn wide_vaes<const ENCRYPT: bool, const L: usize, const WIDE: usize>() -> Wide<L> {
    Wide { expand: expand_vaes::<ENCRYPT, L, WIDE>, step: step_vaes::<ENCRYPT, L, WIDE> }
}

/// What `L` interleaved streams have at hand, by round and lane, as wide registers want it. Cleared on drop.
#[repr(C, align(64))]
struct Lanes<const L: usize> {
    /// Round keys.
    keys: [[__m128i; L]; ROUND_KEYS],
    /// What is xored in before the cipher: the last block out.
    before: [__m128i; L],
    /// What is xored in after the cipher: the last block in.
    after: [__m128i; L],
    /// The next block of each lane.
    next: [*mut Block; L],
    /// How far `next` moves a step: 1, or 0 in a lane without a stream.
    stride: [usize; L],
    /// How far from `next` the block is written: 0, or `L` in a lane without a stream. Were its next block what it has just
    /// written, all lanes would wait for that.
    away: [usize; L],
}

impl<const L: usize> Lanes<L> {
    /// Lanes without streams, all on the spare blocks: `L` to read, `L` to write.
    fn new(spare: *mut Block) -> Self {
        let zero = zero();
        Self {
            keys: [[zero; L]; ROUND_KEYS],
            before: [zero; L],
            after: [zero; L],
            // Wrapping: `spare` has more blocks, so no pointer leaves it.
            next: std::array::from_fn(|lane| spare.wrapping_add(lane)),
            stride: [0; L],
            away: [L; L],
        }
    }

    /// Puts a stream at its start into a lane. Its round keys are still to be made.
    fn install(&mut self, direction: Direction, lane: usize, stream: &mut Stream<'_>) {
        let [low, high] = halves(&stream.key);
        (self.keys[0][lane], self.keys[1][lane]) = (low, high);
        let (before, after) = direction.feedbacks(&stream.iv);
        (self.before[lane], self.after[lane]) = (load(&before), load(&after));
        self.next[lane] = stream.blocks.as_mut_ptr();
        (self.stride[lane], self.away[lane]) = (1, 0);
    }

    /// Puts a lane without a stream on its spare block.
    fn idle(&mut self, lane: usize, spare: *mut Block) {
        self.next[lane] = spare.wrapping_add(lane);
        (self.stride[lane], self.away[lane]) = (0, L);
    }
}

impl<const L: usize> Drop for Lanes<L> {
    fn drop(&mut self) {
        let zero = [zero(); L];
        (self.keys, self.before, self.after) = ([zero; ROUND_KEYS], zero, zero);
        optimization_barrier(self);
    }
}

/// Feeds streams into lanes and has them worked on until all have ended.
///
/// # Safety
///
/// The processor must have the instructions of `with`.
unsafe fn drive<'a, const L: usize>(
    ni: AesNi,
    direction: Direction,
    streams: &mut dyn Iterator<Item = Stream<'a>>,
    with: Wide<L>,
) {
    let mut streams = streams.filter(|stream| !stream.blocks.is_empty());
    let (first, second) = (streams.next(), streams.next());
    let (first, second) = match (first, second) {
        (Some(alone), None) => return ni.one(direction, alone.blocks, &alone.key, &alone.iv),
        both => both,
    };
    let mut streams = first.into_iter().chain(second).chain(streams);

    let mut spare = [[[0; BLOCK_LEN]; L]; 2];
    let spare = spare.as_flattened_mut().as_mut_ptr();
    let mut lanes = Lanes::<L>::new(spare);
    let mut left = [0_usize; L];
    loop {
        let mut fresh = 0_u32;
        for (lane, left) in left.iter_mut().enumerate().filter(|(_, left)| **left == 0) {
            match streams.next() {
                Some(mut stream) => {
                    *left = stream.blocks.len();
                    lanes.install(direction, lane, &mut stream);
                    fresh |= 1 << lane;
                }
                None => lanes.idle(lane, spare),
            }
        }
        let Some(steps) = left.iter().copied().filter(|&left| left > 0).min() else { return };
        // SAFETY: the instructions are the caller's promise. Lanes with a stream have at least `steps` blocks left,
        // borrowed exclusively for `'a`, which outlives this call; the others stand on spare blocks of their own.
        unsafe {
            (with.expand)(&mut lanes.keys, fresh);
            (with.step)(&mut lanes, steps);
        }
        left.iter_mut().for_each(|left| *left = left.saturating_sub(steps));
    }
}

/// `steps` blocks of each of eight lanes.
///
/// # Safety
///
/// As for [`Wide::step`].
#[target_feature(enable = "aes,avx")]
unsafe fn step_ni<const ENCRYPT: bool>(lanes: &mut Lanes<LANES_NI>, steps: usize) {
    let Lanes { keys, before, after, next, stride, away } = lanes;
    for _ in 0..steps {
        let mut input = [zero(); LANES_NI];
        let mut state = [zero(); LANES_NI];
        for l in 0..LANES_NI {
            // SAFETY: this function's contract.
            input[l] = load(unsafe { &*next[l] });
            state[l] = _mm_xor_si128(_mm_xor_si128(input[l], before[l]), keys[0][l]);
        }
        for row in &keys[1..14] {
            for l in 0..LANES_NI {
                state[l] = round::<ENCRYPT>(state[l], row[l]);
            }
        }
        for l in 0..LANES_NI {
            let out = last_round::<ENCRYPT>(state[l], _mm_xor_si128(keys[14][l], after[l]));
            before[l] = out;
            after[l] = input[l];
            // SAFETY: this function's contract; the pointer ends one past the last block at most.
            unsafe {
                *next[l].add(away[l]) = store(out);
                next[l] = next[l].wrapping_add(stride[l]);
            }
        }
    }
}

/// `steps` blocks of each of `L` lanes, in `WIDE` registers of four.
///
/// # Safety
///
/// As for [`Wide::step`].
#[target_feature(enable = "aes,avx,avx512f,vaes")]
unsafe fn step_vaes<const ENCRYPT: bool, const L: usize, const WIDE: usize>(
    lanes: &mut Lanes<L>,
    steps: usize,
) {
    const { assert!(L == 4 * WIDE) };
    let Lanes { keys, before, after, next, stride, away } = lanes;
    let mut b: [__m512i; WIDE] = std::array::from_fn(|w| wide(before, w));
    let mut a: [__m512i; WIDE] = std::array::from_fn(|w| wide(after, w));
    for _ in 0..steps {
        let mut input = [_mm512_setzero_si512(); WIDE];
        let mut state = input;
        for w in 0..WIDE {
            // SAFETY: this function's contract.
            let [i0, i1, i2, i3] = [0, 1, 2, 3].map(|l| load(unsafe { &*next[4 * w + l] }));
            input[w] = _mm512_inserti32x4::<1>(_mm512_castsi128_si512(i0), i1);
            input[w] = _mm512_inserti32x4::<2>(input[w], i2);
            input[w] = _mm512_inserti32x4::<3>(input[w], i3);
            // One instruction for both xors: 0x96 is the truth table of a xor b xor c.
            state[w] = _mm512_ternarylogic_epi32::<0x96>(input[w], b[w], wide(&keys[0], w));
        }
        for row in &keys[1..14] {
            for (w, state) in state.iter_mut().enumerate() {
                *state = if ENCRYPT {
                    _mm512_aesenc_epi128(*state, wide(row, w))
                } else {
                    _mm512_aesdec_epi128(*state, wide(row, w))
                };
            }
        }
        for w in 0..WIDE {
            let key = _mm512_xor_si512(wide(&keys[14], w), a[w]);
            b[w] = if ENCRYPT {
                _mm512_aesenclast_epi128(state[w], key)
            } else {
                _mm512_aesdeclast_epi128(state[w], key)
            };
            a[w] = input[w];
            for (l, out) in quarters(b[w]).into_iter().enumerate() {
                let l = 4 * w + l;
                // SAFETY: this function's contract; the pointer ends one past the last block at most.
                unsafe {
                    *next[l].add(away[l]) = store(out);
                    next[l] = next[l].wrapping_add(stride[l]);
                }
            }
        }
    }
    for w in 0..WIDE {
        before[4 * w..4 * w + 4].copy_from_slice(&quarters(b[w]));
        after[4 * w..4 * w + 4].copy_from_slice(&quarters(a[w]));
    }
}

/// Four lanes in one register.
#[inline]
#[target_feature(enable = "avx512f")]
fn wide<const L: usize>(row: &[__m128i; L], w: usize) -> __m512i {
    let four: &[__m128i; 4] = row[4 * w..].first_chunk().expect("four lanes a register");
    // SAFETY: 64 readable bytes; the instruction asks for no alignment.
    unsafe { _mm512_loadu_si512(four.as_ptr().cast()) }
}

/// One register as four lanes.
#[inline]
#[target_feature(enable = "avx512f")]
fn quarters(wide: __m512i) -> [__m128i; 4] {
    [
        _mm512_castsi512_si128(wide),
        _mm512_extracti32x4_epi32::<1>(wide),
        _mm512_extracti32x4_epi32::<2>(wide),
        _mm512_extracti32x4_epi32::<3>(wide),
    ]
}

/// One round of either cipher.
#[inline]
#[target_feature(enable = "aes")]
fn round<const ENCRYPT: bool>(state: __m128i, key: __m128i) -> __m128i {
    if ENCRYPT { _mm_aesenc_si128(state, key) } else { _mm_aesdec_si128(state, key) }
}

/// The last round of either cipher.
#[inline]
#[target_feature(enable = "aes")]
fn last_round<const ENCRYPT: bool>(state: __m128i, key: __m128i) -> __m128i {
    if ENCRYPT { _mm_aesenclast_si128(state, key) } else { _mm_aesdeclast_si128(state, key) }
}

/// A block as a register.
#[inline(always)]
fn load(block: &Block) -> __m128i {
    // SAFETY: any 16 bytes are a register, and the instruction asks for no alignment; SSE2 is part of x86-64.
    unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
}

/// A register as a block.
#[inline(always)]
fn store(register: __m128i) -> Block {
    let mut block = [0; BLOCK_LEN];
    // SAFETY: 16 writable bytes, and the instruction asks for no alignment; SSE2 is part of x86-64.
    unsafe { _mm_storeu_si128(block.as_mut_ptr().cast(), register) };
    block
}

/// A register of zeros.
#[inline(always)]
fn zero() -> __m128i {
    load(&[0; BLOCK_LEN])
}
