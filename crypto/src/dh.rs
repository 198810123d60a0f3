//! Diffie-Hellman over the known 2048-bit safe prime, with the range checks that both sides owe each other.
//!
//! The generator 3 spans the subgroup of prime order `(p - 1) / 2`, because `p mod 3 = 2`. In such a group a secret
//! exponent needs no more bits than twice the strength one wants: RFC 7919, section 5.2, asks for at least 225.
//! [`SHORT_SECRET_LEN`] gives 320 and costs a sixth of a full exponent.
//!
//! Deliberately absent: any other prime. pyrogram aborts on one, other clients test it slowly.
//!
//! Source: <https://core.telegram.org/mtproto/auth_key#6-client-computes-random-2048-bit-number-b-and-sends-message-to-server>,
//! <https://www.rfc-editor.org/rfc/rfc7919#section-5.2>.

use std::sync::LazyLock;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{
    AuthKey,
    bignum::{Modulus, Powers},
    rsa::left_pad,
};

/// The generator, as `server_DH_inner_data` and `passwordKdfAlgo` carry it.
pub const G: i32 = 3;

/// Bytes of a short secret exponent: 320 bits.
pub const SHORT_SECRET_LEN: usize = 40;

/// Bytes of a full secret exponent: 2048 bits, as the protocol's documentation describes.
pub const FULL_SECRET_LEN: usize = 256;

// RFC 7919, section 5.2.
const _: () = assert!(SHORT_SECRET_LEN * 8 >= 225);

/// The known prime `p`, big-endian; `(p - 1) / 2` is prime too.
#[rustfmt::skip]
pub const PRIME: [u8; 256] = [
    0xc7, 0x1c, 0xae, 0xb9, 0xc6, 0xb1, 0xc9, 0x04, 0x8e, 0x6c, 0x52, 0x2f, 0x70, 0xf1, 0x3f, 0x73,
    0x98, 0x0d, 0x40, 0x23, 0x8e, 0x3e, 0x21, 0xc1, 0x49, 0x34, 0xd0, 0x37, 0x56, 0x3d, 0x93, 0x0f,
    0x48, 0x19, 0x8a, 0x0a, 0xa7, 0xc1, 0x40, 0x58, 0x22, 0x94, 0x93, 0xd2, 0x25, 0x30, 0xf4, 0xdb,
    0xfa, 0x33, 0x6f, 0x6e, 0x0a, 0xc9, 0x25, 0x13, 0x95, 0x43, 0xae, 0xd4, 0x4c, 0xce, 0x7c, 0x37,
    0x20, 0xfd, 0x51, 0xf6, 0x94, 0x58, 0x70, 0x5a, 0xc6, 0x8c, 0xd4, 0xfe, 0x6b, 0x6b, 0x13, 0xab,
    0xdc, 0x97, 0x46, 0x51, 0x29, 0x69, 0x32, 0x84, 0x54, 0xf1, 0x8f, 0xaf, 0x8c, 0x59, 0x5f, 0x64,
    0x24, 0x77, 0xfe, 0x96, 0xbb, 0x2a, 0x94, 0x1d, 0x5b, 0xcd, 0x1d, 0x4a, 0xc8, 0xcc, 0x49, 0x88,
    0x07, 0x08, 0xfa, 0x9b, 0x37, 0x8e, 0x3c, 0x4f, 0x3a, 0x90, 0x60, 0xbe, 0xe6, 0x7c, 0xf9, 0xa4,
    0xa4, 0xa6, 0x95, 0x81, 0x10, 0x51, 0x90, 0x7e, 0x16, 0x27, 0x53, 0xb5, 0x6b, 0x0f, 0x6b, 0x41,
    0x0d, 0xba, 0x74, 0xd8, 0xa8, 0x4b, 0x2a, 0x14, 0xb3, 0x14, 0x4e, 0x0e, 0xf1, 0x28, 0x47, 0x54,
    0xfd, 0x17, 0xed, 0x95, 0x0d, 0x59, 0x65, 0xb4, 0xb9, 0xdd, 0x46, 0x58, 0x2d, 0xb1, 0x17, 0x8d,
    0x16, 0x9c, 0x6b, 0xc4, 0x65, 0xb0, 0xd6, 0xff, 0x9c, 0xa3, 0x92, 0x8f, 0xef, 0x5b, 0x9a, 0xe4,
    0xe4, 0x18, 0xfc, 0x15, 0xe8, 0x3e, 0xbe, 0xa0, 0xf8, 0x7f, 0xa9, 0xff, 0x5e, 0xed, 0x70, 0x05,
    0x0d, 0xed, 0x28, 0x49, 0xf4, 0x7b, 0xf9, 0x59, 0xd9, 0x56, 0x85, 0x0c, 0xe9, 0x29, 0x85, 0x1f,
    0x0d, 0x81, 0x15, 0xf6, 0x35, 0xb1, 0x05, 0xee, 0x2e, 0x4e, 0x15, 0xd0, 0x4b, 0x24, 0x54, 0xbf,
    0x6f, 0x4f, 0xad, 0xf0, 0x34, 0xb1, 0x04, 0x03, 0x11, 0x9c, 0xd8, 0xe3, 0xb9, 0x2f, 0xcc, 0x5b,
];

/// The prime, prepared once.
pub(crate) static MODULUS: LazyLock<Modulus> =
    LazyLock::new(|| Modulus::new(&PRIME).expect("the prime is odd and has 2048 bits"));

/// Powers of [`G`] for short secrets. They take 320 KiB, made within milliseconds when first used.
static POWERS: LazyLock<Powers> =
    LazyLock::new(|| Powers::new(&MODULUS, &G_BYTES, SHORT_SECRET_LEN));

/// [`G`] as a 2048-bit number.
pub(crate) const G_BYTES: [u8; 256] = {
    let mut bytes = [0; 256];
    let [.., last] = &mut bytes;
    *last = 3;
    bytes
};

/// A public number `x` is outside `2^1984 <= x <= p - 2^1984`, or longer than 256 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Diffie-Hellman number out of range")]
pub struct OutOfRange;

/// A public number `x` of one side (`g_a`, `g_b`) with `2^1984 <= x <= p - 2^1984`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DhPublic([u8; 256]);

impl DhPublic {
    /// Reads a number as it came: big-endian, leading zeros present or not.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`]. The bounds include the weaker `1 < x < p - 1`.
    pub fn parse(bytes: &[u8]) -> Result<Self, OutOfRange> {
        let number = left_pad(bytes).ok_or(OutOfRange)?;
        let top = top_bits(&number);
        // Both bounds are multiples of 2^1984 plus the prime's low part: compare the top 64 bits, then the rest.
        // `p - 2^1984` has the prime's low 1984 bits, and its top 64 less one.
        let max_top = top_bits(&PRIME) - 1;
        let (_, low) = number.split_at(8);
        let (_, max_low) = PRIME.split_at(8);
        let in_range = top >= 1 && (top < max_top || (top == max_top && low <= max_low));
        if in_range { Ok(Self(number)) } else { Err(OutOfRange) }
    }

    /// The number, 256 bytes big-endian.
    pub fn as_bytes(&self) -> &[u8; 256] {
        &self.0
    }
}

impl std::fmt::Debug for DhPublic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DhPublic({:016x}..)", top_bits(&self.0))
    }
}

/// The top 64 bits of a 2048-bit number.
fn top_bits(number: &[u8; 256]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *number;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// The secret exponent of one side, cleared on drop.
pub struct DhSecret(Exponent);

enum Exponent {
    Short(Zeroizing<[u8; SHORT_SECRET_LEN]>),
    Full(Box<Zeroizing<[u8; FULL_SECRET_LEN]>>),
}

impl DhSecret {
    /// A secret of 320 random bits.
    pub fn short(random: [u8; SHORT_SECRET_LEN]) -> Self {
        Self(Exponent::Short(Zeroizing::new(random)))
    }

    /// A secret of 2048 random bits.
    pub fn full(random: [u8; FULL_SECRET_LEN]) -> Self {
        Self(Exponent::Full(Box::new(Zeroizing::new(random))))
    }

    /// A short secret and its public number, redrawn until that is in range.
    pub fn generate(rng: &mut impl CryptoRng) -> (Self, DhPublic) {
        loop {
            let mut random = Zeroizing::new([0; SHORT_SECRET_LEN]);
            rng.fill_bytes(&mut *random);
            let secret = Self::short(*random);
            if let Ok(public) = secret.public() {
                return (secret, public);
            }
        }
    }

    /// `g^a mod p`, in constant time for the secret's length. Cost: a quarter of [`DhSecret::shared`] for a short secret.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] once in 2^63 secrets: draw another.
    pub fn public(&self) -> Result<DhPublic, OutOfRange> {
        DhPublic::parse(&*match &self.0 {
            Exponent::Short(bytes) => POWERS.power(&bytes[..]),
            Exponent::Full(bytes) => MODULUS.power(&G_BYTES, &bytes[..]).expect("g < p"),
        })
    }

    /// The key both sides now share: `theirs^a mod p`, 256 bytes. Constant time for the secret's length.
    pub fn shared(&self, theirs: &DhPublic) -> AuthKey {
        let number = MODULUS.power(&theirs.0, self.as_bytes()).expect("checked when parsed");
        AuthKey::new(*number)
    }

    fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Exponent::Short(bytes) => &bytes[..],
            Exponent::Full(bytes) => &bytes[..],
        }
    }
}

impl std::fmt::Debug for DhSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DhSecret({} bits)", self.as_bytes().len() * 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `2^exponent + low`, or `p - 2^1984 + low` where `from_top`.
    fn number(top: u64, low: &[u8], last: i16) -> Vec<u8> {
        let mut bytes = [&top.to_be_bytes()[..], low].concat();
        let end = bytes.len() - 1;
        bytes[end] = u8::try_from(i16::from(bytes[end]) + last).unwrap();
        bytes
    }

    #[track_caller]
    fn check(bytes: &[u8], ok: bool) {
        assert_eq!(DhPublic::parse(bytes).is_ok(), ok, "{}", hex::encode(bytes));
    }

    #[test]
    fn range() {
        let zeros = [0; 248];
        let ones = [0xff; 248];
        let low = &PRIME[8..];
        check(&[], false);
        check(&[0], false);
        check(&[1], false);
        check(&number(0, &ones, 0), false); // 2^1984 - 1
        check(&number(1, &zeros, 0), true); // 2^1984
        check(&number(1, &zeros, 0)[7..], true); // the same without leading zeros
        check(&[&[0; 9][..], &number(1, &zeros, 0)].concat(), true); // with more of them
        check(&number(top_bits(&PRIME) - 1, low, 0), true); // p - 2^1984
        check(&number(top_bits(&PRIME) - 1, low, 1), false);
        check(&number(top_bits(&PRIME) - 1, low, -1), true);
        check(&number(top_bits(&PRIME), low, -1), false); // p - 1
        check(&PRIME, false);
        check(&[0xff; 256], false);
        check(&[0xff; 257], false);
        check(&[&[1][..], &[0; 256]].concat(), false);
    }

    #[test]
    fn both_sides_agree() {
        let alice = DhSecret::short([0x5a; SHORT_SECRET_LEN]);
        let bob = DhSecret::full([0xc3; FULL_SECRET_LEN]);
        let (g_a, g_b) = (alice.public().unwrap(), bob.public().unwrap());
        assert_eq!(alice.shared(&g_b), bob.shared(&g_a));
    }

    #[test]
    fn short_secrets_have_the_public_numbers_of_full_ones() {
        for byte in [1, 0x5a, 0xff] {
            let mut full = [0; FULL_SECRET_LEN];
            full[FULL_SECRET_LEN - SHORT_SECRET_LEN..].fill(byte);
            let short = DhSecret::short([byte; SHORT_SECRET_LEN]);
            assert_eq!(short.public(), DhSecret::full(full).public());
        }
    }

    #[test]
    fn tiny_secret_is_out_of_range() {
        let mut random = [0; SHORT_SECRET_LEN];
        random[39] = 200; // 3^200 < 2^1984
        assert_eq!(DhSecret::short(random).public(), Err(OutOfRange));
        assert_eq!(format!("{:?}", DhSecret::short(random)), "DhSecret(320 bits)");
    }
}
