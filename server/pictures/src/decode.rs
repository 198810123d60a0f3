//! From bytes to pixels, or why not.

use std::io::Cursor;

use image::error::{ImageError, LimitErrorKind};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

use super::{Error, segments};
use crate::limits::{
    ICC_LEN_MAX, IMAGE_ALLOC_MAX, IMAGE_LEN_MAX, IMAGE_RATIO_MAX, IMAGE_SCAN_COUNT_MAX,
    IMAGE_SIDES_MAX,
};

/// A picture whose header was read and found possible.
pub(super) struct Opened<'a> {
    decoder: Box<dyn ImageDecoder + 'a>,
    turn: Orientation,
    profile: Option<Vec<u8>>,
}

/// Reads the header of `bytes`. What they are is told by them, not by a name.
///
/// # Errors
///
/// [`Error::TooLong`], [`Error::Unsupported`], [`Error::Dimensions`], [`Error::Broken`].
pub(super) fn open(bytes: &[u8]) -> Result<Opened<'_>, Error> {
    if bytes.len() > IMAGE_LEN_MAX {
        return Err(Error::TooLong);
    }
    let format = image::guess_format(bytes).map_err(|_| Error::Unsupported)?;
    match format {
        ImageFormat::Jpeg => jpeg_is_possible(bytes)?,
        ImageFormat::WebP => webp_is_whole(bytes)?,
        ImageFormat::Png | ImageFormat::Gif | ImageFormat::Bmp => {}
        _ => return Err(Error::Unsupported),
    }
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(IMAGE_SIDES_MAX);
    limits.max_image_height = Some(IMAGE_SIDES_MAX);
    limits.max_alloc = Some(IMAGE_ALLOC_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = Box::new(reader.into_decoder().map_err(failed)?);
    let (width, height) = decoder.dimensions();
    let (short, long) = (width.min(height), width.max(height));
    let fits = width.saturating_add(height) <= IMAGE_SIDES_MAX;
    let ratio_fits = long <= short.saturating_mul(IMAGE_RATIO_MAX);
    if short == 0 || !fits || !ratio_fits || decoder.total_bytes() > IMAGE_ALLOC_MAX {
        return Err(Error::Dimensions);
    }
    // EXIF that cannot be read turns nothing.
    let turn = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten().filter(|it| it.len() <= ICC_LEN_MAX);
    Ok(Opened { decoder, turn, profile })
}

/// Each scan of a JPEG may go over all pixels, and all coefficients are in memory while there are more to come. One that was
/// cut is none, although the decoder would show what there is: whoever sent it would not know that the rest is grey.
fn jpeg_is_possible(bytes: &[u8]) -> Result<(), Error> {
    let (mut scan_count, mut pixel_len, mut end) = (0, 0, 0);
    for segment in segments::segments(bytes) {
        if segment.marker == segments::SOS {
            scan_count += 1;
        }
        if scan_count > IMAGE_SCAN_COUNT_MAX {
            return Err(Error::Broken);
        }
        end = segment.end;
        let body = bytes.get(segment.body).unwrap_or_default();
        if let (true, &[_, h1, h0, w1, w0, component_count, ..]) =
            (segments::is_frame(segment.marker), body)
        {
            let [width, height] = [[w1, w0], [h1, h0]].map(|it| u64::from(u16::from_be_bytes(it)));
            // Three bytes of colour, and two for each coefficient.
            pixel_len = pixel_len.max(width * height * (3 + 2 * u64::from(component_count)));
        }
    }
    if pixel_len > IMAGE_ALLOC_MAX {
        Err(Error::Dimensions)
    } else if segments::is_ended(bytes, end) {
        Ok(())
    } else {
        Err(Error::Broken)
    }
}

/// The decoder makes room for a chunk by the length that it announces, which may be four gigabytes.
fn webp_is_whole(bytes: &[u8]) -> Result<(), Error> {
    let number = |at: usize| bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes);
    let len = |at| number(at).map(|len| usize::try_from(len).unwrap_or(usize::MAX));
    // "RIFF", the length of what follows, "WEBP", then chunks: a name, the length of what follows, padded to an even one.
    let end = len(4).unwrap_or_default().saturating_add(8);
    let mut at: usize = 12;
    while at < end
        && let Some(chunk) = len(at + 4)
    {
        at = at.saturating_add(8).saturating_add(chunk);
        if at > bytes.len() {
            return Err(Error::Broken);
        }
        at += chunk % 2;
    }
    Ok(())
}

impl Opened<'_> {
    /// How the pixels are to be turned to be seen.
    pub(super) fn turn(&self) -> Orientation {
        self.turn
    }

    /// Width and height after that.
    pub(super) fn seen(&self) -> (u32, u32) {
        let (width, height) = self.decoder.dimensions();
        if is_sideways(self.turn) { (height, width) } else { (width, height) }
    }

    /// The pixels, on white where they let something through, not yet turned, and the profile of their colours.
    pub(super) fn decode(self) -> Result<(RgbImage, Option<Vec<u8>>), Error> {
        let picture = DynamicImage::from_decoder(self.decoder).map(on_white).map_err(failed)?;
        Ok((picture, self.profile))
    }
}

/// Whether this turn swaps width and height.
pub(super) fn is_sideways(turn: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(turn, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// Three bytes a pixel.
fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    let (width, height) = image.dimensions();
    let mut bytes = image.into_raw();
    // In place: what is written never overtakes what is read.
    for pixel in 0..bytes.len() / 4 {
        let [red, green, blue, alpha] = *bytes[4 * pixel..].first_chunk().unwrap_or(&[0; 4]);
        let mix = |value: u8| {
            let [value, alpha] = [value, alpha].map(u16::from);
            u8::try_from((value * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX)
        };
        let seen = [red, green, blue];
        let seen = if alpha == u8::MAX { seen } else { seen.map(mix) };
        bytes[3 * pixel..3 * pixel + 3].copy_from_slice(&seen);
    }
    bytes.truncate(bytes.len() / 4 * 3);
    RgbImage::from_raw(width, height, bytes).unwrap_or_default()
}

fn failed(error: ImageError) -> Error {
    match error {
        ImageError::Limits(limit) => match limit.kind() {
            LimitErrorKind::DimensionError | LimitErrorKind::InsufficientMemory => {
                Error::Dimensions
            }
            _ => Error::Broken,
        },
        _ => Error::Broken,
    }
}
