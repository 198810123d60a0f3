//! The server's RSA key: 2048 bits, its files, its fingerprint, and the private operation of the handshake.
//!
//! Key generation and PEM are the `rsa` crate's, off the hot path; the private operation is aws-lc's (six times as
//! fast, constant time, blinded). How the client's data is padded inside a block is in `padding`, re-exported
//! here.
//!
//! ```text
//! fingerprint = SHA1(tl_bytes(n) | tl_bytes(e))[12..20], little-endian
//! ```
//!
//! `n` and `e` are big-endian without leading zeros.
//!
//! Source: <https://core.telegram.org/mtproto/auth_key#41-rsa-paddata-server-public-key-mentioned-above-is-implemented-as-follows>.

mod padding;

use std::sync::Arc;

use rand_core::CryptoRng;
use rsa::{
    BigUint, RsaPrivateKey, RsaPublicKey,
    pkcs1::{DecodeRsaPrivateKey, DecodeRsaPublicKey, EncodeRsaPrivateKey, EncodeRsaPublicKey},
    pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding},
    traits::PublicKeyParts,
};
use zeroize::Zeroizing;

pub use padding::{
    DATA_LEN_MAX_OLD, DATA_LEN_MAX_PAD, pad_old, pad_rsa_pad, unpad, unpad_old, unpad_rsa_pad,
};

use crate::{
    bignum::{Modulus, RsaPrivate},
    sha,
};

/// Bits of every key here.
const BITS: usize = 2048;

/// What is wrong with a key or a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no PEM of an RSA key, or its numbers do not belong together.
    #[error("not an RSA key in PEM")]
    Pem,
    /// The modulus has not exactly 2048 bits.
    #[error("RSA key of {bits} bits instead of 2048")]
    Size {
        /// Bits of the modulus.
        bits: usize,
    },
    /// The `rsa` crate could not make a key or write it down.
    #[error("failed to make an RSA key")]
    Generate,
    /// The block, as a number, is not below the modulus, or so degenerate that it is its own power.
    #[error("RSA block out of range")]
    Block,
    /// More data than the padding has room for.
    #[error("{len} bytes do not fit an RSA block")]
    DataLength {
        /// Bytes of the data.
        len: usize,
    },
}

/// A 2048-bit private key. Shared by threads; cleared on drop.
pub struct PrivateKey {
    key: RsaPrivateKey,
    fast: RsaPrivate,
    public: PublicKey,
}

impl PrivateKey {
    /// Draws a new key with `e` = 65537. Cost: seconds, seldom many.
    ///
    /// Keys whose fingerprint begins with a zero as 16 hex digits are drawn again: tools that print fingerprints
    /// without leading zeros would name another number.
    ///
    /// # Errors
    ///
    /// [`Error::Generate`] when the `rsa` crate gives up.
    pub fn generate(rng: &mut impl CryptoRng) -> Result<Self, Error> {
        loop {
            let key = RsaPrivateKey::new(&mut Random(rng), BITS).map_err(|_| Error::Generate)?;
            let key = Self::new(key)?;
            if key.fingerprint().cast_unsigned() >> 60 != 0 {
                return Ok(key);
            }
        }
    }

    /// Reads a key from PEM: PKCS#8 (`PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`).
    ///
    /// # Errors
    ///
    /// [`Error::Pem`], [`Error::Size`].
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let key = RsaPrivateKey::from_pkcs8_pem(pem)
            .or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem))
            .map_err(|_| Error::Pem)?;
        Self::new(key)
    }

    /// The key of two primes (big-endian) and `e` = 65537: for keys that are known as numbers, such as test vectors.
    ///
    /// # Errors
    ///
    /// [`Error::Pem`] when they make no key, [`Error::Size`].
    pub fn from_primes(p: &[u8], q: &[u8]) -> Result<Self, Error> {
        let [p, q] = [p, q].map(BigUint::from_bytes_be);
        let key = RsaPrivateKey::from_p_q(p, q, BigUint::from(65537_u32));
        Self::new(key.map_err(|_| Error::Pem)?)
    }

    fn new(key: RsaPrivateKey) -> Result<Self, Error> {
        let public = PublicKey::new(&key.to_public_key())?;
        let der = key.to_pkcs1_der().map_err(|_| Error::Generate)?;
        let fast = RsaPrivate::from_pkcs1_der(der.as_bytes()).ok_or(Error::Pem)?;
        Ok(Self { key, fast, public })
    }

    /// The key as PKCS#8 PEM.
    ///
    /// # Errors
    ///
    /// [`Error::Generate`] when the `rsa` crate cannot encode it.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        self.key.to_pkcs8_pem(LineEnding::LF).map_err(|_| Error::Generate)
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The public half as clients take it: PKCS#1 PEM, beginning `-----BEGIN RSA PUBLIC KEY-----`.
    pub fn public_pem(&self) -> String {
        self.public.to_pem()
    }

    /// The number that names this key in `resPQ` and `req_DH_params`.
    pub fn fingerprint(&self) -> i64 {
        self.public.fingerprint
    }

    /// `block ^ d mod n`, constant time and blinded. Cost: a quarter of a millisecond.
    ///
    /// # Errors
    ///
    /// [`Error::Block`] unless the block is above 1 and below `n - 1`.
    pub fn decrypt_raw(&self, block: &[u8; 256]) -> Result<Zeroizing<[u8; 256]>, Error> {
        self.fast.decrypt(block).ok_or(Error::Block)
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({:016x})", self.fingerprint())
    }
}

/// A 2048-bit public key. Cheap to clone.
#[derive(Clone)]
pub struct PublicKey {
    numbers: Arc<Numbers>,
    fingerprint: i64,
}

struct Numbers {
    n: [u8; 256],
    e: Vec<u8>,
    modulus: Modulus,
    pem: String,
}

impl PublicKey {
    /// Reads a key from PKCS#1 PEM.
    ///
    /// # Errors
    ///
    /// [`Error::Pem`], [`Error::Size`].
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        Self::new(&RsaPublicKey::from_pkcs1_pem(pem).map_err(|_| Error::Pem)?)
    }

    fn new(key: &RsaPublicKey) -> Result<Self, Error> {
        let bits = key.n().bits();
        let n = left_pad(&key.n().to_bytes_be()).filter(|_| bits == BITS);
        let n = n.ok_or(Error::Size { bits })?;
        let e = key.e().to_bytes_be();
        let [.., f0, f1, f2, f3, f4, f5, f6, f7] = sha::sha1(&[&tl_bytes(&n), &tl_bytes(&e)]);
        let fingerprint = i64::from_le_bytes([f0, f1, f2, f3, f4, f5, f6, f7]);
        let modulus = Modulus::new(&n).ok_or(Error::Pem)?;
        let pem = key.to_pkcs1_pem(LineEnding::LF).map_err(|_| Error::Generate)?;
        Ok(Self { numbers: Arc::new(Numbers { n, e, modulus, pem }), fingerprint })
    }

    /// The key as PKCS#1 PEM, beginning `-----BEGIN RSA PUBLIC KEY-----`.
    pub fn to_pem(&self) -> String {
        self.numbers.pem.clone()
    }

    /// The modulus, big-endian; its top bit is set.
    pub fn n(&self) -> &[u8; 256] {
        &self.numbers.n
    }

    /// The public exponent, big-endian without leading zeros.
    pub fn e(&self) -> &[u8] {
        &self.numbers.e
    }

    /// The number that names this key in `resPQ` and `req_DH_params`.
    pub fn fingerprint(&self) -> i64 {
        self.fingerprint
    }

    /// `block ^ e mod n`.
    ///
    /// # Errors
    ///
    /// [`Error::Block`] unless the block is below the modulus.
    pub fn encrypt_raw(&self, block: &[u8; 256]) -> Result<[u8; 256], Error> {
        self.numbers.modulus.power(block, &self.numbers.e).map(|number| *number).ok_or(Error::Block)
    }

    /// A client's `encrypted_data` by RSA_PAD, for at most [`DATA_LEN_MAX_PAD`] bytes.
    ///
    /// # Errors
    ///
    /// [`Error::DataLength`].
    pub fn encrypt_pad(&self, data: &[u8], rng: &mut impl CryptoRng) -> Result<[u8; 256], Error> {
        let (mut random, mut temp_key) = (Zeroizing::new([0; 192]), Zeroizing::new([0; 32]));
        rng.fill_bytes(&mut *random);
        loop {
            rng.fill_bytes(&mut *temp_key);
            let block = pad_rsa_pad(data, &random, &temp_key)?;
            // A block that is not below the modulus is drawn again with another temporary key.
            if let Ok(encrypted) = self.encrypt_raw(&block) {
                return Ok(encrypted);
            }
        }
    }

    /// A client's `encrypted_data` by the old padding, for at most [`DATA_LEN_MAX_OLD`] bytes.
    ///
    /// # Errors
    ///
    /// [`Error::DataLength`].
    pub fn encrypt_old(&self, data: &[u8], rng: &mut impl CryptoRng) -> Result<[u8; 256], Error> {
        let mut random = Zeroizing::new([0; DATA_LEN_MAX_OLD]);
        rng.fill_bytes(&mut *random);
        self.encrypt_raw(&*pad_old(data, &random)?)
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({:016x})", self.fingerprint)
    }
}

/// A big-endian number in 256 bytes; `None` if it needs more.
pub(crate) fn left_pad(bytes: &[u8]) -> Option<[u8; 256]> {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    let (_, bytes) = bytes.split_at(zeros);
    let mut number = [0; 256];
    let (_, tail) = number.split_at_mut(256_usize.checked_sub(bytes.len())?);
    tail.copy_from_slice(bytes);
    Some(number)
}

/// TL's `bytes`: length, contents, zeros up to a multiple of 4. `bytes` is at most 256 long here.
fn tl_bytes(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut encoded = match (bytes.len(), len) {
        (0..254, [len, ..]) => vec![len],
        (_, [a, b, c, _]) => vec![254, a, b, c],
    };
    encoded.extend_from_slice(bytes);
    encoded.resize(encoded.len().next_multiple_of(4), 0);
    encoded
}

/// Today's generator behind the traits that the `rsa` crate knows.
struct Random<'a, R>(&'a mut R);

impl<R: CryptoRng> rsa::rand_core::RngCore for Random<'_, R> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        self.0.fill_bytes(out);
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.0.fill_bytes(out);
        Ok(())
    }
}

impl<R: CryptoRng> rsa::rand_core::CryptoRng for Random<'_, R> {}

#[cfg(test)]
mod tests;
