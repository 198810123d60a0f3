//! Padded intermediate: intermediate with 0 to 15 random bytes behind the payload.
//!
//! ```text
//! | len of payload and padding (4) | payload | padding (0..=15) |
//! | len 8..=16 (4) | ff ff ff ff | token (4) | random (0..=8) |     quick ack, from the server
//! ```
//!
//! The length does not say where the payload ends; the payload does:
//!
//! | payload | its length out of the `n` bytes that arrived |
//! |---|---|
//! | encrypted | 24 + (n - 24) / 16 * 16 |
//! | unencrypted (`auth_key_id` 0) | 20 + its own length field |
//! | error, from the server | 4 |

use crypto::Side;

use super::{Error, Noise};

/// Most padding a packet may have, in bytes.
pub(super) const PADDING_LEN_MAX: usize = 15;

/// Stands where an `auth_key_id` or an error would.
pub(super) const QUICK_ACK_MARK: [u8; 4] = [0xff; 4];

/// `auth_key_id`, `msg_key`.
const ENCRYPTED_HEADER_LEN: usize = 24;

/// `auth_key_id`, `msg_id`, length.
const UNENCRYPTED_HEADER_LEN: usize = 20;

/// What the bytes behind a length are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// A payload of that many bytes, and padding.
    Payload(usize),
    /// A quick ack (from the server alone).
    QuickAck(u32),
}

/// Finds the end of the payload in `body`, a payload and its padding.
pub(super) fn parse(body: &[u8], from: Side) -> Result<Body, Error> {
    let bad = Error::BadLength { len: body.len() };
    if matches!(from, Side::Server) && body.len() < UNENCRYPTED_HEADER_LEN {
        return match body.first_chunk::<8>() {
            Some(&[0xff, 0xff, 0xff, 0xff, a, b, c, d]) => {
                Ok(Body::QuickAck(u32::from_le_bytes([a, b, c, d])))
            }
            _ if body.len() < 4 => Err(bad),
            _ => Ok(Body::Payload(4)),
        };
    }
    let (auth_key_id, _) = body.split_first_chunk::<8>().ok_or(bad)?;
    if *auth_key_id == [0; 8] {
        let len = body.get(16..UNENCRYPTED_HEADER_LEN).and_then(|bytes| bytes.first_chunk::<4>());
        let len = u32::from_le_bytes(*len.ok_or(bad)?) as usize;
        let end = len.saturating_add(UNENCRYPTED_HEADER_LEN);
        return if end <= body.len() { Ok(Body::Payload(end)) } else { Err(bad) };
    }
    let encrypted = body.len().checked_sub(ENCRYPTED_HEADER_LEN).ok_or(bad)?;
    Ok(Body::Payload(ENCRYPTED_HEADER_LEN + encrypted / 16 * 16))
}

/// The padding that `noise` chooses: its first byte says how much (0 to 15), the others are it.
pub(super) fn padding(noise: &Noise) -> &[u8] {
    let [first, rest @ ..] = &noise.0;
    rest.get(..usize::from(first & 0x0f)).unwrap_or(&[])
}

/// The padding of a quick ack: 0 to 8 bytes.
pub(super) fn quick_ack_padding(noise: &Noise) -> &[u8] {
    let [first, rest @ ..] = &noise.0;
    rest.get(..usize::from(first % 9)).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &[u8], from: Side, expected: Option<Body>) {
        let expected = expected.ok_or(Error::BadLength { len: body.len() });
        assert_eq!(parse(body, from), expected, "{body:02x?}");
    }

    /// An unencrypted message that says it has `len` bytes, and has `actual` after its header.
    fn unencrypted(len: u32, actual: usize) -> Vec<u8> {
        [&[0; 8][..], &[1; 8], &len.to_le_bytes(), &vec![7; actual]].concat()
    }

    #[test]
    fn payload_ends() {
        for from in [Side::Client, Side::Server] {
            for padding in 0..16 {
                check(&vec![1; 24 + 32 + padding], from, Some(Body::Payload(56)));
                check(&unencrypted(20, 20 + padding), from, Some(Body::Payload(40)));
            }
            check(&unencrypted(21, 20), from, None);
            check(&unencrypted(u32::MAX, 20), from, None);
            check(&[1; 23], from, None);
        }
        check(&[0; 8], Side::Client, None);
        check(&[0; 19], Side::Client, None);
        check(&[], Side::Client, None);
    }

    #[test]
    fn errors_and_quick_acks() {
        check(&[0x6c, 0xfe, 0xff, 0xff], Side::Server, Some(Body::Payload(4)));
        check(&[0x6c, 0xfe, 0xff, 0xff, 1, 2, 3, 4, 5], Side::Server, Some(Body::Payload(4)));
        check(&[1, 2, 3], Side::Server, None);
        let ack = [0xff, 0xff, 0xff, 0xff, 1, 2, 3, 0x84, 9, 9];
        check(&ack, Side::Server, Some(Body::QuickAck(0x8403_0201)));
        check(&ack, Side::Client, None);
    }
}
