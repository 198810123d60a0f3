//! Profiles: known colours of known spaces, and what is none or left aside.
//!
//! What is expected was computed apart from any library, from the chromaticities and curves that the standards of the spaces
//! give (IEC 61966-2-1, SMPTE EG 432-1, Adobe RGB (1998)), without regard to what fits into 8 bits.

use image::ImageEncoder;
use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use moxcms::{ColorProfile, ToneReprCurve};

use super::*;
use crate::limits::{ICC_CURVE_COUNT_MAX, ICC_LEN_MAX};

const SIDE: u32 = 64;

fn encoded(profile: &ColorProfile) -> Vec<u8> {
    profile.encode().expect("a profile")
}

/// A picture of one colour, with a profile, as a file.
fn coloured(colour: [u8; 3], profile: &[u8], format: ImageFormat) -> Vec<u8> {
    fn write(mut encoder: impl ImageEncoder, colour: [u8; 3], profile: &[u8]) {
        encoder.set_icc_profile(profile.to_vec()).expect("the format has profiles");
        let picture = RgbImage::from_pixel(SIDE, SIDE, image::Rgb(colour));
        let color = image::ExtendedColorType::Rgb8;
        encoder.write_image(&picture, SIDE, SIDE, color).expect("it can be written");
    }
    let mut file = Vec::new();
    match format {
        ImageFormat::Jpeg => write(JpegEncoder::new_with_quality(&mut file, 98), colour, profile),
        ImageFormat::Png => write(PngEncoder::new(&mut file), colour, profile),
        _ => write(WebPEncoder::new_lossless(&mut file), colour, profile),
    }
    file
}

/// A picture of this colour and profile is shown as one of that colour of sRGB, up to what a JPEG loses.
#[track_caller]
fn check(profile: &[u8], colour: [u8; 3], expected: [u8; 3]) {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let file = coloured(colour, profile, format);
        for kind in [Kind::Message, Kind::Thumb] {
            let made = make_checked(&file, kind).expect("a picture");
            let size = made.sizes.last().expect("a size");
            let seen = shown(&made, &size.type_).get_pixel(SIDE / 2, SIDE / 2).0;
            let far = seen.iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max();
            assert!(far <= Some(3), "{format:?}: {colour:?} is {seen:?}, not {expected:?}");
            assert!(!made.bytes.windows(4).any(|window| window == b"acsp"), "no profile is left");
        }
    }
}

#[test]
fn display_p3() {
    let profile = encoded(&ColorProfile::new_display_p3());
    for (colour, expected) in [
        ([230, 120, 60], [247, 112, 38]),
        ([200, 100, 50], [215, 93, 31]),
        ([40, 60, 200], [34, 61, 208]),
        // No colour of sRGB is as green as this.
        ([60, 160, 90], [0, 163, 82]),
        ([255, 0, 0], [255, 0, 0]),
        ([128, 128, 128], [128, 128, 128]),
        ([255, 255, 255], [255, 255, 255]),
        ([0, 0, 0], [0, 0, 0]),
    ] {
        check(&profile, colour, expected);
    }
}

#[test]
fn adobe_rgb() {
    let profile = encoded(&ColorProfile::new_adobe_rgb());
    for (colour, expected) in [
        ([200, 100, 50], [227, 100, 42]),
        ([40, 60, 200], [21, 57, 205]),
        ([128, 128, 128], [129, 129, 129]),
        ([255, 255, 255], [255, 255, 255]),
    ] {
        check(&profile, colour, expected);
    }
}

#[test]
fn srgb_stays() {
    let profile = encoded(&ColorProfile::new_srgb());
    for colour in [[230, 120, 60], [60, 160, 90], [1, 2, 3], [254, 253, 252]] {
        check(&profile, colour, colour);
    }
}

/// What cannot be read, is too long, or is about something else than red, green and blue, changes nothing.
#[test]
fn other_profiles_are_left_aside() {
    let colour = [200, 100, 50];
    let whole = encoded(&ColorProfile::new_display_p3());
    for profile in [&b"x"[..], b"nothing that anybody could read", &[0xff; 500]] {
        check(profile, colour, colour);
    }
    // Cut before its curves.
    check(&whole[..200], colour, colour);
    check(&encoded(&ColorProfile::new_gray_with_gamma(1.0)), colour, colour);
    check(&encoded(&ColorProfile::new_lab()), colour, colour);
    let mut long = whole.clone();
    long.resize(ICC_LEN_MAX, 0);
    check(&long, colour, [215, 93, 31]);
    long.push(0);
    check(&long, colour, colour);
}

/// Curves of values rather than of a formula, up to `ICC_CURVE_COUNT_MAX` of them.
#[test]
fn curves_of_values() {
    let colour = [200, 100, 50];
    for (count, expected) in [
        (2048, [215, 93, 31]),
        (ICC_CURVE_COUNT_MAX, [215, 93, 31]),
        (ICC_CURVE_COUNT_MAX + 1, colour),
    ] {
        let value = |at: usize| {
            let share = at as f64 / (count - 1) as f64;
            let linear =
                if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) };
            (linear * f64::from(u16::MAX)).round() as u16
        };
        let curve = Some(ToneReprCurve::Lut((0..count).map(value).collect()));
        let mut profile = ColorProfile::new_display_p3();
        profile.red_trc.clone_from(&curve);
        profile.green_trc.clone_from(&curve);
        profile.blue_trc = curve;
        check(&encoded(&profile), colour, expected);
    }
}

/// A picture of alpha is laid on white before, which is white in each space.
#[test]
fn alpha() {
    let picture = image::RgbaImage::from_pixel(SIDE, SIDE, image::Rgba([9, 9, 9, 0]));
    let mut file = Vec::new();
    let mut encoder = PngEncoder::new(&mut file);
    let profile = encoded(&ColorProfile::new_display_p3());
    encoder.set_icc_profile(profile).expect("PNG has profiles");
    let color = image::ExtendedColorType::Rgba8;
    encoder.write_image(&picture, SIDE, SIDE, color).expect("it can be written");
    let made = make_checked(&file, Kind::Message).expect("a picture");
    let seen = shown(&made, "s").get_pixel(1, 1).0;
    assert!(seen.iter().all(|value| *value >= 253), "{seen:?}");
}
