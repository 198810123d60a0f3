//! JPEGs, and the preview without its header.

use image::RgbImage;
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, EncodingError, SamplingFactor};

use super::Error;
use super::segments::{SOS, segments};
use super::sizes::{self, Size};

/// Quality of small sizes, in percent.
const QUALITY_SMALL: u8 = 82;
/// Quality of large ones.
const QUALITY_LARGE: u8 = 87;
/// Into how many parts the coefficients of a progressive JPEG are divided; clients take at most 5.
const PART_COUNT: u8 = 4;
/// How many components a colour has.
const COMPONENT_COUNT: usize = 3;

/// Longest side of the preview, in pixels.
const STRIPPED_SIDE: u32 = 40;
/// The quality whose tables, made of those of annex K, are in the header that clients put in front of a preview.
const STRIPPED_QUALITY: u8 = 20;
/// First byte of a preview.
const STRIPPED_VERSION: u8 = 1;

/// Appends `picture`, which has this size, to `out`. Returns the lengths of what can be shown of a progressive one, the last of which is all.
pub(super) fn jpeg(
    picture: &RgbImage,
    size: &Size,
    out: &mut Vec<u8>,
) -> Result<Vec<usize>, Error> {
    let start = out.len();
    let quality = if size.large { QUALITY_LARGE } else { QUALITY_SMALL };
    let mut encoder = encoder(out, quality);
    if size.progressive {
        encoder.set_progressive_scans(PART_COUNT);
        encoder.set_optimized_huffman_tables(true);
    }
    encode(encoder, picture)?;
    let written = out.get(start..).unwrap_or_default();
    // The parts of one scan a component: whole pictures end with that of the last one.
    let scans = segments(written).filter(|segment| segment.marker == SOS).map(|scan| scan.end);
    let mut parts: Vec<_> = scans.skip(COMPONENT_COUNT - 1).step_by(COMPONENT_COUNT).collect();
    if let Some(last) = parts.last_mut() {
        *last = written.len();
    }
    Ok(parts)
}

/// The preview: `| version (1) | height (1) | width (1) | data |`, where the data is that of a JPEG with the tables,
/// sampling and order of components that clients know.
pub(super) fn stripped(picture: &RgbImage) -> Result<Vec<u8>, Error> {
    let (width, height) = sizes::fit(picture.width(), picture.height(), STRIPPED_SIDE);
    let jpeg = stripped_jpeg(&sizes::scaled(picture, width, height)?)?;
    let scan = segments(&jpeg).find(|segment| segment.marker == SOS).ok_or(Error::Broken)?;
    let side = |pixels| u8::try_from(pixels).map_err(|_| Error::Broken);
    let mut preview = vec![STRIPPED_VERSION, side(height)?, side(width)?];
    preview.extend_from_slice(jpeg.get(scan.body.end..scan.end).unwrap_or_default());
    Ok(preview)
}

/// The preview with its header, which differs from that of clients in the order of the tables alone.
pub(super) fn stripped_jpeg(picture: &RgbImage) -> Result<Vec<u8>, Error> {
    let mut jpeg = Vec::new();
    encode(encoder(&mut jpeg, STRIPPED_QUALITY), picture)?;
    Ok(jpeg)
}

/// One scan of all components, colours at half the width and height, standard tables.
fn encoder(out: &mut Vec<u8>, quality: u8) -> Encoder<&mut Vec<u8>> {
    let mut encoder = Encoder::new(out, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    encoder
}

fn encode(encoder: Encoder<&mut Vec<u8>>, picture: &RgbImage) -> Result<(), Error> {
    let side = |pixels| u16::try_from(pixels).map_err(|_| Error::Dimensions);
    let (width, height) = (side(picture.width())?, side(picture.height())?);
    let encoded = encoder.encode(picture.as_raw(), width, height, ColorType::Rgb);
    encoded.map_err(|error: EncodingError| {
        tracing::error!(%error, "failed to write a picture");
        Error::Broken
    })
}
