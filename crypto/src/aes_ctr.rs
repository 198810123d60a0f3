//! AES-256 in counter mode: the obfuscated transports and CDN files.
//!
//! The counter is the whole 16-byte IV as one big-endian number. A [`Ctr`] is a stream: however the bytes are cut
//! into calls, the same bytes come out.
//!
//! Source: <https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation>.

use aes::Aes256Enc;
use ctr::cipher::{KeyIvInit, StreamCipher};

/// One direction of an AES-256-CTR stream. Its key schedule is cleared on drop.
///
/// Without the round keys for decryption, which the mode does not use: every connection holds two of these.
pub struct Ctr(ctr::Ctr128BE<Aes256Enc>);

impl Ctr {
    /// A stream at its start.
    pub fn new(key: &[u8; 32], iv: &[u8; 16]) -> Self {
        Self(ctr::Ctr128BE::new(key.into(), iv.into()))
    }

    /// Encrypts or decrypts the next bytes of the stream in place.
    pub fn apply(&mut self, data: &mut [u8]) {
        self.0.apply_keystream(data);
    }
}

impl std::fmt::Debug for Ctr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ctr(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same stream in calls of `step` bytes and in one call.
    #[test]
    fn chunking_does_not_matter() {
        let mut whole: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let plain = whole.clone();
        Ctr::new(&[3; 32], &[0xff; 16]).apply(&mut whole);
        for step in [1, 2, 3, 7, 15, 16, 17, 31, 64, 127, 128, 129, 999] {
            let mut cut = plain.clone();
            let mut ctr = Ctr::new(&[3; 32], &[0xff; 16]);
            cut.chunks_mut(step).for_each(|chunk| ctr.apply(chunk));
            assert_eq!(cut, whole, "steps of {step}");
        }
    }
}
