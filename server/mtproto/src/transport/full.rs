//! Full framing: numbered and checked.
//!
//! ```text
//! | total (4) | seq_no (4) | payload | crc (4) |
//! ```
//!
//! Little-endian. `total` counts all four parts; `seq_no` counts packets of one direction from 0; `crc` is the CRC-32
//! (IEEE) of the three parts before it. There is no quick ack. A wrong number or checksum ends the connection.

use super::Error;
use super::framer::{Head, Header, Parsed};

/// `total`, `seq_no`.
const HEAD_LEN: usize = 8;

/// `crc`.
pub(super) const TRAILER_LEN: usize = 4;

/// What the first bytes of `input` say; `None` while they say too little.
pub(super) fn parse(input: &[u8]) -> Option<Parsed> {
    let total = u32::from_le_bytes(*input.first_chunk::<4>()?) as usize;
    // A total smaller than its own parts gives a payload of 0 bytes, which is refused with the other bad lengths.
    let body_len = total.saturating_sub(HEAD_LEN + TRAILER_LEN);
    Some(Parsed::Head(Head { head_len: HEAD_LEN, body_len, quick_ack: false }))
}

/// Checks a whole frame: `frame` is header, payload and checksum.
pub(super) fn verify(frame: &[u8], expected_seq_no: u32) -> Result<(), Error> {
    let bad = Error::BadLength { len: frame.len() };
    let (checked, crc) = frame.split_last_chunk::<TRAILER_LEN>().ok_or(bad)?;
    let (_, seq_no) = checked
        .first_chunk::<HEAD_LEN>()
        .and_then(|head| head.split_last_chunk::<4>())
        .ok_or(bad)?;
    let (received, computed) = (u32::from_le_bytes(*crc), crc32fast::hash(checked));
    if received != computed {
        return Err(Error::BadChecksum { received, computed });
    }
    let received = u32::from_le_bytes(*seq_no);
    if received != expected_seq_no {
        return Err(Error::BadSeqNo { received, expected: expected_seq_no });
    }
    Ok(())
}

/// The header of a payload of `len` bytes.
pub(super) fn header(len: usize, seq_no: u32) -> Header {
    let [a, b, c, d, ..] = (len + HEAD_LEN + TRAILER_LEN).to_le_bytes();
    let [e, f, g, h] = seq_no.to_le_bytes();
    Header::new(&[a, b, c, d, e, f, g, h])
}

/// The checksum behind `frame`, a header and its payload.
pub(super) fn trailer(frame: &[u8]) -> [u8; TRAILER_LEN] {
    crc32fast::hash(frame).to_le_bytes()
}
