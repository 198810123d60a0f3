//! Short secrets that are cleared on drop, cheaply.
//!
//! `Zeroizing<[u8; 32]>` clears byte by byte with volatile writes; a message makes four such values, and that was a tenth
//! of sealing 100 bytes. [`Secret`] writes zeros as the compiler likes and then tells it, by the same crate's
//! barrier, that somebody looks at them.

use std::ops::{Deref, DerefMut};

use zeroize::{ZeroizeOnDrop, optimization_barrier};

/// `LEN` secret bytes, cleared on drop and never printed.
#[derive(Clone)]
pub struct Secret<const LEN: usize>([u8; LEN]);

impl<const LEN: usize> Secret<LEN> {
    /// Zeros, to be written to.
    pub(crate) const ZERO: Self = Self([0; LEN]);

    /// Takes over the bytes.
    pub fn new(bytes: [u8; LEN]) -> Self {
        Self(bytes)
    }
}

impl<const LEN: usize> Drop for Secret<LEN> {
    fn drop(&mut self) {
        self.0 = [0; LEN];
        optimization_barrier(self);
    }
}

impl<const LEN: usize> ZeroizeOnDrop for Secret<LEN> {}

impl<const LEN: usize> Deref for Secret<LEN> {
    type Target = [u8; LEN];

    fn deref(&self) -> &[u8; LEN] {
        &self.0
    }
}

impl<const LEN: usize> DerefMut for Secret<LEN> {
    fn deref_mut(&mut self) -> &mut [u8; LEN] {
        &mut self.0
    }
}

impl<const LEN: usize> std::fmt::Debug for Secret<LEN> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({LEN} bytes)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_length_alone() {
        assert_eq!(format!("{:?}", Secret::new([7; 32])), "Secret(32 bytes)");
    }

    #[test]
    fn holds_what_it_was_given() {
        let mut secret = Secret::new([7; 4]);
        secret[0] = 1;
        assert_eq!(*secret.clone(), [1, 7, 7, 7]);
    }
}
