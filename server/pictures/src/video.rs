//! Videos that are photos of profiles: nothing of them is decoded, only the head is read.
//!
//! ```text
//! box   | len (4) | type (4) | [len (8)] | content |      len 0: up to the end; len 1: a longer one follows
//! file    ftyp, then moov and others; moov holds mvhd and a trak for each track, which holds tkhd
//! mvhd  | version (1) | flags (3) | dates (8 or 16) | units a second (4) | duration (4 or 8) | ...
//! tkhd  | version (1) | ...       | width (4) | height (4) |      the last two, in 1/65536 of a pixel
//! ```
//!
//! Source: ISO/IEC 14496-12.

use crate::limits::{VIDEO_DURATION_S_MAX, VIDEO_LEN_MAX, VIDEO_SIDE_MAX, VIDEO_SIDE_MIN};

/// What the head of a video says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    /// Width and height, in pixels.
    pub side: i32,
    /// How long it plays, in seconds.
    pub duration_s: f64,
}

/// Reads the head of an MPEG-4 video; `None` if it is none, or cannot be a photo of a profile: those are square, of at least
/// [`VIDEO_SIDE_MIN`] and at most [`VIDEO_SIDE_MAX`] pixels, and play for at most [`VIDEO_DURATION_S_MAX`].
///
/// Cost: a few steps for each box.
#[must_use]
pub fn head(bytes: &[u8]) -> Option<Head> {
    if bytes.len() > VIDEO_LEN_MAX || boxes(bytes).next()?.0 != *b"ftyp" {
        return None;
    }
    let movie = find(bytes, b"moov")?;
    let duration_s = duration_s(find(movie, b"mvhd")?)?;
    let tracks = boxes(movie).filter(|(kind, _)| kind == b"trak");
    let (width, height) = tracks
        .filter_map(|(_, track)| sides(find(track, b"tkhd")?))
        .find(|(width, height)| (*width, *height) != (0, 0))?;
    let fits = width == height
        && (VIDEO_SIDE_MIN..=VIDEO_SIDE_MAX).contains(&width)
        && duration_s <= VIDEO_DURATION_S_MAX;
    fits.then_some(Head { side: i32::try_from(width).ok()?, duration_s })
}

/// The boxes of a file or of a box, up to the first that is not whole: their types and contents.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    core::iter::from_fn(move || {
        let kind = *bytes.get(4..)?.first_chunk()?;
        let (head_len, len) = match number(bytes, 0)? {
            0 => (8, bytes.len()),
            1 => (16, usize::try_from(long(bytes, 8)?).ok()?),
            len => (8, usize::try_from(len).ok()?),
        };
        let content = bytes.get(head_len..len)?;
        bytes = bytes.get(len..)?;
        Some((kind, content))
    })
}

fn find<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(bytes).find_map(|(found, content)| (found == *kind).then_some(content))
}

fn duration_s(header: &[u8]) -> Option<f64> {
    let (rate, duration) = match header.first()? {
        0 => (number(header, 12)?, u64::from(number(header, 16)?)),
        1 => (number(header, 20)?, long(header, 24)?),
        _ => return None,
    };
    #[expect(clippy::cast_precision_loss, reason = "seconds, of which there are few")]
    let duration = duration as f64;
    (rate > 0).then(|| duration / f64::from(rate))
}

/// Whole pixels.
fn sides(header: &[u8]) -> Option<(u32, u32)> {
    let at = header.len().checked_sub(8)?;
    Some((number(header, at)? >> 16, number(header, at + 4)? >> 16))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let len = u32::try_from(content.len() + 8).expect("short");
        [&len.to_be_bytes()[..], kind, content].concat()
    }

    /// The head of a video with sound: `version` is that of its headers.
    fn video(version: u8, (width, height): (u32, u32), duration_s: u32) -> Vec<u8> {
        let dates = vec![0; if version == 0 { 8 } else { 16 }];
        let duration = u64::from(duration_s) * 600;
        let duration = &duration.to_be_bytes()[if version == 0 { 4 } else { 0 }..];
        let start = [&[version, 0, 0, 0], &dates[..]].concat();
        let movie = [&start[..], &600_u32.to_be_bytes(), duration, &[0; 80]].concat();
        let track = |width: u32, height: u32| {
            let sides = [(width << 16).to_be_bytes(), (height << 16).to_be_bytes()].concat();
            boxed(b"trak", &boxed(b"tkhd", &[&start[..], &[0; 60], &sides].concat()))
        };
        let tracks = [track(0, 0), track(width, height)].concat();
        let movie = [boxed(b"mvhd", &movie), tracks].concat();
        [boxed(b"ftyp", b"isom"), boxed(b"mdat", &[7; 100]), boxed(b"moov", &movie)].concat()
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: Option<(u32, u32)>) {
        let head = head(bytes);
        let seen = head.map(|head| (head.side.unsigned_abs(), head.duration_s as u32));
        assert_eq!(seen, expected, "{head:?}");
    }

    #[test]
    fn squares_of_some_seconds() {
        let (min, max, long) = (VIDEO_SIDE_MIN, VIDEO_SIDE_MAX, VIDEO_DURATION_S_MAX as u32);
        for version in [0, 1] {
            for (sides, duration_s, expected) in [
                ((800, 800), 3, Some((800, 3))),
                ((min, min), 0, Some((min, 0))),
                ((max, max), long, Some((max, long))),
                ((800, 800), long + 1, None),
                ((min - 1, min - 1), 3, None),
                ((max + 1, max + 1), 3, None),
                ((800, 600), 3, None),
                ((0, 0), 3, None),
            ] {
                check(&video(version, sides, duration_s), expected);
            }
        }
    }

    #[test]
    fn what_is_no_video() {
        let whole = video(0, (800, 800), 3);
        check(&[], None);
        check(b"ftypmoov", None);
        for end in 0..whole.len() {
            check(&whole[..end], None);
        }
        check(&whole[12..], None);
        check(&[&whole[..], &vec![0; VIDEO_LEN_MAX]].concat(), None);
        // Lengths that lead nowhere, or on and on.
        for len in [2_u32, 7, u32::MAX] {
            let broken = [&whole[..12], &len.to_be_bytes(), b"free"].concat();
            check(&broken, None);
        }
        // A last box up to the end, and one with a long length.
        let (head, movie) = whole.split_at(12 + 108);
        check(&[head, &[0; 4], &movie[4..]].concat(), Some((800, 3)));
        let len = (movie.len() as u64 + 8).to_be_bytes();
        check(&[head, &[0, 0, 0, 1], b"moov", &len, &movie[8..]].concat(), Some((800, 3)));
    }
}
