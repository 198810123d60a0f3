//! What pictures are made of: formats, colours, turns.

use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer, Luma, LumaA, Rgba, RgbaImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::*;

const WIDTH: u32 = 96;
const HEIGHT: u32 = 64;

fn written_as(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    picture.into().write_to(&mut file, format).expect("it can be written");
    file.into_inner()
}

/// `bytes` show `expected`, up to `far` a channel.
#[track_caller]
fn check(bytes: &[u8], expected: &RgbImage, far: f64) {
    let made = make_checked(bytes, Kind::Message).expect("a picture");
    assert_eq!((made.width, made.height), expected.dimensions());
    let found = distance(&shown(&made, "s"), expected);
    assert!(found <= far, "{found}");
}

/// Telephones write no JPEG as this crate does, but decoders see the difference alone.
fn jpeg(bytes: &[u8], color: ColorType, set: impl Fn(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 95);
    set(&mut encoder);
    encoder.encode(bytes, WIDTH as u16, HEIGHT as u16, color).expect("it can be written");
    file
}

#[test]
fn formats() {
    let picture = corners(WIDTH, HEIGHT);
    // GIF has 256 colours; of WebP this crate writes the form without loss.
    for (format, far) in [
        (ImageFormat::Png, 2.0),
        (ImageFormat::Jpeg, 5.0),
        (ImageFormat::WebP, 2.0),
        (ImageFormat::Bmp, 2.0),
    ] {
        check(&written(&picture, format), &picture, far);
    }
    let rgba = DynamicImage::ImageRgb8(picture.clone()).into_rgba8();
    check(&written_as(rgba, ImageFormat::Gif), &picture, 6.0);
}

#[test]
fn jpegs() {
    let picture = corners(WIDTH, HEIGHT);
    let factors = [
        SamplingFactor::F_1_1,
        SamplingFactor::F_2_2,
        SamplingFactor::F_2_1,
        SamplingFactor::F_1_2,
    ];
    for factor in factors {
        check(&jpeg(&picture, ColorType::Rgb, |it| it.set_sampling_factor(factor)), &picture, 4.0);
    }
    check(&jpeg(&picture, ColorType::Rgb, |it| it.set_progressive(true)), &picture, 4.0);
    check(
        &jpeg(&picture, ColorType::Rgb, |it| it.set_optimized_huffman_tables(true)),
        &picture,
        4.0,
    );
    check(&jpeg(&picture, ColorType::Rgb, |it| it.set_restart_interval(3)), &picture, 4.0);

    let grey: Vec<u8> = picture.pixels().map(|pixel| pixel.0[1]).collect();
    let seen =
        RgbImage::from_fn(WIDTH, HEIGHT, |x, y| image::Rgb([picture.get_pixel(x, y).0[1]; 3]));
    check(&jpeg(&grey, ColorType::Luma, |_| ()), &seen, 4.0);

    // Ink is what paper lacks; black is made of the three colours.
    let inks: Vec<u8> = picture
        .pixels()
        .flat_map(|pixel| [255 - pixel.0[0], 255 - pixel.0[1], 255 - pixel.0[2], 0])
        .collect();
    check(&jpeg(&inks, ColorType::CmykAsYcck, |_| ()), &picture, 5.0);
    check(&jpeg(&inks, ColorType::Cmyk, |_| ()), &picture, 5.0);
}

#[test]
fn colours() {
    let picture = corners(WIDTH, HEIGHT);
    let green = |x, y| picture.get_pixel(x, y).0[1];
    let grey = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| image::Rgb([green(x, y); 3]));
    let wide = |value: u8| u16::from(value) * 257;

    let luma = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| Luma([green(x, y)]));
    check(&written_as(luma, ImageFormat::Png), &grey, 2.0);
    let luma = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| Luma([wide(green(x, y))]));
    check(&written_as(luma, ImageFormat::Png), &grey, 2.0);
    let luma = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| LumaA([wide(green(x, y)), u16::MAX]));
    check(&written_as(luma, ImageFormat::Png), &grey, 2.0);
    let rgb =
        ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| image::Rgb(picture.get_pixel(x, y).0.map(wide)));
    check(&written_as(rgb, ImageFormat::Png), &picture, 2.0);
}

#[test]
fn alpha_is_laid_on_white() {
    let picture = corners(WIDTH, HEIGHT);
    for (alpha, wide) in [(0, 0), (128, 0x8080), (255, 0xffff_u16)] {
        let mix = |value: u8| ((u32::from(value) * alpha + 255 * (255 - alpha)) / 255) as u8;
        let seen =
            RgbImage::from_fn(WIDTH, HEIGHT, |x, y| image::Rgb(picture.get_pixel(x, y).0.map(mix)));
        let rgba = RgbaImage::from_fn(WIDTH, HEIGHT, |x, y| {
            let [r, g, b] = picture.get_pixel(x, y).0;
            Rgba([r, g, b, alpha as u8])
        });
        check(&written_as(rgba.clone(), ImageFormat::WebP), &seen, 2.0);
        check(&written_as(rgba, ImageFormat::Png), &seen, 2.0);
        let rgba = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| {
            let [r, g, b] = picture.get_pixel(x, y).0.map(|value| u16::from(value) * 257);
            Rgba([r, g, b, wide])
        });
        check(&written_as(rgba, ImageFormat::Png), &seen, 2.0);
    }
}

/// The first picture of several is the one that is seen.
#[test]
fn animations() {
    use image::codecs::gif::GifEncoder;
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new(&mut file);
    for colour in [[200, 20, 20, 255], [20, 20, 200, 255]] {
        let frame = RgbaImage::from_pixel(WIDTH, HEIGHT, Rgba(colour));
        encoder.encode_frame(image::Frame::new(frame)).expect("it can be written");
    }
    drop(encoder);
    check(&file, &RgbImage::from_pixel(WIDTH, HEIGHT, image::Rgb([200, 20, 20])), 4.0);
}

/// EXIF: a TIFF of one folder, with how to turn the picture, and where it was taken.
fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    // A folder of GPS: it is at 38 and has one entry, the text of a place.
    exif.extend([0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38]);
    exif.extend([0, 0, 0, 0]);
    exif.extend([0, 1, 0, 29, 0, 2, 0, 0, 0, 9, 0, 0, 0, 56, 0, 0, 0, 0]);
    exif.extend(b"GPS-PLACE");
    exif
}

fn with_exif(picture: &RgbImage, exif: &[u8], format: ImageFormat) -> Vec<u8> {
    use image::ImageEncoder;
    let mut file = Vec::new();
    let (width, height) = picture.dimensions();
    let color = image::ExtendedColorType::Rgb8;
    match format {
        ImageFormat::Jpeg => {
            let mut encoder = Encoder::new(&mut file, 95);
            encoder.add_exif_metadata(exif).expect("it fits");
            encoder.add_app_segment(13, b"Photoshop GPS-PLACE".to_vec()).expect("it fits");
            encoder
                .encode(picture, width as u16, height as u16, ColorType::Rgb)
                .expect("it can be written");
            file.extend(b"GPS-PLACE");
        }
        ImageFormat::Png => {
            let mut encoder = image::codecs::png::PngEncoder::new(&mut file);
            encoder.set_exif_metadata(exif.to_vec()).expect("PNG has EXIF");
            encoder.write_image(picture, width, height, color).expect("it can be written");
        }
        _ => {
            let mut encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut file);
            encoder.set_exif_metadata(exif.to_vec()).expect("WebP has EXIF");
            encoder.write_image(picture, width, height, color).expect("it can be written");
        }
    }
    file
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Pictures are turned as EXIF says, and nothing is left of it.
#[test]
fn exif_is_applied_and_dropped() {
    let upright = corners(WIDTH, HEIGHT);
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        for orientation in 0..=9 {
            // How the sensor saw it: turned the other way round.
            let mut seen = DynamicImage::ImageRgb8(upright.clone());
            seen.apply_orientation(match orientation {
                2 => Orientation::FlipHorizontal,
                3 => Orientation::Rotate180,
                4 => Orientation::FlipVertical,
                5 => Orientation::Rotate90FlipH,
                6 => Orientation::Rotate270,
                7 => Orientation::Rotate270FlipH,
                8 => Orientation::Rotate90,
                _ => Orientation::NoTransforms,
            });
            let file = with_exif(&seen.into_rgb8(), &exif(orientation), format);
            assert!(contains(&file, b"GPS-PLACE"));
            check(&file, &upright, 4.0);
            let made = make(&file, Kind::Message, &|| false).expect("a picture");
            for left in [&b"Exif"[..], b"GPS-PLACE", b"Photoshop", b"II*\0", b"MM\0*"] {
                assert!(!contains(&made.bytes, left));
            }
        }
    }
}

/// Turned pictures are cropped, scaled and described as they are seen.
#[test]
fn turned_pictures_have_turned_sizes() {
    let lying = with_exif(&corners(700, 300), &exif(6), ImageFormat::Jpeg);
    let made = make_checked(&lying, Kind::Message).expect("a picture");
    let sizes: Vec<_> = made.sizes.iter().map(|it| (&*it.type_, it.width, it.height)).collect();
    assert_eq!(sizes, [("s", 43, 100), ("m", 137, 320), ("x", 300, 700)]);
    assert_eq!(made.stripped.as_ref().map(|it| it[..3].to_vec()), Some(vec![1, 40, 17]));
    let made = make_checked(&lying, Kind::Profile).expect("a picture");
    assert_eq!(made.sizes.len(), 3);
}

#[test]
fn broken_exif_turns_nothing() {
    let picture = corners(WIDTH, HEIGHT);
    for exif in
        [&b""[..], b"MM", b"MM\0\x2a\xff\xff\xff\xff", b"II\x2a\0\x08\0\0\0\xff\xff", &[0xff; 999]]
    {
        check(&with_exif(&picture, exif, ImageFormat::Jpeg), &picture, 4.0);
    }
}
