//! Intermediate framing, and the header of padded intermediate.
//!
//! ```text
//! | len (4) | payload |
//! ```
//!
//! Little-endian. The top bit of `len` asks for a quick ack; from the server such a word is the quick ack itself.

use crypto::Side;

use super::framer::{Head, Header, Parsed};

/// The bit of a length that asks for a quick ack, and that every quick-ack token has.
pub(super) const QUICK_ACK_BIT: u32 = 0x8000_0000;

/// What the first bytes of `input` say; `None` while they say too little.
pub(super) fn parse(input: &[u8], from: Side) -> Option<Parsed> {
    let word = u32::from_le_bytes(*input.first_chunk::<4>()?);
    let flag = word & QUICK_ACK_BIT != 0;
    if flag && matches!(from, Side::Server) {
        return Some(Parsed::QuickAck { token: word, len: 4 });
    }
    let body_len = (word & !QUICK_ACK_BIT) as usize;
    Some(Parsed::Head(Head { head_len: 4, body_len, quick_ack: flag }))
}

/// The header of a body of `len` bytes: the payload, and in padded intermediate its padding.
pub(super) fn header(len: usize, quick_ack: bool) -> Header {
    let [a, b, c, d, ..] = len.to_le_bytes();
    let flag = if quick_ack { 0x80 } else { 0 };
    Header::new(&[a, b, c, d | flag])
}
