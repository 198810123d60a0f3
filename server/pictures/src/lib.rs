//! Pictures: decoded within bounds, scaled, written as JPEG. Bytes in, bytes out; no thread, file or clock.
//!
//! ```text
//! make ──► decode ──► scale to the largest size ──► turn ──► sRGB ──► the smaller sizes ──► JPEG
//! ```
//!
//! | module     | what it is                                |
//! |------------|-------------------------------------------|
//! | `decode`   | from bytes to pixels, or why not          |
//! | `colours`  | from the colours of a profile to sRGB     |
//! | `sizes`    | which sizes are made, and scaling         |
//! | `encode`   | JPEGs, and the preview without its header |
//! | `segments` | where the segments of a JPEG begin and end |
//! | [`video`]  | how large and long a video says that it is |
//! | [`limits`] | every bound                               |
//!
//! Nothing but pixels goes from what people send to what is stored: no EXIF (where a photo was taken), no comments, no
//! colour profile, whose colours the pixels have then, and nothing that hides behind the end of a file.
//!
//! ## What bounds a job
//!
//! | step    | time                                                             | memory                            |
//! |---------|------------------------------------------------------------------|-----------------------------------|
//! | decode  | bytes ([`IMAGE_LEN_MAX`]) + pixels (by [`IMAGE_SIDES_MAX`]) x scans ([`IMAGE_SCAN_COUNT_MAX`]) | [`IMAGE_ALLOC_MAX`] |
//! | flatten | pixels                                                           | 4 bytes a pixel                   |
//! | scale   | pixels of the source once, of the sizes (at most 2560x2560) once | 3 bytes a pixel of each size      |
//! | colours | pixels of the largest size once, and the profile ([`ICC_LEN_MAX`]) | a row, and tables of fixed size    |
//! | encode  | pixels of the size                                               | some 15 bytes a pixel of the size |
//!
//! Between the steps the caller is asked whether the work is overdue.
//!
//! Measured on one core: a JPEG of 12 megapixels as a photo 300 ms (100 ms of it decoding, most of the rest the size `w`), as
//! a profile photo or a preview 110 ms; one of 1280x960, as most clients send them, 50 ms. The worst that was found, 25
//! megapixels in 64 scans: 2 s and 250 MB.
//!
//! The same bytes always give the same picture, on the same kind of processor, so that equal photos are stored once.

mod colours;
mod decode;
mod encode;
pub mod limits;
mod segments;
mod sizes;
#[cfg(test)]
mod tests;
pub mod video;

use tl::records::types::PictureSize;

#[cfg(doc)]
use crate::limits::{
    ICC_LEN_MAX, IMAGE_ALLOC_MAX, IMAGE_LEN_MAX, IMAGE_SCAN_COUNT_MAX, IMAGE_SIDES_MAX,
};

/// What a picture is for, which decides its sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A photo in a message: `s`, `m`, `x`, `y`, `w`, as far as the source is large enough; the last one has the size of the
    /// source, if that is at most 2560.
    Message,
    /// A photo of a person or a chat: its square centre as `a`, `b`, `c`, whatever the size of the source.
    Profile,
    /// The preview of a document: one size `m`.
    Thumb,
}

/// A picture in all its sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The JPEGs, one after another, smallest first.
    pub bytes: Vec<u8>,
    /// Where each of them is.
    pub sizes: Vec<PictureSize>,
    /// The preview of at most 40x40 pixels: version 1, height, width, then a JPEG without header and end.
    pub stripped: Option<Vec<u8>>,
    /// Width of the source as it is to be seen, in pixels.
    pub width: u32,
    /// Its height.
    pub height: u32,
}

/// Why a picture was not made. Who sent it is at fault, but for [`Overdue`](Self::Overdue).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are no JPEG, PNG, WebP, GIF or BMP.
    #[error("unknown kind of picture")]
    Unsupported,
    /// More bytes than a picture may have.
    #[error("too many bytes")]
    TooLong,
    /// Too wide or high, too long and thin, or more memory would be needed than a picture may take.
    #[error("width and height are not possible")]
    Dimensions,
    /// Too small to be cropped.
    #[error("too small to be cropped")]
    TooSmall,
    /// It begins like a picture, and is none, or not all of one.
    #[error("failed to decode")]
    Broken,
    /// The work took too long.
    #[error("took too long")]
    Overdue,
}

/// Makes a picture of `bytes` on this thread. `overdue` is asked between the steps.
///
/// # Errors
///
/// All of [`Error`]; a decoder may panic as well.
pub fn make(bytes: &[u8], kind: Kind, overdue: &dyn Fn() -> bool) -> Result<Made, Error> {
    let step = || if overdue() { Err(Error::Overdue) } else { Ok(()) };
    let decoder = decode::open(bytes)?;
    let (width, height) = decoder.seen();
    let plan = sizes::plan(kind, width, height)?;
    step()?;
    let turn = decoder.turn();
    let (source, profile) = decoder.decode()?;
    step()?;

    // From the largest to the smallest, each made of the one before, which costs less than to start from the source each
    // time; turned once it is small.
    let mut pictures = Vec::with_capacity(plan.len());
    for size in plan.iter().rev() {
        let picture = match pictures.last() {
            None => {
                let mut largest = sizes::first(&source, turn, kind, size)?;
                if let Some(profile) = &profile {
                    colours::to_srgb(&mut largest, profile);
                }
                largest
            }
            Some(larger) => sizes::scaled(larger, size.width, size.height)?,
        };
        pictures.push(picture);
        step()?;
    }
    drop(source);

    let mut made = Made { bytes: Vec::new(), sizes: Vec::new(), stripped: None, width, height };
    for (size, picture) in plan.iter().zip(pictures.iter().rev()) {
        if made.stripped.is_none() {
            made.stripped = Some(encode::stripped(picture)?);
        }
        let offset = made.bytes.len();
        let scans = encode::jpeg(picture, size, &mut made.bytes)?;
        made.sizes.push(PictureSize {
            type_: size.type_.to_owned(),
            width: whole(size.width as usize),
            height: whole(size.height as usize),
            offset: whole(offset),
            len: whole(made.bytes.len() - offset),
            scans: size.progressive.then(|| scans.into_iter().map(whole).collect()),
        });
        step()?;
    }
    Ok(made)
}

/// A number of pixels or bytes of one picture, all of which are bounded far below.
fn whole(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
