//! AES-256 in infinite garble extension, in place: one stream, or many interleaved.
//!
//! ```text
//! encrypt   c[i] = AES(p[i] xor c[i-1]) xor p[i-1]         iv = c[-1] | p[-1]
//! decrypt   p[i] = AES'(c[i] xor p[i-1]) xor c[i-1]
//! ```
//!
//! Each block waits for the one before it, in both directions, so one stream cannot run faster than AES's latency: 14
//! rounds of 4 cycles for 16 bytes, 3.5 cycles a byte. Several streams at once fill the time in which one waits; that is
//! what [`encrypt_many`] and [`decrypt_many`] are for.
//!
//! | backend    | when                  | streams interleaved |
//! |------------|-----------------------|---------------------|
//! | `vaes-512` | AVX-512F, BW and VAES | 16, 8, and 1        |
//! | `aes-ni`   | AES-NI                | 8, and 1            |
//! | `portable` | everywhere            | 1 (the `aes` crate) |
//!
//! The tests compare all of them. Neither branches nor addresses depend on keys or data.
//!
//! Source: <https://core.telegram.org/mtproto/description#defining-aes-key-and-initialization-vector>, the mode:
//! <https://www.links.org/files/openssl-ige.pdf>.

#[cfg(target_arch = "x86_64")]
mod ni;
mod portable;

use crate::{AesIv, AesKey, sha};

/// Bytes of an AES block.
pub(crate) const BLOCK_LEN: usize = 16;

/// One AES block.
pub(crate) type Block = [u8; BLOCK_LEN];

/// A buffer that is no multiple of 16 bytes long; it was left as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{len} bytes are no whole number of AES blocks")]
pub struct NotBlocks {
    /// Bytes of the buffer.
    pub len: usize,
}

/// Encrypts `buf` in place.
///
/// | argument | size             | meaning                                                        |
/// |----------|------------------|----------------------------------------------------------------|
/// | `buf`    | a multiple of 16 | plaintext, then ciphertext                                     |
/// | `key`    | 32 bytes         | AES-256 key                                                    |
/// | `iv`     | 32 bytes         | the ciphertext block before the first, then the plaintext one  |
///
/// # Errors
///
/// [`NotBlocks`]. An empty buffer is fine.
pub fn encrypt(buf: &mut [u8], key: &[u8; 32], iv: &[u8; 32]) -> Result<(), NotBlocks> {
    one(Direction::Encrypt, buf, key, iv)
}

/// Decrypts `buf` in place; arguments and errors as for [`encrypt`].
///
/// # Errors
///
/// [`NotBlocks`].
pub fn decrypt(buf: &mut [u8], key: &[u8; 32], iv: &[u8; 32]) -> Result<(), NotBlocks> {
    one(Direction::Decrypt, buf, key, iv)
}

/// Decrypts `buf` in place and returns the SHA-256 of `secret` and the plaintext: a message's large hash.
///
/// Both wait for themselves most of the time, so that together they take as long as the slower, where the processor has
/// the instructions for it.
///
/// # Errors
///
/// [`NotBlocks`].
pub(crate) fn decrypt_hashing(
    buf: &mut [u8],
    key: &[u8; 32],
    iv: &[u8; 32],
    secret: &[u8; 32],
) -> Result<[u8; 32], NotBlocks> {
    #[cfg(target_arch = "x86_64")]
    if let (Some(aes), Some(sha)) = (ni::AesNi::detect(), sha::ni::ShaNi::detect()) {
        return Ok(aes.decrypt_hashing(sha, blocks(buf)?, key, iv, secret));
    }
    decrypt(buf, key, iv)?;
    Ok(sha::sha256(&[secret, buf]))
}

/// One of the buffers that [`encrypt_many`] and [`decrypt_many`] work on, with its own key, IV and length.
#[derive(Debug)]
pub struct Stream<'a> {
    blocks: &'a mut [Block],
    key: AesKey,
    iv: AesIv,
}

impl<'a> Stream<'a> {
    /// A buffer to encrypt or decrypt in place.
    ///
    /// # Errors
    ///
    /// [`NotBlocks`].
    pub fn new(data: &'a mut [u8], key: AesKey, iv: AesIv) -> Result<Self, NotBlocks> {
        Ok(Self { blocks: blocks(data)?, key, iv })
    }
}

/// Encrypts all streams in place, interleaved. They are taken one by one, whenever another has ended.
pub fn encrypt_many<'a>(streams: impl IntoIterator<Item = Stream<'a>>) {
    many(Backend::detect(), Direction::Encrypt, &mut streams.into_iter().fuse());
}

/// Decrypts all streams in place, interleaved. They are taken one by one, whenever another has ended.
pub fn decrypt_many<'a>(streams: impl IntoIterator<Item = Stream<'a>>) {
    many(Backend::detect(), Direction::Decrypt, &mut streams.into_iter().fuse());
}

/// The name of the implementation this processor gets, for logs and reports.
pub fn backend() -> &'static str {
    match Backend::detect() {
        #[cfg(target_arch = "x86_64")]
        Backend::Vaes512(_) => "vaes-512",
        #[cfg(target_arch = "x86_64")]
        Backend::AesNi(_) => "aes-ni",
        Backend::Portable => "portable",
    }
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Encrypt,
    Decrypt,
}

impl Direction {
    /// The two halves of an IV as the mode's two feedbacks: what is xored in before the cipher, what after.
    fn feedbacks(self, iv: &[u8; 32]) -> (Block, Block) {
        let (mut ciphertext, mut plaintext) = ([0; BLOCK_LEN], [0; BLOCK_LEN]);
        let (front, back) = iv.split_at(BLOCK_LEN);
        ciphertext.copy_from_slice(front);
        plaintext.copy_from_slice(back);
        match self {
            Self::Encrypt => (ciphertext, plaintext),
            Self::Decrypt => (plaintext, ciphertext),
        }
    }
}

/// An implementation that this processor can run.
#[derive(Clone, Copy, Debug)]
enum Backend {
    #[cfg(target_arch = "x86_64")]
    Vaes512(ni::Vaes512),
    #[cfg(target_arch = "x86_64")]
    AesNi(ni::AesNi),
    Portable,
}

impl Backend {
    /// The fastest. Costs a few loads of a cached answer.
    fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(vaes) = ni::Vaes512::detect() {
                return Self::Vaes512(vaes);
            }
            if let Some(ni) = ni::AesNi::detect() {
                return Self::AesNi(ni);
            }
        }
        Self::Portable
    }
}

fn one(
    direction: Direction,
    buf: &mut [u8],
    key: &[u8; 32],
    iv: &[u8; 32],
) -> Result<(), NotBlocks> {
    one_with(Backend::detect(), direction, blocks(buf)?, key, iv);
    Ok(())
}

fn one_with(
    backend: Backend,
    direction: Direction,
    blocks: &mut [Block],
    key: &[u8; 32],
    iv: &[u8; 32],
) {
    match backend {
        #[cfg(target_arch = "x86_64")]
        Backend::Vaes512(vaes) => vaes.ni().one(direction, blocks, key, iv),
        #[cfg(target_arch = "x86_64")]
        Backend::AesNi(ni) => ni.one(direction, blocks, key, iv),
        Backend::Portable => portable::one(direction, blocks, key, iv),
    }
}

fn many<'a>(backend: Backend, direction: Direction, streams: &mut dyn Iterator<Item = Stream<'a>>) {
    match backend {
        #[cfg(target_arch = "x86_64")]
        Backend::Vaes512(vaes) => vaes.many(direction, streams),
        #[cfg(target_arch = "x86_64")]
        Backend::AesNi(ni) => ni.many(direction, streams),
        Backend::Portable => {
            streams.for_each(|s| portable::one(direction, s.blocks, &s.key, &s.iv));
        }
    }
}

/// The buffer as blocks.
fn blocks(buf: &mut [u8]) -> Result<&mut [Block], NotBlocks> {
    let len = buf.len();
    match buf.as_chunks_mut() {
        (blocks, []) => Ok(blocks),
        _ => Err(NotBlocks { len }),
    }
}

#[cfg(test)]
mod tests;
