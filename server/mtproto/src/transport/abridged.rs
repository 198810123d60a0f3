//! Abridged framing: the shortest one.
//!
//! ```text
//! | q·1 len/4·7 (1)           | payload |   len/4 < 0x7f
//! | q·1 0x7f·7 (1) | len/4 (3) | payload |   otherwise
//! ```
//!
//! Little-endian. `q`, the top bit, asks for a quick ack. From the server a first byte with that bit starts the quick
//! ack itself: four bytes, the token from its most significant byte on.

use crypto::Side;

use super::framer::{Head, Header, Parsed};

/// What the first bytes of `input` say; `None` while they say too little.
pub(super) fn parse(input: &[u8], from: Side) -> Option<Parsed> {
    let (&first, rest) = input.split_first()?;
    let flag = first & 0x80 != 0;
    if flag && matches!(from, Side::Server) {
        let token = input.first_chunk::<4>()?;
        return Some(Parsed::QuickAck { token: u32::from_be_bytes(*token), len: 4 });
    }
    let (head_len, words) = match first & 0x7f {
        0x7f => {
            let &[a, b, c] = rest.first_chunk::<3>()?;
            (4, u32::from_le_bytes([a, b, c, 0]))
        }
        words => (1, u32::from(words)),
    };
    Some(Parsed::Head(Head { head_len, body_len: words as usize * 4, quick_ack: flag }))
}

/// The header of a payload of `len` bytes.
pub(super) fn header(len: usize, quick_ack: bool) -> Header {
    let flag = if quick_ack { 0x80 } else { 0 };
    let [a, b, c, ..] = (len / 4).to_le_bytes();
    if len / 4 < 0x7f { Header::new(&[flag | a]) } else { Header::new(&[flag | 0x7f, a, b, c]) }
}
