//! The handshake's small proof of work: a product of two primes that the client has to factor.
//!
//! Server: [`Pq::generate`]. Client: [`factorize`]. The numbers are public, so nothing here is constant time.
//!
//! Both primes are between 2^30 and 2^31, so that each takes exactly 4 bytes and the product 8: some clients encode
//! them in that many bytes whatever their value.
//!
//! Source: <https://core.telegram.org/mtproto/auth_key#2-server-sends-response-of-the-form>.

use rand_core::CryptoRng;

/// Two primes with `2^30 < p < q < 2^31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pq {
    /// The smaller prime.
    pub p: u32,
    /// The larger prime.
    pub q: u32,
}

impl Pq {
    /// Draws two primes. Cost: about 21 draws of 4 bytes, a few microseconds.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let a = draw(rng);
        let b = loop {
            let b = draw(rng);
            if b != a {
                break b;
            }
        };
        Self { p: a.min(b), q: a.max(b) }
    }

    /// The number to factor, below 2^62.
    pub fn product(self) -> u64 {
        u64::from(self.p) * u64::from(self.q)
    }

    /// The product as `resPQ` carries it: 8 bytes, big-endian.
    pub fn pq_bytes(self) -> [u8; 8] {
        self.product().to_be_bytes()
    }

    /// The smaller prime as `req_DH_params` carries it: 4 bytes, big-endian.
    pub fn p_bytes(self) -> [u8; 4] {
        self.p.to_be_bytes()
    }

    /// The larger prime as `req_DH_params` carries it: 4 bytes, big-endian.
    pub fn q_bytes(self) -> [u8; 4] {
        self.q.to_be_bytes()
    }
}

/// A prime between 2^30 and 2^31.
fn draw(rng: &mut impl CryptoRng) -> u32 {
    loop {
        let candidate = rng.next_u32() >> 1 | 1 << 30 | 1;
        if is_prime(u64::from(candidate)) {
            return candidate;
        }
    }
}

/// Splits a product of two different primes below 2^32 into `(p, q)` with `p < q`.
///
/// `None` where `pq` is no such product. Brent's form of Pollard's rho: about 2^15 steps where both are near 2^31.
pub fn factorize(pq: u64) -> Option<(u32, u32)> {
    if pq < 6 || is_prime(pq) {
        return None;
    }
    // A polynomial can fail on a number; four in a row do not on a product of two primes.
    let factor = [2, 3, 5, 7, 11, 13]
        .into_iter()
        .find(|&small| pq.is_multiple_of(small))
        .or_else(|| [1, 3, 5, 7].into_iter().find_map(|c| rho(pq, c)))?;
    let (a, b) = (factor.min(pq / factor), factor.max(pq / factor));
    if a == b || !is_prime(a) || !is_prime(b) {
        return None;
    }
    Some((u32::try_from(a).ok()?, u32::try_from(b).ok()?))
}

/// One run of Brent's method on `x -> x^2 + c`, with a greatest common divisor every 128 steps.
///
/// Bounded: factors below 2^32 show after some 2^17 steps at the very most.
fn rho(n: u64, c: u64) -> Option<u64> {
    let step = |x: u64| {
        let next = u128::from(multiply(x, x, n)) + u128::from(c);
        u64::try_from(next % u128::from(n)).unwrap_or(0)
    };
    let (mut y, mut power) = (2, 1_u64);
    while power <= 1 << 18 {
        let x = y;
        let mut done = 0;
        while done < power {
            let saved = y;
            let batch = 128.min(power - done);
            let mut product = 1;
            for _ in 0..batch {
                y = step(y);
                product = multiply(product, x.abs_diff(y), n);
            }
            match gcd(product, n) {
                1 => done += batch,
                // Both factors met within this batch: walk it again, one step at a time.
                d if d == n => {
                    let mut z = saved;
                    return (0..batch)
                        .map(|_| {
                            z = step(z);
                            gcd(x.abs_diff(z), n)
                        })
                        .find(|&d| d != 1)
                        .filter(|&d| d != n);
                }
                d => return Some(d),
            }
        }
        power *= 2;
    }
    None
}

/// Greatest common divisor.
fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// `a * b mod n`, without overflow.
fn multiply(a: u64, b: u64, n: u64) -> u64 {
    u64::try_from(u128::from(a) * u128::from(b) % u128::from(n)).unwrap_or(0)
}

/// Miller and Rabin's test with the bases that make it exact for 64 bits.
fn is_prime(n: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if n < 2 {
        return false;
    }
    if let Some(small) = BASES.into_iter().find(|&base| n.is_multiple_of(base)) {
        return n == small;
    }
    let shift = (n - 1).trailing_zeros();
    let odd = (n - 1) >> shift;
    BASES.into_iter().all(|base| {
        let mut x = power(base, odd, n);
        if x == 1 || x == n - 1 {
            return true;
        }
        (1..shift).any(|_| {
            x = multiply(x, x, n);
            x == n - 1
        })
    })
}

/// `base ^ exponent mod n`.
fn power(base: u64, mut exponent: u64, n: u64) -> u64 {
    let (mut result, mut square) = (1, base % n);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = multiply(result, square, n);
        }
        square = multiply(square, square, n);
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn generated_numbers_factor_back() {
        for seed in 0..100 {
            let pq = Pq::generate(&mut ChaCha8Rng::seed_from_u64(seed));
            assert!(1 << 30 < pq.p && pq.p < pq.q && pq.q < 1 << 31, "{pq:?}");
            assert_eq!(factorize(pq.product()), Some((pq.p, pq.q)), "{pq:?}");
        }
    }

    #[track_caller]
    fn check(pq: u64, expected: Option<(u32, u32)>) {
        assert_eq!(factorize(pq), expected, "{pq}");
    }

    #[test]
    fn edges() {
        check(0, None);
        check(1, None);
        check(4, None); // a square
        check(6, Some((2, 3)));
        check(15, Some((3, 5)));
        check(30, None); // three primes
        check(0xffff_fffb, None); // a prime
        check(2 * 0xffff_fffb, Some((2, 0xffff_fffb)));
        check(4_294_967_279 * 4_294_967_291, Some((4_294_967_279, 4_294_967_291)));
        check(65_537 * 65_537, None);
        check(0xffff_ffff_ffff_ffc5, None); // the largest prime below 2^64
        check(u64::MAX, None);
    }
}
