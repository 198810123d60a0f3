//! Reads TL values from bytes without copying them.
//!
//! Strings and bytes borrow from the input. Nothing is allocated by an announced length: a vector reserves
//! at most what the bytes that are left could hold, and nesting has the bound [`DEPTH_MAX`].

use crate::{DecodeError, VECTOR_ID};

/// How many recursive values may be nested in one another.
pub const DEPTH_MAX: u8 = 32;

/// A position in bytes that are being decoded.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    len: usize,
    depth: u8,
}

impl<'a> Cursor<'a> {
    /// Starts at the first byte of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, len: bytes.len(), depth: 0 }
    }

    /// How many bytes have been read.
    #[must_use]
    pub fn position(&self) -> usize {
        self.len.saturating_sub(self.rest.len())
    }

    /// How many bytes are left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Takes the next `len` bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if fewer are left.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let Some((taken, rest)) = self.rest.split_at_checked(len) else {
            return Err(DecodeError::Truncated { position: self.position() });
        };
        self.rest = rest;
        Ok(taken)
    }

    /// Takes an array of `N` bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(DecodeError::Truncated { position: self.position() });
        };
        self.rest = rest;
        Ok(*taken)
    }

    /// Takes everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.rest)
    }

    /// The next four bytes as a constructor id, without taking them.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if fewer than four bytes are left.
    pub fn peek_id(&self) -> Result<u32, DecodeError> {
        self.clone().u32()
    }

    /// Takes a little-endian `u32`: a constructor id or flags.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`].
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_le_bytes)
    }

    /// Takes an `int`.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`].
    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        self.array().map(i32::from_le_bytes)
    }

    /// Takes a `long`.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`].
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        self.array().map(i64::from_le_bytes)
    }

    /// Takes a `double`.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`].
    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        self.array().map(f64::from_le_bytes)
    }

    /// Takes `bytes`: a length of 1, 4 or 8 bytes, the content, and padding to a multiple of four.
    ///
    /// ```text
    /// len (1) < 0xfe  | content | padding
    /// 0xfe | len (3)  | content | padding
    /// 0xff | len (7)  | content | padding
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if the length goes beyond the input.
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let position = self.position();
        let [first] = self.array()?;
        let (header_len, len) = match first {
            0xff => {
                let [a, b, c, d, e, f, g] = self.array()?;
                (8, u64::from_le_bytes([a, b, c, d, e, f, g, 0]))
            }
            0xfe => {
                let [a, b, c] = self.array()?;
                (4, u64::from(u32::from_le_bytes([a, b, c, 0])))
            }
            len => (1_usize, u64::from(len)),
        };
        let len = usize::try_from(len).map_err(|_| DecodeError::Truncated { position })?;
        let content = self.take(len)?;
        let padding = header_len.wrapping_add(len).wrapping_neg() % 4;
        self.take(padding)?;
        Ok(content)
    }

    /// Takes a `string`.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`]; [`DecodeError::NotUtf8`].
    pub fn str(&mut self) -> Result<&'a str, DecodeError> {
        let position = self.position();
        core::str::from_utf8(self.bytes()?).map_err(|_| DecodeError::NotUtf8 { position })
    }

    /// Takes the header of a boxed vector and returns how many elements follow.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Unexpected`] if it is no vector; [`DecodeError::Truncated`] if the count is beyond what the
    /// bytes left could hold at four bytes an element.
    pub fn vector_len(&mut self) -> Result<usize, DecodeError> {
        let position = self.position();
        let id = self.u32()?;
        if id != VECTOR_ID {
            return Err(DecodeError::Unexpected { id, position });
        }
        self.bare_vector_len()
    }

    /// Takes the count of a bare vector.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if the count is beyond what the bytes left could hold at four bytes an element.
    pub fn bare_vector_len(&mut self) -> Result<usize, DecodeError> {
        let position = self.position();
        let count =
            usize::try_from(self.u32()?).map_err(|_| DecodeError::Truncated { position })?;
        if count > self.remaining() / 4 {
            return Err(DecodeError::Truncated { position });
        }
        Ok(count)
    }

    /// Takes the elements of a vector whose header has been read.
    ///
    /// # Errors
    ///
    /// Those of `element`.
    pub fn elements<T>(
        &mut self,
        count: usize,
        element: impl Fn(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        // `count` has been checked against the bytes left; the elements in memory may be larger than on the
        // wire, so the first reservation is modest and grows only as elements really arrive.
        let mut vector = Vec::with_capacity(count.min(64));
        for _ in 0..count {
            vector.push(element(self)?);
        }
        Ok(vector)
    }

    /// Takes `value` if `bit` is set in `flags`.
    ///
    /// # Errors
    ///
    /// Those of the value.
    pub fn optional<T: crate::Decode<'a>>(
        &mut self,
        flags: u32,
        bit: u32,
    ) -> Result<Option<T>, DecodeError> {
        if flags & (1 << bit) == 0 { Ok(None) } else { T::decode(self).map(Some) }
    }

    /// Decodes a value of a recursive type, one level deeper.
    ///
    /// # Errors
    ///
    /// [`DecodeError::TooDeep`] beyond [`DEPTH_MAX`]; those of `value`.
    pub fn nested<T>(
        &mut self,
        value: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        if self.depth >= DEPTH_MAX {
            return Err(DecodeError::TooDeep { position: self.position() });
        }
        self.depth = self.depth.saturating_add(1);
        let result = value(self);
        self.depth = self.depth.saturating_sub(1);
        result
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Trailing`] if bytes are left.
    pub fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Trailing { position: self.position(), len: self.rest.len() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &[u8], expected: Result<&[u8], DecodeError>) {
        let mut cursor = Cursor::new(input);
        assert_eq!(cursor.bytes(), expected);
        if expected.is_ok() {
            assert_eq!(cursor.finish(), Ok(()));
        }
    }

    #[test]
    fn bytes_of_every_length_form() {
        check(&[0, 0, 0, 0], Ok(&[]));
        check(&[3, 1, 2, 3], Ok(&[1, 2, 3]));
        check(&[4, 1, 2, 3, 4, 0, 0, 0], Ok(&[1, 2, 3, 4]));
        check(&[0xfe, 1, 0, 0, 9, 0, 0, 0], Ok(&[9]));
        check(&[0xff, 1, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0], Ok(&[9]));
    }

    #[test]
    fn announced_lengths_are_not_trusted() {
        check(&[3, 1, 2], Err(DecodeError::Truncated { position: 1 }));
        check(&[1, 1], Err(DecodeError::Truncated { position: 2 }));
        check(&[0xff; 8], Err(DecodeError::Truncated { position: 8 }));
        let mut cursor = Cursor::new(&[0x15, 0xc4, 0xb5, 0x1c, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0]);
        assert_eq!(cursor.vector_len(), Err(DecodeError::Truncated { position: 4 }));
    }

    #[test]
    fn depth_is_bounded() {
        fn dive(cursor: &mut Cursor<'_>) -> Result<(), DecodeError> {
            cursor.nested(dive)
        }
        assert_eq!(dive(&mut Cursor::new(&[])), Err(DecodeError::TooDeep { position: 0 }));
    }
}
