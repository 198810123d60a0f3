//! From the colours that a profile means to those of sRGB, which is what clients take every picture for.
//!
//! Telephones write Display P3, cameras Adobe RGB: taken for sRGB, their pictures are pale. Both are profiles of a matrix and
//! three curves, and these alone are converted. What a profile says by tables of colours instead (of printers and scanners),
//! about grey or about inks, is left aside, as are profiles that cannot be read: the pixels are then taken for sRGB.
//!
//! Source: ICC.1:2022, section 8.3 (three-component matrix-based profiles).

use image::RgbImage;
use moxcms::{ColorProfile, Layout, ParsingOptions, TransformOptions};

use crate::limits::ICC_CURVE_COUNT_MAX;

/// Gives `picture` the colours of sRGB, in place.
pub(super) fn to_srgb(picture: &mut RgbImage, profile: &[u8]) {
    let Some(profile) = matrix_profile(profile) else { return };
    let options = TransformOptions { allow_use_cicp_transfer: false, ..Default::default() };
    let srgb = ColorProfile::new_srgb();
    let transform = profile.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, options);
    let Ok(transform) = transform else { return };
    let row_len = 3 * picture.width() as usize;
    let mut before = vec![0; row_len];
    for row in picture.chunks_exact_mut(row_len) {
        before.copy_from_slice(row);
        if transform.transform(&before, row).is_err() {
            // The first row fails if any does: all have one length.
            row.copy_from_slice(&before);
            return;
        }
    }
}

/// A profile whose colours come of a matrix and curves.
fn matrix_profile(bytes: &[u8]) -> Option<ColorProfile> {
    let options = ParsingOptions {
        max_profile_size: bytes.len().saturating_add(1),
        max_allowed_clut_size: bytes.len(),
        max_allowed_trc_size: ICC_CURVE_COUNT_MAX,
    };
    let mut profile = ColorProfile::new_from_slice_with_options(bytes, options).ok()?;
    profile.lut_a_to_b_perceptual = None;
    profile.lut_a_to_b_colorimetric = None;
    profile.lut_a_to_b_saturation = None;
    profile.is_matrix_shaper().then_some(profile)
}
