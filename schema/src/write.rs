//! Writes TL values.
//!
//! A value is written once, into a buffer whose size [`crate::Encode::encoded_len`] has computed by the same code with
//! a sink that only counts.

use bytes::BufMut as _;

use crate::VECTOR_ID;

/// Where encoded bytes go.
pub trait Sink {
    /// Appends `bytes`.
    fn put(&mut self, bytes: &[u8]);

    /// Appends a constructor id or flags.
    fn u32(&mut self, value: u32) {
        self.put(&value.to_le_bytes());
    }

    /// Appends a count of elements.
    fn count(&mut self, count: usize) {
        // A vector of 2^32 elements does not fit into memory that we let anybody fill.
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// Appends the header of a boxed vector.
    fn vector(&mut self, count: usize) {
        self.u32(VECTOR_ID);
        self.count(count);
    }

    /// Appends `bytes` with their length and padding (the three forms of [`crate::Cursor::bytes`]).
    fn bytes(&mut self, bytes: &[u8]) {
        let len = bytes.len();
        let [a, b, c, d, e, f, g, _] = (len as u64).to_le_bytes();
        let header_len = match len {
            0..0xfe => {
                self.put(&[a]);
                1
            }
            0xfe..0x0100_0000 => {
                self.put(&[0xfe, a, b, c]);
                4
            }
            _ => {
                self.put(&[0xff, a, b, c, d, e, f, g]);
                8_usize
            }
        };
        self.put(bytes);
        let padding = header_len.wrapping_add(len).wrapping_neg() % 4;
        self.put([0; 3].get(..padding).unwrap_or_default());
    }
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl Sink for bytes::BytesMut {
    fn put(&mut self, bytes: &[u8]) {
        self.put_slice(bytes);
    }
}

/// A sink that only counts.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counter(pub usize);

impl Sink for Counter {
    fn put(&mut self, bytes: &[u8]) {
        self.0 = self.0.saturating_add(bytes.len());
    }
}
