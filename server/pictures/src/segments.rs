//! Where the segments of a JPEG begin and end.
//!
//! ```text
//! SOI | marker ff xx (2) | len (2) | body (len - 2) | … | SOS | len | body | data | … | EOI
//! ```
//!
//! Sizes in brackets are bytes, lengths big-endian and count themselves. In data, `ff` is followed by `00`, by a restart
//! marker, or ends it.
//!
//! Source: ITU-T T.81, annex B.

use std::ops::Range;

/// Start of a scan.
pub(super) const SOS: u8 = 0xda;
/// Quantization tables.
#[cfg(test)]
pub(super) const DQT: u8 = 0xdb;
/// Huffman tables.
#[cfg(test)]
pub(super) const DHT: u8 = 0xc4;

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
/// Markers without length and body.
const BARE: [Range<u8>; 2] = [0x01..0x02, 0xd0..SOI + 1];

/// The part of a JPEG that one marker begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The byte after `ff`.
    pub(super) marker: u8,
    /// What comes after the length.
    pub(super) body: Range<usize>,
    /// Where the data of a scan ends; for others, the body.
    pub(super) end: usize,
}

/// The segments of `bytes`, which may be anything: what is no marker is skipped. Ends at the end of the picture or of the
/// bytes; every range lies within them.
pub(super) fn segments(bytes: &[u8]) -> impl Iterator<Item = Segment> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let marker_at = marker_from(bytes, at)?;
            let marker = bytes[marker_at + 1];
            at = marker_at + 2;
            if marker == EOI {
                return None;
            }
            if BARE.iter().any(|bare| bare.contains(&marker)) {
                continue;
            }
            let len = bytes.get(at..at + 2)?;
            let len = usize::from(u16::from_be_bytes([len[0], len[1]])).max(2);
            let body = (at + 2)..(at + len).min(bytes.len());
            at = body.end;
            if marker == SOS {
                at = end_of_data(bytes, at);
            }
            return Some(Segment { marker, body, end: at });
        }
    })
}

/// Whether the picture ends with its mark, after its last segment's end.
pub(super) fn is_ended(bytes: &[u8], mut after: usize) -> bool {
    while let Some(marker_at) = marker_from(bytes, after) {
        if bytes[marker_at + 1] == EOI {
            return true;
        }
        after = marker_at + 2;
    }
    false
}

/// Where the next marker begins.
fn marker_from(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        match bytes.get(at + 1)? {
            0 => at += 2,
            0xff => at += 1,
            _ => return Some(at),
        }
    }
}

/// Where the first marker is that ends data.
fn end_of_data(bytes: &[u8], mut at: usize) -> usize {
    while let Some(marker_at) = marker_from(bytes, at) {
        if !(0xd0..SOI).contains(&bytes[marker_at + 1]) {
            return marker_at;
        }
        at = marker_at + 2;
    }
    bytes.len()
}

/// Whether this marker begins a frame; its body has the number of components at 5.
pub(super) fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &[(u8, Range<usize>, usize)]) {
        let found: Vec<_> = segments(bytes).map(|it| (it.marker, it.body, it.end)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn ended_or_not() {
        for (bytes, ended) in [
            (&[0xff, SOS, 0, 2, 1, 0xff, 0xd9][..], true),
            (&[0xff, SOS, 0, 2, 1, 0xff, 0xd9, 7, 7], true),
            (&[0xff, SOS, 0, 2, 1, 0xff, 0xff, 0xd9], true),
            (&[0xff, SOS, 0, 2, 1, 0xff, 0, 0xd9], false),
            (&[0xff, SOS, 0, 2, 1, 2, 0xff], false),
            (&[0xff, SOS, 0, 2, 1, 2], false),
            (&[0xff, SOS, 0, 2, 1, 2, 0xff, 0xd1], false),
        ] {
            let last = segments(bytes).last().expect("a scan");
            assert_eq!(is_ended(bytes, last.end), ended, "{bytes:x?}");
        }
    }

    #[test]
    fn whole() {
        let bytes = [
            0xff, 0xd8, 0xff, 0xdb, 0, 3, 7, 0xff, SOS, 0, 2, 1, 0xff, 0, 0xff, 0xd3, 9, 0xff,
            0xd9, 0xff, 0xdb, 0, 2,
        ];
        check(&bytes, &[(0xdb, 6..7, 7), (SOS, 11..11, 17)]);
    }

    #[test]
    fn cut_or_garbage() {
        check(&[], &[]);
        check(&[0xff], &[]);
        check(&[0xff, 0xdb, 0], &[]);
        check(&[0xff, 0xdb, 0, 0], &[(0xdb, 4..4, 4)]);
        check(&[1, 2, 0xff, 0xff, 0xdb, 0xff, 0xff, 1], &[(0xdb, 7..8, 8)]);
        check(&[0xff, SOS, 0, 2, 1, 2, 3], &[(SOS, 4..4, 7)]);
    }
}
