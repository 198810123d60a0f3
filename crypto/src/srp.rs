//! Passwords of two-step verification: Telegram's form of SRP-6a, both sides.
//!
//! ```text
//! H = SHA256     SH(d, s) = H(s | d | s)     numbers are 256 bytes, big-endian     g = 3, p = dh::PRIME
//! x = SH(PBKDF2-HMAC-SHA512(SH(SH(password, salt1), salt2), salt1, 100000, 64), salt2)
//! v = g^x        k = H(p | g)        u = H(A | B)
//! A = g^a        B = k v + g^b
//! S = (A v^u)^b = (B - k v)^(a + u x)        K = H(S)
//! M1 = H((H(p) xor H(g)) | H(salt1) | H(salt2) | A | B | K)
//! ```
//!
//! The server keeps `v` and the salts, never a password. `srp_id`, its lifetime and the number of tries are the
//! caller's. Secret exponents are powered in constant time.
//!
//! Source: <https://core.telegram.org/api/srp>.

use sha2::Sha512;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    ct_eq,
    dh::{DhPublic, G_BYTES, MODULUS, OutOfRange, PRIME},
    sha,
};

/// Rounds of PBKDF2; part of the algorithm's name on the wire.
const PBKDF2_ROUNDS: u32 = 100_000;

/// The salts of `passwordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow`; `g` and `p` are fixed.
#[derive(Clone, Copy, Debug)]
pub struct Algo<'a> {
    /// The server's 8 bytes and the client's 32.
    pub salt1: &'a [u8],
    /// The server's 16 bytes.
    pub salt2: &'a [u8],
}

/// Why a log-in failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The peer's `A` or `B` is outside the range of [`DhPublic`].
    #[error("SRP number out of range")]
    OutOfRange,
    /// `M1` is not the one of this password.
    #[error("wrong password")]
    WrongPassword,
}

impl From<OutOfRange> for Error {
    fn from(_: OutOfRange) -> Self {
        Self::OutOfRange
    }
}

/// Client: `x`, what a password amounts to. `password` is UTF-8 as typed.
///
/// Cost: 100,000 rounds of HMAC-SHA-512, about a tenth of a second.
pub fn password_hash(password: &[u8], algo: &Algo<'_>) -> Zeroizing<[u8; 32]> {
    let mut first = salted(&*salted(password, algo.salt1), algo.salt2);
    let mut stretched = Zeroizing::new([0; 64]);
    pbkdf2::pbkdf2_hmac::<Sha512>(&*first, algo.salt1, PBKDF2_ROUNDS, &mut *stretched);
    first.zeroize();
    salted(&*stretched, algo.salt2)
}

/// `v`, what the server stores of a password. Cleared on drop; store it encrypted.
#[derive(Clone)]
pub struct Verifier(Zeroizing<[u8; 256]>);

impl Verifier {
    /// Takes `new_password_hash` as the client sent it, or what was stored.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`]: no honest password has a `v` outside the range of [`DhPublic`].
    pub fn from_bytes(bytes: &[u8; 256]) -> Result<Self, OutOfRange> {
        Ok(Self(Zeroizing::new(*DhPublic::parse(bytes)?.as_bytes())))
    }

    /// Client: `g^x`.
    pub fn from_password_hash(x: &[u8; 32]) -> Self {
        Self(power(&G_BYTES, x))
    }

    /// The 256 bytes, big-endian.
    pub fn as_bytes(&self) -> &[u8; 256] {
        &self.0
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier(..)")
    }
}

/// Server: one attempt's `b` and `B`. To be used once. Cleared on drop.
pub struct Challenge {
    secret: Zeroizing<[u8; 256]>,
    public: [u8; 256],
}

impl Challenge {
    /// The challenge of `secret`, 2048 random bits.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] once in 2^63 secrets: draw another.
    pub fn new(verifier: &Verifier, secret: [u8; 256]) -> Result<Self, OutOfRange> {
        let secret = Zeroizing::new(secret);
        let public = MODULUS.add(&times_k(&verifier.0), &power(&G_BYTES, &*secret));
        Ok(Self { secret, public: *DhPublic::parse(&*public)?.as_bytes() })
    }

    /// `srp_B`.
    pub fn public(&self) -> &[u8; 256] {
        &self.public
    }

    /// Whether the client knows the password. `a` and `m1` are `A` and `M1` of `inputCheckPasswordSRP`.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for an `A` that could cheat, [`Error::WrongPassword`].
    pub fn check(
        &self,
        verifier: &Verifier,
        algo: &Algo<'_>,
        a: &[u8],
        m1: &[u8; 32],
    ) -> Result<(), Error> {
        let a = DhPublic::parse(a)?;
        let u = mix(a.as_bytes(), &self.public)?;
        let base = MODULUS.multiply(a.as_bytes(), &power(&verifier.0, &u));
        let shared = power(&base, &*self.secret);
        if ct_eq(&proof(algo, a.as_bytes(), &self.public, &shared), m1) {
            Ok(())
        } else {
            Err(Error::WrongPassword)
        }
    }
}

impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Challenge(..)")
    }
}

/// What the client sends in `inputCheckPasswordSRP`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// `A`, 256 bytes big-endian.
    pub a: [u8; 256],
    /// `M1`.
    pub m1: [u8; 32],
}

/// Client: answers the server's `srp_B` with `x` of [`password_hash`] and a `secret` of 2048 random bits.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a `B` that could cheat, or (once in 2^63) for the secret's own `A`: draw another.
pub fn prove(
    x: &[u8; 32],
    algo: &Algo<'_>,
    srp_b: &[u8],
    secret: [u8; 256],
) -> Result<Proof, Error> {
    let secret = Zeroizing::new(secret);
    let b = DhPublic::parse(srp_b)?;
    let a = DhPublic::parse(&*power(&G_BYTES, &*secret))?;
    let u = mix(a.as_bytes(), b.as_bytes())?;
    let base = MODULUS.subtract(b.as_bytes(), &times_k(&Verifier::from_password_hash(x).0));
    // base ^ (a + u x), without computing the sum: exponents stay in the library that powers them.
    let shared = MODULUS.multiply(&power(&base, &*secret), &power(&power(&base, &u), x));
    Ok(Proof { a: *a.as_bytes(), m1: proof(algo, a.as_bytes(), b.as_bytes(), &shared) })
}

/// `SH(data, salt)`.
fn salted(data: &[u8], salt: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(sha::sha256(&[salt, data, salt]))
}

/// `base ^ exponent mod p` for a base that is below `p`, as all here are.
fn power(base: &[u8; 256], exponent: &[u8]) -> Zeroizing<[u8; 256]> {
    MODULUS.power(base, exponent).expect("bases are residues or checked when parsed")
}

/// `k v mod p`.
fn times_k(v: &[u8; 256]) -> Zeroizing<[u8; 256]> {
    let mut k = [0; 256];
    let (_, tail) = k.split_at_mut(224);
    tail.copy_from_slice(&sha::sha256(&[&PRIME, &G_BYTES]));
    MODULUS.multiply(&k, v)
}

/// `u`; zero would let a client in without a password.
fn mix(a: &[u8; 256], b: &[u8; 256]) -> Result<[u8; 32], Error> {
    let u = sha::sha256(&[a, b]);
    if u == [0; 32] { Err(Error::OutOfRange) } else { Ok(u) }
}

/// `M1` from the shared number `S`.
fn proof(algo: &Algo<'_>, a: &[u8; 256], b: &[u8; 256], shared: &[u8; 256]) -> [u8; 32] {
    let mut hashes = sha::sha256(&[&PRIME]);
    hashes.iter_mut().zip(sha::sha256(&[&G_BYTES])).for_each(|(p, g)| *p ^= g);
    let key = Zeroizing::new(sha::sha256(&[shared]));
    let salts = (sha::sha256(&[algo.salt1]), sha::sha256(&[algo.salt2]));
    sha::sha256(&[&hashes, &salts.0, &salts.1, a, b, &*key])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALGO: Algo<'_> = Algo { salt1: b"salt of forty bytes", salt2: b"another" };

    /// A log-in with `typed` where `set` is the password; hashes stand for passwords, which are slow to hash.
    #[track_caller]
    fn check(set: [u8; 32], typed: [u8; 32], expected: Result<(), Error>) {
        let verifier = Verifier::from_password_hash(&set);
        let verifier = Verifier::from_bytes(verifier.as_bytes()).unwrap();
        let challenge = Challenge::new(&verifier, [0xb7; 256]).unwrap();
        let proof = prove(&typed, &ALGO, challenge.public(), [0xa3; 256]).unwrap();
        assert_eq!(challenge.check(&verifier, &ALGO, &proof.a, &proof.m1), expected);
    }

    #[test]
    fn passwords() {
        check([1; 32], [1; 32], Ok(()));
        check([0xff; 32], [0xff; 32], Ok(()));
        check([1; 32], [2; 32], Err(Error::WrongPassword));
    }

    /// An `A` that is a multiple of `p` would make the shared number zero.
    #[test]
    fn cheating_numbers_are_refused() {
        let verifier = Verifier::from_password_hash(&[1; 32]);
        let challenge = Challenge::new(&verifier, [0xb7; 256]).unwrap();
        for a in [&[0; 256][..], &PRIME, &[0xff; 256], &[1], &[], &[0xff; 300]] {
            let result = challenge.check(&verifier, &ALGO, a, &[0; 32]);
            assert_eq!(result, Err(Error::OutOfRange));
            assert_eq!(prove(&[1; 32], &ALGO, a, [1; 256]), Err(Error::OutOfRange));
        }
        assert!(Verifier::from_bytes(&PRIME).is_err());
        assert!(Verifier::from_bytes(&[0; 256]).is_err());
    }
}
