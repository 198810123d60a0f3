//! Sealed messages: auth key id, message key and ciphertext, in place in one buffer.
//!
//! ```text
//! packet      | auth_key_id (8) | msg_key (16) | payload (a multiple of 16, at least one) |
//!
//! handshake   |                 | SHA1(data) (20) | data | random (0..15) |                 IGE with kdf::tmp_aes
//! ```
//!
//! Sizes in brackets are bytes. The payload is the plaintext before sealing and after opening, padding included.
//! What is in it (salt, session, lengths, the padding's bounds) is `mtproto`'s; here a payload is authentic or it is
//! gone: one whose `msg_key` does not fit is wiped before anybody reads it.
//!
//! Secret chats use the same packet, with the chat's key and its fingerprint, which is that key's id.
//!
//! Source: <https://core.telegram.org/mtproto/description>, <https://core.telegram.org/mtproto/security_guidelines>.

use crate::{
    AesIv, AesKey, AuthKey, MsgKey, Side,
    aes_ige::{self, Stream},
    ct_eq, kdf,
    sha::{
        self,
        many::{Message, sha256_many},
    },
};

/// Bytes before the payload: auth key id and message key.
pub const HEADER_LEN: usize = 24;

/// Bytes of an AES block; payloads are a multiple of it.
const BLOCK_LEN: usize = 16;

/// Why bytes are no sealed message of this key. The peer is at fault; for `seal` the caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The payload is empty or no multiple of 16, or the length inside does not fit it.
    #[error("sealed message of {len} bytes")]
    BadLength {
        /// Bytes of the whole packet.
        len: usize,
    },
    /// The packet names another auth key.
    #[error("sealed with another auth key")]
    WrongKey,
    /// The hash of what came out is not the packet's: tampered with, or sealed with another key.
    #[error("message key does not match")]
    WrongMsgKey,
}

/// The three parts of a packet.
struct Parts<'a> {
    auth_key_id: &'a mut [u8; 8],
    msg_key: &'a mut MsgKey,
    payload: &'a mut [u8],
}

impl<'a> Parts<'a> {
    fn split(packet: &'a mut [u8]) -> Result<Self, Error> {
        let bad_length = Error::BadLength { len: packet.len() };
        let (auth_key_id, rest) = packet.split_first_chunk_mut().ok_or(bad_length)?;
        let (msg_key, payload) = rest.split_first_chunk_mut().ok_or(bad_length)?;
        if payload.is_empty() || !payload.len().is_multiple_of(BLOCK_LEN) {
            return Err(bad_length);
        }
        Ok(Self { auth_key_id, msg_key, payload })
    }

    /// The same, of a packet that names `key`.
    fn of_key(packet: &'a mut [u8], key: &AuthKey) -> Result<Self, Error> {
        let parts = Self::split(packet)?;
        if *parts.auth_key_id != key.id().to_le_bytes() {
            return Err(Error::WrongKey);
        }
        Ok(parts)
    }

    /// Compares in constant time, and wipes the payload if it is not what was sealed.
    fn verify(self, expected: &MsgKey) -> Result<(), Error> {
        if ct_eq(expected, self.msg_key) {
            return Ok(());
        }
        self.payload.fill(0);
        Err(Error::WrongMsgKey)
    }
}

/// Seals `packet` in place: its payload is the plaintext including 12 to 1024 bytes of padding; the header gets
/// filled in.
///
/// Returns the message's quick-ack token ([`kdf::quick_ack`]).
///
/// # Errors
///
/// [`Error::BadLength`]; the packet is then as it was.
pub fn seal(key: &AuthKey, sender: Side, packet: &mut [u8]) -> Result<u32, Error> {
    let mut parts = Parts::split(packet)?;
    let (aes_key, iv, token) = prepare_seal(key, sender, &mut parts);
    ige(aes_ige::encrypt(parts.payload, &aes_key, &iv));
    Ok(token)
}

/// Opens `packet` in place: afterwards its payload is the plaintext including padding, and authentic.
///
/// Returns the message's quick-ack token. Compares in constant time.
///
/// # Errors
///
/// Any: [`Error::BadLength`], [`Error::WrongKey`] (both leave the packet as it was), [`Error::WrongMsgKey`] (the
/// payload is wiped).
pub fn open(key: &AuthKey, sender: Side, packet: &mut [u8]) -> Result<u32, Error> {
    let parts = Parts::of_key(packet, key)?;
    let (aes_key, iv) = kdf::message_keys(key, parts.msg_key, sender);
    let secret = kdf::msg_key_secret(key, sender);
    let large = aes_ige::decrypt_hashing(parts.payload, &aes_key, &iv, secret);
    let large = large.map_err(|_| Error::BadLength { len: HEADER_LEN + parts.payload.len() })?;
    let result = compare(&large, parts.msg_key);
    if result.is_err() {
        parts.payload.fill(0);
    }
    result
}

/// One message of [`seal_many`] or [`open_many`].
#[derive(Debug)]
pub struct Job<'a> {
    /// The key to seal with, or the one the packet names.
    pub key: &'a AuthKey,
    /// Who sends the message.
    pub sender: Side,
    /// As for [`seal`] and [`open`].
    pub packet: &'a mut [u8],
    /// What [`seal`] or [`open`] would have returned; until then zero.
    pub result: Result<u32, Error>,
}

impl<'a> Job<'a> {
    /// A message yet to be sealed or opened.
    pub fn new(key: &'a AuthKey, sender: Side, packet: &'a mut [u8]) -> Self {
        Self { key, sender, packet, result: Ok(0) }
    }
}

/// Seals all packets as [`seal`] does, their ciphers and hashes interleaved. Keys and lengths may differ. Allocates
/// nothing.
pub fn seal_many(jobs: &mut [Job<'_>]) {
    sha256_many(
        jobs.iter_mut().filter_map(|job| {
            let parts = Parts::split(job.packet);
            job.result = parts.as_ref().map(|_| 0).map_err(|error| *error);
            let parts = parts.ok()?;
            Some(Message {
                secret: kdf::msg_key_secret(job.key, job.sender),
                data: parts.payload,
                tag: (parts.auth_key_id, parts.msg_key, job.key.id(), &mut job.result),
            })
        }),
        |(auth_key_id, msg_key, id, result), large| {
            *auth_key_id = id.to_le_bytes();
            *msg_key = kdf::msg_key(&large);
            *result = Ok(kdf::quick_ack(&large));
        },
    );
    let sealed = jobs.iter_mut().filter(|job| job.result.is_ok());
    aes_ige::encrypt_many(sealed.filter_map(|job| {
        let parts = Parts::split(job.packet).ok()?;
        let (aes_key, iv) = kdf::message_keys(job.key, parts.msg_key, job.sender);
        Stream::new(parts.payload, aes_key, iv).ok()
    }));
}

/// Opens all packets as [`open`] does, their ciphers and hashes interleaved. Keys and lengths may differ. Allocates
/// nothing.
pub fn open_many(jobs: &mut [Job<'_>]) {
    // Cipher and hash of one message take turns, which is faster than one after the other.
    if let [job] = jobs {
        job.result = open(job.key, job.sender, job.packet);
        return;
    }
    aes_ige::decrypt_many(jobs.iter_mut().filter_map(|job| {
        let parts = Parts::of_key(job.packet, job.key);
        job.result = parts.as_ref().map(|_| 0).map_err(|error| *error);
        let parts = parts.ok()?;
        let (aes_key, iv) = kdf::message_keys(job.key, parts.msg_key, job.sender);
        Stream::new(parts.payload, aes_key, iv).ok()
    }));
    let decrypted = jobs.iter_mut().filter(|job| job.result.is_ok());
    sha256_many(
        decrypted.filter_map(|job| {
            let parts = Parts::split(job.packet).ok()?;
            Some(Message {
                secret: kdf::msg_key_secret(job.key, job.sender),
                data: parts.payload,
                tag: (parts.msg_key, &mut job.result),
            })
        }),
        |(msg_key, result), large| *result = compare(&large, msg_key),
    );
    for job in jobs.iter_mut().filter(|job| job.result == Err(Error::WrongMsgKey)) {
        if let Ok(parts) = Parts::split(job.packet) {
            parts.payload.fill(0);
        }
    }
}

/// Compares a large hash with a packet's message key in constant time; returns the token.
fn compare(large: &[u8; 32], msg_key: &MsgKey) -> Result<u32, Error> {
    if !ct_eq(&kdf::msg_key(large), msg_key) {
        return Err(Error::WrongMsgKey);
    }
    Ok(kdf::quick_ack(large))
}

/// Fills in the header; returns the cipher's key and IV, and the token.
fn prepare_seal(key: &AuthKey, sender: Side, parts: &mut Parts<'_>) -> (AesKey, AesIv, u32) {
    let large = kdf::msg_key_large(key, parts.payload, sender);
    *parts.auth_key_id = key.id().to_le_bytes();
    *parts.msg_key = kdf::msg_key(&large);
    let (aes_key, iv) = kdf::message_keys(key, parts.msg_key, sender);
    (aes_key, iv, kdf::quick_ack(&large))
}

/// Seals a MTProto 1.0 message in place, as `auth.bindTempAuthKey` carries one.
///
/// `data_len` bytes of the payload are data, the 0 to 15 behind them are random padding, which the message key does not
/// cover.
///
/// # Errors
///
/// [`Error::BadLength`]; the packet is then as it was.
pub fn seal_v1(
    key: &AuthKey,
    sender: Side,
    packet: &mut [u8],
    data_len: usize,
) -> Result<(), Error> {
    let bad_length = Error::BadLength { len: packet.len() };
    let parts = Parts::split(packet)?;
    let data = padded_by_less_than_a_block(parts.payload, data_len).ok_or(bad_length)?;
    *parts.msg_key = kdf::msg_key_v1(data);
    *parts.auth_key_id = key.id().to_le_bytes();
    let (aes_key, iv) = kdf::message_keys_v1(key, parts.msg_key, sender);
    ige(aes_ige::encrypt(parts.payload, &aes_key, &iv));
    Ok(())
}

/// Opens a MTProto 1.0 message in place and returns how many bytes of its payload are data.
///
/// `data_len` reads that off the decrypted, not yet authentic payload; what it says is checked.
///
/// # Errors
///
/// As [`open`].
pub fn open_v1(
    key: &AuthKey,
    sender: Side,
    packet: &mut [u8],
    data_len: impl FnOnce(&[u8]) -> Option<usize>,
) -> Result<usize, Error> {
    let parts = Parts::of_key(packet, key)?;
    let (aes_key, iv) = kdf::message_keys_v1(key, parts.msg_key, sender);
    ige(aes_ige::decrypt(parts.payload, &aes_key, &iv));
    // A length that cannot be and a hash that does not fit get the same answer after the same steps: nobody may learn which it
    // was.
    let data =
        data_len(parts.payload).and_then(|len| padded_by_less_than_a_block(parts.payload, len));
    let (len, hashed) = (data.map(<[u8]>::len), data.unwrap_or(parts.payload));
    let expected = kdf::msg_key_v1(hashed);
    if len.is_none() {
        parts.payload.fill(0);
    }
    parts.verify(&expected)?;
    len.ok_or(Error::WrongMsgKey)
}

/// Seals one of the handshake's Diffie-Hellman messages. `data` is its TL object; of `padding`, random bytes, as many
/// are used as the last block needs.
pub fn seal_dh(data: &[u8], padding: &[u8; 16], key: &AesKey, iv: &AesIv) -> Vec<u8> {
    let len = (20 + data.len()).next_multiple_of(BLOCK_LEN);
    let mut sealed = Vec::with_capacity(len);
    sealed.extend_from_slice(&sha::sha1(&[data]));
    sealed.extend_from_slice(data);
    sealed.extend(padding.iter().take(len - sealed.len()));
    ige(aes_ige::encrypt(&mut sealed, key, iv));
    sealed
}

/// Opens one of the handshake's Diffie-Hellman messages in place and returns its TL object.
///
/// `data_len` tells from the decrypted bytes behind the hash where the TL object at their front ends.
///
/// # Errors
///
/// [`Error::BadLength`], [`Error::WrongMsgKey`] (the bytes are wiped).
pub fn open_dh<'a>(
    encrypted: &'a mut [u8],
    key: &AesKey,
    iv: &AesIv,
    data_len: impl FnOnce(&[u8]) -> Option<usize>,
) -> Result<&'a [u8], Error> {
    let bad_length = Error::BadLength { len: encrypted.len() };
    aes_ige::decrypt(encrypted, key, iv).map_err(|_| bad_length)?;
    let (hash, padded) = encrypted.split_first_chunk_mut::<20>().ok_or(bad_length)?;
    // What is no object is hashed all the same.
    let data = data_len(padded).and_then(|len| padded_by_less_than_a_block(padded, len));
    let fits = ct_eq(&sha::sha1(&[data.unwrap_or(padded)]), &*hash);
    let len = data.filter(|_| fits).map(<[u8]>::len);
    match len {
        Some(len) => padded.get(..len).ok_or(bad_length),
        None => {
            padded.fill(0);
            Err(Error::WrongMsgKey)
        }
    }
}

/// The first `len` bytes, if 0 to 15 follow them.
fn padded_by_less_than_a_block(bytes: &[u8], len: usize) -> Option<&[u8]> {
    let (data, padding) = bytes.split_at_checked(len)?;
    (padding.len() < BLOCK_LEN).then_some(data)
}

/// Of payloads whose length [`Parts::split`] or the lines above have made a multiple of 16.
fn ige(result: Result<(), aes_ige::NotBlocks>) {
    debug_assert!(result.is_ok());
}

#[cfg(test)]
mod tests;
