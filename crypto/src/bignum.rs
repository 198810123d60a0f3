//! Big numbers with secrets in them, computed by aws-lc: the one place where its C functions are called.
//!
//! Everything is 256 bytes, big-endian, in and out. aws-lc sizes a number by the bytes it was read from and not by
//! its value, so running times depend on lengths (an exponent of 40 bytes is faster than one of 256) and on
//! the modulus, never on secret values. RSA's private operation is by the Chinese remainder theorem, blinded and
//! checked before its result leaves; the blinding is drawn inside aws-lc and does not change the result.
//!
//! Source: `openssl/bn.h` and `openssl/rsa.h` of aws-lc.

#![expect(
    unsafe_code,
    reason = "C functions of aws-lc; every call is in this file, behind safe types"
)]

use std::ptr::{self, NonNull};

use aws_lc_sys as ffi;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Bytes of a 2048-bit number.
pub(crate) const LEN: usize = 256;

/// A 2048-bit number, cleared on drop.
pub(crate) type Number = Zeroizing<[u8; LEN]>;

/// Why an `expect` on an allocation of a few hundred bytes is sound: Rust's own allocations abort then too.
const MEMORY: &str = "aws-lc fails here only when memory is exhausted";

/// An odd 2048-bit modulus with what Montgomery multiplication precomputes for it.
pub(crate) struct Modulus {
    n: Bn,
    mont: NonNull<ffi::BN_MONT_CTX>,
}

// SAFETY: both members are owned by this value, not tied to a thread, and only read after `new`: every function
// below passes them as pointers to const.
unsafe impl Send for Modulus {}
// SAFETY: as above.
unsafe impl Sync for Modulus {}

impl Modulus {
    /// Prepares a modulus; `None` unless it is odd and its top bit is set. The modulus is public.
    pub(crate) fn new(n: &[u8; LEN]) -> Option<Self> {
        let [first, .., last] = *n;
        if first < 0x80 || last.is_multiple_of(2) {
            return None;
        }
        let n = Bn::new(n);
        let ctx = Ctx::new();
        // SAFETY: `n` and `ctx` are live; the result is owned by the caller and freed in `drop`.
        let mont = unsafe { ffi::BN_MONT_CTX_new_for_modulus(n.0.as_ptr(), ctx.0.as_ptr()) };
        Some(Self { n, mont: NonNull::new(mont).expect(MEMORY) })
    }

    /// `base ^ exponent mod n`; `None` unless `base < n`. Constant time in all but the exponent's length.
    pub(crate) fn power(&self, base: &[u8; LEN], exponent: &[u8]) -> Option<Number> {
        let (base, exponent, out) = (Bn::new(base), Bn::new(exponent), Bn::new(&[]));
        let ctx = Ctx::new();
        // SAFETY: all pointers are to live values; `out` is ours alone; aws-lc checks `base < n`.
        let ok = unsafe {
            ffi::BN_mod_exp_mont_consttime(
                out.0.as_ptr(),
                base.0.as_ptr(),
                exponent.0.as_ptr(),
                self.n.0.as_ptr(),
                ctx.0.as_ptr(),
                self.mont.as_ptr(),
            )
        };
        checked(ok).then(|| out.to_bytes())
    }

    /// `a * b mod n`; both must be below `n`. Constant time.
    pub(crate) fn multiply(&self, a: &[u8; LEN], b: &[u8; LEN]) -> Number {
        let (a, b, out) = (Bn::new(a), Bn::new(b), Bn::new(&[]));
        let ctx = Ctx::new();
        let (mont, ctx) = (self.mont.as_ptr(), ctx.0.as_ptr());
        // SAFETY: all pointers are to live values; `out` is ours alone, and may be an operand too.
        let ok = unsafe {
            ffi::BN_to_montgomery(out.0.as_ptr(), a.0.as_ptr(), mont, ctx) == 1
                && ffi::BN_mod_mul_montgomery(
                    out.0.as_ptr(),
                    out.0.as_ptr(),
                    b.0.as_ptr(),
                    mont,
                    ctx,
                ) == 1
        };
        assert!(ok, "{MEMORY}");
        out.to_bytes()
    }

    /// `a` in Montgomery form; it must be below `n`. Constant time.
    fn to_montgomery(&self, a: &[u8; LEN]) -> Number {
        let (a, out, ctx) = (Bn::new(a), Bn::new(&[]), Ctx::new());
        let (mont, ctx) = (self.mont.as_ptr(), ctx.0.as_ptr());
        // SAFETY: all pointers are to live values; `out` is ours alone.
        let ok = unsafe { ffi::BN_to_montgomery(out.0.as_ptr(), a.0.as_ptr(), mont, ctx) };
        assert!(ok == 1, "{MEMORY}");
        out.to_bytes()
    }

    /// `a + b mod n`; both must be below `n`. Constant time.
    pub(crate) fn add(&self, a: &[u8; LEN], b: &[u8; LEN]) -> Number {
        let (a, b, out) = (Bn::new(a), Bn::new(b), Bn::new(&[]));
        // SAFETY: all pointers are to live values; `out` is ours alone.
        let ok = unsafe {
            ffi::BN_mod_add_quick(out.0.as_ptr(), a.0.as_ptr(), b.0.as_ptr(), self.n.0.as_ptr())
        };
        assert!(ok == 1, "{MEMORY}");
        out.to_bytes()
    }

    /// `a - b mod n`; both must be below `n`. Constant time.
    pub(crate) fn subtract(&self, a: &[u8; LEN], b: &[u8; LEN]) -> Number {
        let (a, b, out) = (Bn::new(a), Bn::new(b), Bn::new(&[]));
        // SAFETY: all pointers are to live values; `out` is ours alone.
        let ok = unsafe {
            ffi::BN_mod_sub_quick(out.0.as_ptr(), a.0.as_ptr(), b.0.as_ptr(), self.n.0.as_ptr())
        };
        assert!(ok == 1, "{MEMORY}");
        out.to_bytes()
    }
}

/// Powers of one public base, so that a power of it takes a multiplication for each four bits of the exponent, and no
/// squaring: for 320 bits 80 instead of 384.
pub(crate) struct Powers {
    modulus: &'static Modulus,
    /// `base ^ (digit * 16 ^ place)` by place and digit, in Montgomery form. 1 KiB a bit of the exponent.
    table: Vec<[[u8; LEN]; 16]>,
}

impl Powers {
    /// Prepares powers of `base`, which must be below the modulus, for exponents of so many bytes.
    pub(crate) fn new(modulus: &'static Modulus, base: &[u8; LEN], exponent_len: usize) -> Self {
        let mut one = [0; LEN];
        let [.., last] = &mut one;
        *last = 1;
        let mut step = *base;
        let row = |_| {
            let mut power = one;
            let row = std::array::from_fn(|_| {
                let entry = *modulus.to_montgomery(&power);
                power = *modulus.multiply(&power, &step);
                entry
            });
            step = power;
            row
        };
        Self { modulus, table: (0..2 * exponent_len).map(row).collect() }
    }

    /// `base ^ exponent mod n`, for an exponent of the prepared length, big-endian. Constant time: each digit's entry is
    /// picked by looking at all sixteen.
    pub(crate) fn power(&self, exponent: &[u8]) -> Number {
        assert_eq!(self.table.len(), 2 * exponent.len(), "an exponent of the prepared length");
        let digits = exponent.iter().rev().flat_map(|byte| [byte & 0xf, byte >> 4]);
        let (entry, mut product, ctx) = (Bn::new(&[0; LEN]), None, Ctx::new());
        let (mont, ctx) = (self.modulus.mont.as_ptr(), ctx.0.as_ptr());
        let mut picked = Number::default_block();
        for (digit, row) in digits.zip(&self.table) {
            picked.fill(0);
            for (value, candidate) in (0_u8..).zip(row) {
                let mask = 0_u8.wrapping_sub(value.ct_eq(&digit).unwrap_u8());
                picked.iter_mut().zip(candidate).for_each(|(to, from)| *to |= from & mask);
            }
            let Some(product) = &product else {
                product = Some(Bn::new(&*picked));
                continue;
            };
            let product: &Bn = product;
            // SAFETY: all pointers are to live values, `entry` and `product` are ours alone; the bytes are one live array,
            // and a result may be an operand too.
            let ok = unsafe {
                !ffi::BN_bin2bn(picked.as_ptr(), LEN, entry.0.as_ptr()).is_null()
                    && ffi::BN_mod_mul_montgomery(
                        product.0.as_ptr(),
                        product.0.as_ptr(),
                        entry.0.as_ptr(),
                        mont,
                        ctx,
                    ) == 1
            };
            assert!(ok, "{MEMORY}");
        }
        let product = product.expect("an exponent has digits");
        // SAFETY: as above.
        let ok =
            unsafe { ffi::BN_from_montgomery(product.0.as_ptr(), product.0.as_ptr(), mont, ctx) };
        assert!(ok == 1, "{MEMORY}");
        product.to_bytes()
    }
}

impl Drop for Modulus {
    fn drop(&mut self) {
        // SAFETY: made by `BN_MONT_CTX_new_for_modulus`, freed once.
        unsafe { ffi::BN_MONT_CTX_free(self.mont.as_ptr()) }
    }
}

/// A 2048-bit RSA private key inside aws-lc.
pub(crate) struct RsaPrivate(NonNull<ffi::RSA>);

// SAFETY: the key is owned by this value and not tied to a thread.
unsafe impl Send for RsaPrivate {}
// SAFETY: `openssl/rsa.h`: an `RSA` may be used by several threads at once for operations; nothing here changes it.
// What aws-lc caches in it (Montgomery contexts, blindings) is behind its own lock.
unsafe impl Sync for RsaPrivate {}

impl RsaPrivate {
    /// Reads a PKCS#1 `RSAPrivateKey` in DER; aws-lc checks that its numbers belong together.
    pub(crate) fn from_pkcs1_der(der: &[u8]) -> Option<Self> {
        // SAFETY: the pointer and length are of one live slice; the result is owned by us and freed in `drop`.
        let rsa = unsafe { ffi::RSA_private_key_from_bytes(der.as_ptr(), der.len()) };
        let Some(rsa) = NonNull::new(rsa) else {
            checked(0);
            return None;
        };
        let key = Self(rsa);
        // SAFETY: the key is live.
        let size = unsafe { ffi::RSA_size(key.0.as_ptr()) };
        (usize::try_from(size) == Ok(LEN)).then_some(key)
    }

    /// `block ^ d mod n`, constant time; `None` unless `1 < block < n - 1`.
    pub(crate) fn decrypt(&self, block: &[u8; LEN]) -> Option<Number> {
        let mut out = Number::default_block();
        let mut out_len = 0;
        // SAFETY: `RSA_size` is `LEN` (checked in `from_pkcs1_der`), so `out` has room for all that is written;
        // the lengths are those of the arrays; without padding exactly `LEN` bytes come out.
        let ok = unsafe {
            ffi::RSA_decrypt(
                self.0.as_ptr(),
                &raw mut out_len,
                out.as_mut_ptr(),
                LEN,
                block.as_ptr(),
                LEN,
                ffi::RSA_NO_PADDING,
            )
        };
        (checked(ok) && out_len == LEN).then_some(out)
    }
}

impl Drop for RsaPrivate {
    fn drop(&mut self) {
        // SAFETY: made by `RSA_private_key_from_bytes`, freed once. aws-lc clears the numbers.
        unsafe { ffi::RSA_free(self.0.as_ptr()) }
    }
}

/// An owned `BIGNUM`, cleared on drop.
struct Bn(NonNull<ffi::BIGNUM>);

impl Bn {
    fn new(bytes: &[u8]) -> Self {
        // SAFETY: the pointer and length are of one live slice; null asks for a new number, which we own.
        let bn = unsafe { ffi::BN_bin2bn(bytes.as_ptr(), bytes.len(), ptr::null_mut()) };
        Self(NonNull::new(bn).expect(MEMORY))
    }

    /// The number in 256 bytes. Everything computed here is below a 2048-bit modulus, so it fits.
    fn to_bytes(&self) -> Number {
        let mut out = Number::default_block();
        // SAFETY: writes exactly `LEN` bytes to an array of that size.
        let ok = unsafe { ffi::BN_bn2bin_padded(out.as_mut_ptr(), LEN, self.0.as_ptr()) };
        assert!(ok == 1, "a residue fits its modulus");
        out
    }
}

impl Drop for Bn {
    fn drop(&mut self) {
        // SAFETY: made by `BN_bin2bn`, freed once.
        unsafe { ffi::BN_clear_free(self.0.as_ptr()) }
    }
}

/// Scratch space of aws-lc for one computation.
struct Ctx(NonNull<ffi::BN_CTX>);

impl Ctx {
    fn new() -> Self {
        // SAFETY: no preconditions; the result is owned by us.
        Self(NonNull::new(unsafe { ffi::BN_CTX_new() }).expect(MEMORY))
    }
}

impl Drop for Ctx {
    fn drop(&mut self) {
        // SAFETY: made by `BN_CTX_new`, freed once.
        unsafe { ffi::BN_CTX_free(self.0.as_ptr()) }
    }
}

/// Whether a call succeeded; if not, empties aws-lc's error queue of this thread, which nobody reads.
fn checked(result: i32) -> bool {
    if result != 1 {
        // SAFETY: no preconditions.
        unsafe { ffi::ERR_clear_error() }
    }
    result == 1
}

/// `Default` for an array of 256 bytes, which std lacks.
trait DefaultBlock {
    fn default_block() -> Self;
}

impl DefaultBlock for Number {
    fn default_block() -> Self {
        Self::new([0; LEN])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::dh::PRIME;

    fn number(value: u64) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[LEN - 8..].copy_from_slice(&value.to_be_bytes());
        bytes
    }

    #[test]
    fn small_numbers() {
        let prime = Modulus::new(&PRIME).unwrap();
        assert_eq!(*prime.power(&number(3), &[5]).unwrap(), number(243));
        assert_eq!(*prime.power(&number(3), &[0]).unwrap(), number(1));
        assert_eq!(*prime.power(&number(3), &[]).unwrap(), number(1));
        assert_eq!(*prime.power(&number(3), &[0, 0, 0, 0, 0, 0, 0, 0, 5]).unwrap(), number(243));
        assert_eq!(*prime.multiply(&number(1 << 20), &number(77)), number(77 << 20));
        assert_eq!(*prime.add(&number(40), &number(2)), number(42));
        assert_eq!(*prime.subtract(&number(40), &number(2)), number(38));
        let negative = prime.subtract(&number(2), &number(40));
        assert_eq!(*prime.add(&negative, &number(40)), number(2));
    }

    #[test]
    fn prepared_powers_are_those_computed_anew() {
        static PRIME_MODULUS: LazyLock<Modulus> = LazyLock::new(|| Modulus::new(&PRIME).unwrap());
        for base in [number(3), number(u64::MAX)] {
            let powers = Powers::new(&PRIME_MODULUS, &base, 4);
            for exponent in [0, 1, 15, 16, 17, 0xf0, 0x0123_4567, 0x89ab_cdef_u32, u32::MAX] {
                let exponent = exponent.to_be_bytes();
                let expected = PRIME_MODULUS.power(&base, &exponent).unwrap();
                assert_eq!(*powers.power(&exponent), *expected, "{exponent:?}");
            }
        }
    }

    #[test]
    fn base_and_modulus_are_checked() {
        let prime = Modulus::new(&PRIME).unwrap();
        assert!(prime.power(&PRIME, &[1]).is_none());
        assert!(prime.power(&[0xff; LEN], &[1]).is_none());
        assert!(Modulus::new(&[0xfe; LEN]).is_none(), "even");
        assert!(Modulus::new(&[0x7f; LEN]).is_none(), "2047 bits");
    }
}
