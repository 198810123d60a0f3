//! Which sizes a picture is made in, and scaling.

use std::cmp::{max, min};

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use super::{Error, Kind, decode};

/// A size to be made, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// What clients call it.
    pub(super) type_: &'static str,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Whether it is looked at closely, so that its quality counts.
    pub(super) large: bool,
    /// Whether a part of it can be seen early: the largest size alone, if it is worth while. Clients know the largest by that.
    pub(super) progressive: bool,
}

/// Types of sizes, the box each must fit into, and whether it is large.
const MESSAGE: [(&str, u32, bool); 5] =
    [("s", 100, false), ("m", 320, false), ("x", 800, true), ("y", 1280, true), ("w", 2560, true)];
/// Types of squares, their side, and whether they are large.
const PROFILE: [(&str, u32, bool); 3] = [("a", 160, false), ("b", 320, false), ("c", 640, true)];
const THUMB: (&str, u32) = ("m", 320);

/// What is made of a source of this width and height: at least one size, smallest first.
///
/// # Errors
///
/// [`Error::TooSmall`] where a profile photo is smaller than its smallest size.
pub(super) fn plan(kind: Kind, width: u32, height: u32) -> Result<Vec<Size>, Error> {
    let fitted = |type_, side, large| {
        let (width, height) = fit(width, height, side);
        Size { type_, width, height, large, progressive: false }
    };
    let mut sizes = match kind {
        Kind::Message => {
            // The first box that is larger than the source holds all of it.
            let smaller = MESSAGE.iter().filter(|(_, side, _)| *side < max(width, height)).count();
            let used = &MESSAGE[..min(smaller + 1, MESSAGE.len())];
            used.iter().map(|(type_, side, large)| fitted(*type_, *side, *large)).collect()
        }
        Kind::Thumb => vec![fitted(THUMB.0, THUMB.1, false)],
        Kind::Profile if min(width, height) < PROFILE[0].1 => return Err(Error::TooSmall),
        Kind::Profile => {
            let square = |(type_, side, large)| Size {
                type_,
                width: side,
                height: side,
                large,
                progressive: false,
            };
            PROFILE.map(square).to_vec()
        }
    };
    if let Some(largest) = sizes.last_mut() {
        largest.progressive = largest.large;
    }
    Ok(sizes)
}

/// The largest size of this shape within a box, and not larger than it is.
pub(super) fn fit(width: u32, height: u32, side: u32) -> (u32, u32) {
    let long = max(width, height);
    if long <= side {
        return (width, height);
    }
    let scaled = |length: u32| max((length * side + long / 2) / long, 1);
    (scaled(width), scaled(height))
}

/// The largest size, from the source: cropped, scaled and turned.
pub(super) fn first(
    source: &RgbImage,
    turn: Orientation,
    kind: Kind,
    size: &Size,
) -> Result<RgbImage, Error> {
    let (width, height) = if decode::is_sideways(turn) {
        (size.height, size.width)
    } else {
        (size.width, size.height)
    };
    let options = match kind {
        Kind::Message | Kind::Thumb => options(),
        // The middle stays the middle, however it is turned.
        Kind::Profile => options().fit_into_destination(Some((0.5, 0.5))),
    };
    let mut picture = DynamicImage::ImageRgb8(resized(source, width, height, &options)?);
    picture.apply_orientation(turn);
    Ok(picture.into_rgb8())
}

/// The same in another size.
pub(super) fn scaled(source: &RgbImage, width: u32, height: u32) -> Result<RgbImage, Error> {
    resized(source, width, height, &options())
}

fn options() -> ResizeOptions {
    ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
}

/// Values are taken as they are, without regard to gamma.
fn resized(
    source: &RgbImage,
    width: u32,
    height: u32,
    options: &ResizeOptions,
) -> Result<RgbImage, Error> {
    let view = ImageRef::new(source.width(), source.height(), source.as_raw(), PixelType::U8x3);
    let view = view.map_err(|_| Error::Broken)?;
    let mut target = Image::new(width, height, PixelType::U8x3);
    Resizer::new().resize(&view, &mut target, options).map_err(|_| Error::Broken)?;
    RgbImage::from_raw(width, height, target.into_vec()).ok_or(Error::Broken)
}
