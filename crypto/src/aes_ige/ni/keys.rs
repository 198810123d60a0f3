//! Round keys of AES-256, for one stream and for the lanes of many.

use std::arch::x86_64::*;

use zeroize::optimization_barrier;

use super::{BLOCK_LEN, Direction, ROUND_KEYS, RoundKeys, load, wide, zero};

/// The round keys in the order in which `direction` uses them.
#[target_feature(enable = "aes,avx")]
pub(super) fn round_keys(direction: Direction, [low, high]: [__m128i; 2]) -> RoundKeys {
    let mut keys = expand(low, high);
    if direction == Direction::Decrypt {
        keys.reverse();
        for key in &mut keys[1..14] {
            *key = _mm_aesimc_si128(*key);
        }
    }
    keys
}

/// FIPS 197, 5.2, for 32-byte keys: each round key from the two before it.
///
/// A round of the cipher has the S-box, too, and is sooner done than the instruction for key expansion: with four equal
/// columns its ShiftRows changes nothing, the last round mixes no columns, and its round key is the round constant.
#[inline]
#[target_feature(enable = "aes,avx")]
fn expand(low: __m128i, high: __m128i) -> RoundKeys {
    let rotated_top = _mm_set1_epi32(ROTATED_TOP);
    let mut keys = [zero(); ROUND_KEYS];
    (keys[0], keys[1]) = (low, high);
    for at in 2..ROUND_KEYS {
        let word = if at % 2 == 0 {
            let word = _mm_shuffle_epi8(keys[at - 1], rotated_top);
            _mm_aesenclast_si128(word, _mm_set1_epi32(round_constant(at)))
        } else {
            _mm_aesenclast_si128(_mm_shuffle_epi32::<0xff>(keys[at - 1]), zero())
        };
        // Each word xored with all those before it.
        let sums = _mm_xor_si128(keys[at - 2], _mm_slli_si128::<4>(keys[at - 2]));
        let sums = _mm_xor_si128(sums, _mm_slli_si128::<8>(sums));
        keys[at] = _mm_xor_si128(sums, word);
    }
    keys
}

/// [`expand`] for each of eight lanes.
#[target_feature(enable = "aes,avx")]
pub(super) fn expand_ni<const ENCRYPT: bool, const L: usize>(
    rows: &mut [[__m128i; L]; ROUND_KEYS],
    fresh: u32,
) {
    let direction = if ENCRYPT { Direction::Encrypt } else { Direction::Decrypt };
    for lane in (0..L).filter(|lane| fresh >> lane & 1 == 1) {
        let mut keys = round_keys(direction, [rows[0][lane], rows[1][lane]]);
        rows.iter_mut().zip(keys).for_each(|(row, key)| row[lane] = key);
        keys = [zero(); ROUND_KEYS];
        optimization_barrier(&keys);
    }
}

/// [`expand`] of four lanes in a register.
#[target_feature(enable = "aes,avx,avx512f,avx512bw,vaes")]
pub(super) fn expand_vaes<const ENCRYPT: bool, const L: usize, const WIDE: usize>(
    rows: &mut [[__m128i; L]; ROUND_KEYS],
    fresh: u32,
) {
    let (zero, rotated_top) = (_mm512_setzero_si512(), _mm512_set1_epi32(ROTATED_TOP));
    for w in 0..WIDE {
        // Two quadwords a lane.
        let mask =
            (0..4).filter(|l| fresh >> (4 * w + l) & 1 == 1).fold(0, |m, l| m | 3 << (2 * l));
        if mask == 0 {
            continue;
        }
        let mut keys = [wide(&rows[0], w), wide(&rows[1], w)];
        let mut emit = |at: usize, key| {
            let (row, key) = match at {
                _ if ENCRYPT => (at, key),
                0 | 14 => (14 - at, key),
                // InvMixColumns: the two rounds undo each other but for that.
                _ => (14 - at, _mm512_aesdec_epi128(_mm512_aesenclast_epi128(key, zero), zero)),
            };
            let four = rows[row][4 * w..].first_chunk_mut::<4>().expect("four lanes");
            // SAFETY: 64 writable bytes; the instruction asks for no alignment.
            unsafe { _mm512_mask_storeu_epi64(four.as_mut_ptr().cast(), mask, key) }
        };
        emit(0, keys[0]);
        emit(1, keys[1]);
        for at in 2..ROUND_KEYS {
            let [before, last] = keys;
            let word = if at % 2 == 0 {
                let word = _mm512_shuffle_epi8(last, rotated_top);
                _mm512_aesenclast_epi128(word, _mm512_set1_epi32(round_constant(at)))
            } else {
                _mm512_aesenclast_epi128(_mm512_shuffle_epi32::<0xff>(last), zero)
            };
            let sums = _mm512_xor_si512(before, _mm512_bslli_epi128::<4>(before));
            let sums = _mm512_xor_si512(sums, _mm512_bslli_epi128::<8>(sums));
            keys = [last, _mm512_xor_si512(sums, word)];
            emit(at, keys[1]);
        }
    }
}

/// Shuffles a key's top word, its bytes rotated by one, into each word.
const ROTATED_TOP: i32 = 0x0c0f_0e0d;

/// What is xored into the first word of the round key `at`, an even one.
fn round_constant(at: usize) -> i32 {
    1 << (at / 2 - 1)
}

/// Both halves of a key.
pub(super) fn halves(key: &[u8; 32]) -> [__m128i; 2] {
    let (low, high) = key.split_at(BLOCK_LEN);
    [low, high].map(|half| load(half.first_chunk().expect("half of 32 bytes")))
}
