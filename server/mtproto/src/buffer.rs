//! Bytes with room in front: an answer is encoded once, and every header is written before it in place.
//!
//! ```text
//! | transport (24) | auth_key_id, msg_key (24) | salt … length (32) | rpc_result (12) | body … | padding, checksum (48) |
//! |<------------------------------ HEADROOM ------------------------------------------>|        |<----- TAILROOM ----->|
//! ```

use bytes::{Buf as _, BytesMut};
use tl::{Encode, Layer};

use crate::limits::{HEADROOM, PADDING_LEN_MIN, TAILROOM, TRANSPORT_HEADROOM};
use crate::transport;

/// A message on its way out: bytes behind free room.
#[derive(Debug, Clone)]
pub struct Buffer {
    /// The free room and the bytes.
    bytes: BytesMut,
    /// How much in front is free.
    start: usize,
}

impl Buffer {
    /// An empty one that takes `body_len` bytes without growing.
    #[must_use]
    pub fn with_capacity(body_len: usize) -> Self {
        let mut bytes =
            BytesMut::with_capacity(HEADROOM.saturating_add(body_len).saturating_add(TAILROOM));
        bytes.resize(HEADROOM, 0);
        Self { bytes, start: HEADROOM }
    }

    /// Encodes `value` for a session of `layer`, constructor id first.
    #[must_use]
    pub fn encode(value: &impl Encode, layer: Layer) -> Self {
        let mut buffer = Self::with_capacity(value.encoded_len(layer));
        value.encode(layer, &mut buffer.bytes);
        buffer
    }

    /// Copies a body that is encoded already.
    #[must_use]
    pub fn from_body(body: &[u8]) -> Self {
        let mut buffer = Self::with_capacity(body.len());
        buffer.bytes.extend_from_slice(body);
        buffer
    }

    /// An `rpc_error`.
    #[must_use]
    pub fn rpc_error(code: i32, message: &str) -> Self {
        Self::encode(&tl::mtproto::types::RpcError::new(code, message), Layer::NEWEST)
    }

    /// Where to append; it is a [`tl::Sink`].
    pub const fn tail(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }

    /// The bytes without the free room.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// The bytes without the free room.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..).unwrap_or_default()
    }

    /// How many bytes there are, without the free room.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len().saturating_sub(self.start)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes are free in front.
    #[must_use]
    pub const fn headroom(&self) -> usize {
        self.start
    }

    /// Writes `header` before the bytes.
    ///
    /// Where the room is too small, which the callers here avoid, everything moves to a larger buffer.
    pub fn prepend(&mut self, header: &[u8]) {
        if header.len() > self.start {
            let mut larger = Self::with_capacity(header.len().saturating_add(self.len()));
            larger.bytes.extend_from_slice(header);
            larger.bytes.extend_from_slice(self.as_slice());
            *self = larger;
            return;
        }
        let start = self.start.saturating_sub(header.len());
        if let Some(room) = self.bytes.get_mut(start..self.start) {
            room.copy_from_slice(header);
            self.start = start;
        }
    }

    /// Gives up the free room.
    #[must_use]
    pub fn into_bytes(mut self) -> BytesMut {
        self.bytes.advance(self.start);
        self.bytes
    }

    /// The bytes behind exactly `room` free ones, as a transport's `encode_in_place` wants them.
    #[must_use]
    pub fn into_bytes_with_room(mut self, room: usize) -> BytesMut {
        if self.start < room {
            self.prepend(&vec![0; room]);
            return self.into_bytes();
        }
        self.bytes.advance(self.start.saturating_sub(room));
        self.bytes
    }
}

const _: () = assert!(TRANSPORT_HEADROOM >= transport::HEADROOM);
const _: () = assert!(TAILROOM >= PADDING_LEN_MIN + 15 + transport::TAILROOM);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_go_in_front_without_moving_the_body() {
        let mut buffer = Buffer::from_body(&[4, 5]);
        let body = buffer.as_slice().as_ptr();
        buffer.prepend(&[2, 3]);
        buffer.prepend(&[1]);
        assert_eq!(buffer.as_slice(), [1, 2, 3, 4, 5]);
        assert_eq!(buffer.headroom(), HEADROOM - 3);
        let bytes = buffer.into_bytes_with_room(10);
        assert_eq!(bytes[10..], [1, 2, 3, 4, 5]);
        assert_eq!(bytes[13..].as_ptr(), body);
    }

    #[test]
    fn too_large_a_header_still_fits() {
        let mut buffer = Buffer::from_body(&[9]);
        buffer.prepend(&[7; HEADROOM + 1]);
        assert_eq!(buffer.len(), HEADROOM + 2);
        assert_eq!(buffer.clone().into_bytes().last(), Some(&9));
        assert_eq!(buffer.into_bytes_with_room(HEADROOM * 2).len(), HEADROOM * 3 + 2);
    }
}
