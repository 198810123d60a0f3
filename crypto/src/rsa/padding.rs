//! How the handshake's inner data lies in an RSA block, the present way and the old one.
//!
//! ```text
//! RSA_PAD   P = data | random                            192   data at most 144
//!           H = reverse(P) | SHA256(temp_key | P)        224   temp_key: 32 random bytes
//!           A = IGE(H, key temp_key, iv 0)               224
//!           X = (temp_key xor SHA256(A)) | A             256   must be below n
//!
//! old       X = 0 | SHA1(data) | data | random           256   data at most 235
//! ```
//!
//! Sizes are bytes. One in 256 blocks of RSA_PAD begins with a zero as well, so the first byte alone does not tell
//! which it is.
//!
//! Source: <https://core.telegram.org/mtproto/auth_key#41-rsa-paddata-server-public-key-mentioned-above-is-implemented-as-follows>;
//! the old form: <https://core.telegram.org/mtproto/samples-auth_key>.

use zeroize::Zeroizing;

use super::Error;
use crate::{aes_ige, ct_eq, sha};

/// Bytes of data that RSA_PAD takes.
pub const DATA_LEN_MAX_PAD: usize = 144;

/// Bytes of data that the old padding takes.
pub const DATA_LEN_MAX_OLD: usize = 235;

/// `P` of RSA_PAD.
const PADDED_LEN: usize = 192;

/// `A` of RSA_PAD.
const ENCRYPTED_LEN: usize = 224;

const _: () = assert!(PADDED_LEN + 32 == ENCRYPTED_LEN && ENCRYPTED_LEN.is_multiple_of(16));
const _: () = assert!(1 + 20 + DATA_LEN_MAX_OLD == 256);

/// Client: the block of RSA_PAD. Draw another `temp_key` if it is not below the modulus.
///
/// Of `random` the last `192 - data.len()` bytes are used.
///
/// # Errors
///
/// [`Error::DataLength`] beyond [`DATA_LEN_MAX_PAD`].
pub fn pad_rsa_pad(
    data: &[u8],
    random: &[u8; PADDED_LEN],
    temp_key: &[u8; 32],
) -> Result<[u8; 256], Error> {
    if data.len() > DATA_LEN_MAX_PAD {
        return Err(Error::DataLength { len: data.len() });
    }
    let mut padded = Zeroizing::new(*random);
    let (front, _) = padded.split_at_mut(data.len());
    front.copy_from_slice(data);
    let hash = sha::sha256(&[temp_key, &*padded]);
    padded.reverse();

    let mut block = [0; 256];
    let (key, encrypted) = block.split_at_mut(32);
    let (reversed, hash_place) = encrypted.split_at_mut(PADDED_LEN);
    reversed.copy_from_slice(&*padded);
    hash_place.copy_from_slice(&hash);
    aes_ige::encrypt(encrypted, temp_key, &[0; 32]).expect("224 is a multiple of 16");
    key.copy_from_slice(&xor(temp_key, &sha::sha256(&[encrypted])));
    Ok(block)
}

/// Client: the block of the old padding; always below the modulus.
///
/// Of `random` the last `235 - data.len()` bytes are used.
///
/// # Errors
///
/// [`Error::DataLength`] beyond [`DATA_LEN_MAX_OLD`].
pub fn pad_old(
    data: &[u8],
    random: &[u8; DATA_LEN_MAX_OLD],
) -> Result<Zeroizing<[u8; 256]>, Error> {
    if data.len() > DATA_LEN_MAX_OLD {
        return Err(Error::DataLength { len: data.len() });
    }
    let mut block = Zeroizing::new([0; 256]);
    let [_, hashed @ ..] = &mut *block;
    let (hash, rest) = hashed.split_at_mut(20);
    hash.copy_from_slice(&sha::sha1(&[data]));
    rest.copy_from_slice(random);
    let (front, _) = rest.split_at_mut(data.len());
    front.copy_from_slice(data);
    Ok(block)
}

/// Server: the data and the padding behind it, if the block is one of RSA_PAD.
pub fn unpad_rsa_pad(block: &[u8; 256]) -> Option<Zeroizing<[u8; PADDED_LEN]>> {
    let (masked_key, encrypted) = block.split_first_chunk::<32>()?;
    let temp_key = Zeroizing::new(xor(masked_key, &sha::sha256(&[encrypted])));
    let mut plain = Zeroizing::new(*encrypted.first_chunk::<ENCRYPTED_LEN>()?);
    aes_ige::decrypt(&mut *plain, &temp_key, &[0; 32]).ok()?;
    let (reversed, hash) = plain.split_first_chunk::<PADDED_LEN>()?;
    let mut padded = Zeroizing::new(*reversed);
    padded.reverse();
    ct_eq(&sha::sha256(&[&*temp_key, &*padded]), hash).then_some(padded)
}

/// Server: the data, if the block is one of the old padding.
///
/// The block does not say how long its data is. `data_len` gets the data with the padding behind it and tells where
/// the TL object at its front ends, or `None` if there is none.
pub fn unpad_old(
    block: &[u8; 256],
    data_len: impl FnOnce(&[u8]) -> Option<usize>,
) -> Option<Zeroizing<Vec<u8>>> {
    let [first, rest @ ..] = block;
    let (hash, rest) = rest.split_first_chunk::<20>()?;
    // What is no object is hashed as a whole, and the first byte is looked at last: how long this takes does not tell a peer
    // that it guessed a part of the block.
    let data = data_len(rest).and_then(|len| rest.get(..len));
    let fits = ct_eq(&sha::sha1(&[data.unwrap_or(rest)]), hash) & (*first == 0);
    data.filter(|_| fits).map(|data| Zeroizing::new(data.to_vec()))
}

/// Server: the data of a block of either kind, without padding. `data_len` is as for [`unpad_old`].
///
/// Both are tried, whatever the block looks like: a block that was made from a recorded one by multiplication must not be
/// answered sooner or later than any other, or the answers would tell what the recorded one holds.
///
/// Source: Albrecht, Mareková, Paterson, Stepanovs, "Four Attacks and a Proof for Telegram", the fourth.
pub fn unpad(
    block: &[u8; 256],
    data_len: impl Fn(&[u8]) -> Option<usize>,
) -> Option<Zeroizing<Vec<u8>>> {
    let old = unpad_old(block, &data_len);
    let present = unpad_rsa_pad(block).and_then(|padded| {
        let data = padded.get(..data_len(&*padded)?)?;
        Some(Zeroizing::new(data.to_vec()))
    });
    old.or(present)
}

/// `a xor b`.
fn xor(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut out = *a;
    out.iter_mut().zip(b).for_each(|(out, b)| *out ^= b);
    out
}
