//! What is no picture, or would cost more than one: an error, soon, and with little memory.

use jpeg_encoder::{ColorType, Encoder};

use super::*;
use crate::limits::{
    IMAGE_ALLOC_MAX, IMAGE_LEN_MAX, IMAGE_RATIO_MAX, IMAGE_SCAN_COUNT_MAX, IMAGE_SIDES_MAX,
};
use crate::segments::{SOS, segments};

#[track_caller]
fn check(bytes: &[u8], expected: Error) {
    for kind in [Kind::Message, Kind::Profile, Kind::Thumb] {
        assert_eq!(make(bytes, kind, &|| false).map(|made| made.sizes), Err(expected));
    }
}

/// A chunk of a PNG.
fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut checked = kind.to_vec();
    checked.extend(body);
    let mut crc = flate2::Crc::new();
    crc.update(&checked);
    [&(body.len() as u32).to_be_bytes()[..], &checked, &crc.sum().to_be_bytes()].concat()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("it can be written")
}

/// A PNG of this size whose pixels are what `data` inflates to, after other chunks.
fn png_of(width: u32, height: u32, color: u8, before: &[u8], data: &[u8]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, color, 0, 0, 0]].concat();
    [
        b"\x89PNG\r\n\x1a\n",
        &chunk(b"IHDR", &header)[..],
        before,
        &chunk(b"IDAT", data),
        &chunk(b"IEND", b""),
    ]
    .concat()
}

#[test]
fn garbage() {
    for bytes in [&b""[..], b"x", b"GIF", b"<svg/>", b"%PDF-1.7", &[0; 1000], b"\0\0\0\x20ftypheic"]
    {
        check(bytes, Error::Unsupported);
    }
    for begin in [&b"\xff\xd8\xff"[..], b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"RIFF\0\0\0\0WEBP"]
    {
        for rest in [&b""[..], &[0; 100], &[0xff; 100], b"all but a picture"] {
            // Some of it reads as a width and a height.
            let made = make(&[begin, rest].concat(), Kind::Message, &|| false);
            assert!(matches!(made, Err(Error::Broken | Error::Dimensions)), "{begin:?} {rest:?}");
        }
    }
}

#[test]
fn too_long() {
    let mut bytes = png(10, 10);
    bytes.resize(IMAGE_LEN_MAX + 1, 0);
    check(&bytes, Error::TooLong);
    bytes.truncate(IMAGE_LEN_MAX);
    assert!(make(&bytes, Kind::Message, &|| false).is_ok());
}

/// Cut anywhere, a picture is none, and nothing that follows the cut makes it one. What follows a whole one does no harm.
#[test]
fn cut() {
    let picture = corners(70, 50);
    let mut progressive = Vec::new();
    let mut encoder = Encoder::new(&mut progressive, 90);
    encoder.set_progressive(true);
    encoder.encode(&picture, 70, 50, ColorType::Rgb).expect("it can be written");
    let formats = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp];
    let written = formats.map(|format| written(&picture, format));
    for bytes in written.iter().chain([&progressive]) {
        for end in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
            let made = make(&bytes[..end], Kind::Message, &|| false);
            assert!(made.is_err(), "{end} of {}", bytes.len());
        }
        let longer = [bytes, &[0; 100][..]].concat();
        assert!(make(&longer, Kind::Message, &|| false).is_ok());
    }
    let zeros = [&progressive[..progressive.len() / 2], &[0; 1000]].concat();
    check(&zeros, Error::Broken);
}

/// Found by fuzzing: four gigabytes were made room for.
#[test]
fn announced_lengths_of_chunks() {
    let whole = written(&corners(70, 50), ImageFormat::WebP);
    for len in [1, 1_000, u32::MAX - 8, u32::MAX] {
        let mut bytes = [&whole[..], b"EXIF", &len.to_le_bytes()].concat();
        let riff = u32::try_from(bytes.len()).expect("it is short");
        bytes[4..8].copy_from_slice(&riff.to_le_bytes());
        check(&bytes, Error::Broken);
    }
}

#[test]
fn announced_sizes() {
    for (width, height) in [(30_000, 30_000), (9_000, 9_000), (u32::MAX, u32::MAX), (5_000, 5_001)]
    {
        let data = deflated(&[0; 1000]);
        let made = make(&png_of(width, height, 2, &[], &data), Kind::Message, &|| false);
        // Sizes beyond 31 bits are no PNG at all.
        let broken = width == u32::MAX && made == Err(Error::Broken);
        assert!(broken || made == Err(Error::Dimensions), "{width}x{height}: {made:?}");
    }
    check(&png_of(0, 5, 2, &[], &[]), Error::Broken);
    // The first screen of a GIF, and a frame far larger than a small screen.
    let gif = |screen: [u8; 4], frame: [u8; 4]| {
        let frame = [
            &[0x2c, 0, 0, 0, 0][..],
            &frame,
            &[0x80, 0, 0, 0, 255, 255, 255, 2, 2, 0x44, 1, 0, 0x3b],
        ]
        .concat();
        [b"GIF89a", &screen[..], &[0, 0, 0], &frame].concat()
    };
    check(&gif([0xff; 4], [1, 0, 1, 0]), Error::Dimensions);
    let made = make(&gif([10, 0, 10, 0], [0xff; 4]), Kind::Message, &|| false);
    assert!(made.is_err() || made.is_ok_and(|made| made.width == 10));
    // A BMP and a frame of a JPEG that are as wide as they can be.
    let mut bmp = written(&corners(10, 10), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&60_000_u32.to_le_bytes());
    check(&bmp, Error::Dimensions);
    let mut jpeg = written(&corners(16, 16), ImageFormat::Jpeg);
    let frame = segments(&jpeg).find(|it| segments::is_frame(it.marker)).expect("a frame");
    jpeg[frame.body.start + 1..frame.body.start + 5].fill(0xff);
    check(&jpeg, Error::Dimensions);
}

/// What inflates to far more than the picture needs, as pixels and as text.
#[test]
fn deflate_bombs() {
    let much = deflated(&vec![0; 300 * 1024 * 1024]);
    assert!(much.len() < 400 * 1024);
    // The pixels that fit are the picture; the rest is not inflated.
    let made = make(&png_of(50, 50, 2, &[], &much), Kind::Message, &|| false);
    assert!(made.is_err() || made.is_ok_and(|made| made.width == 50));
    for kind in [b"zTXt", b"iCCP"] {
        let before = chunk(kind, &[b"name\0\0", &much[..]].concat());
        let data = deflated(&vec![0; (3 * 50 + 1) * 50]);
        let made = make(&png_of(50, 50, 2, &before, &data), Kind::Message, &|| false);
        assert!(made.is_err() || made.is_ok_and(|made| made.width == 50));
    }
}

/// A progressive JPEG with one scan again and again, each of which would go over all pixels.
#[test]
fn many_scans() {
    let picture = RgbImage::new(64, 64);
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 50);
    encoder.set_progressive(true);
    encoder.encode(&picture, 64, 64, ColorType::Rgb).expect("it can be written");
    let own_count = segments(&file).filter(|it| it.marker == SOS).count();
    let last = segments(&file).filter(|it| it.marker == SOS).last().expect("a scan");
    let scan = file[last.body.start - 4..last.end].to_vec();
    let most = IMAGE_SCAN_COUNT_MAX - own_count;
    for (count, fine) in [(0, true), (most, true), (most + 1, false), (100_000, false)] {
        let bytes = [&file[..last.end], &scan.repeat(count), &[0xff, 0xd9]].concat();
        let made = make(&bytes, Kind::Message, &|| false);
        assert_eq!(made.is_ok(), fine, "{count}");
    }
}

/// What a header may announce, and just not any more: width and height together, and the one by the other.
#[test]
fn just_too_large() {
    let half = IMAGE_SIDES_MAX / 2;
    for (width, height, fits) in [
        (half, half, true),
        (half + 1, half, false),
        (20, 20 * IMAGE_RATIO_MAX, true),
        (20, 20 * IMAGE_RATIO_MAX + 1, false),
        (20 * IMAGE_RATIO_MAX + 1, 20, false),
    ] {
        // Without pixels: what fits is found broken later.
        let made = make(&png_of(width, height, 2, &[], &[]), Kind::Message, &|| false);
        let expected = if fits { Error::Broken } else { Error::Dimensions };
        assert_eq!(made.map(|made| made.sizes), Err(expected), "{width}x{height}");
    }
}

/// A JPEG with a fourth component needs more memory than one of the same size with three.
#[test]
fn too_much_memory() {
    let side = (IMAGE_SIDES_MAX / 2) as u16;
    let memory_len = |components: u8| u64::from(side).pow(2) * (3 + 2 * u64::from(components));
    assert!(memory_len(3) <= IMAGE_ALLOC_MAX && memory_len(4) > IMAGE_ALLOC_MAX);
    let mut jpeg = written(&corners(16, 16), ImageFormat::Jpeg);
    let frame = segments(&jpeg).find(|it| segments::is_frame(it.marker)).expect("a frame");
    let sides = [side.to_be_bytes(), side.to_be_bytes()].concat();
    jpeg[frame.body.start + 1..frame.body.start + 5].copy_from_slice(&sides);
    assert!(decode::open(&jpeg).is_ok());
    jpeg[frame.body.start + 5] = 4;
    check(&jpeg, Error::Dimensions);
}

/// All pixels that are allowed.
#[test]
fn the_largest() {
    let file = png_of(5000, 5000, 2, &[], &deflated(&vec![0; (5000 * 3 + 1) * 5000]));
    let made = make(&file, Kind::Thumb, &|| false).expect("a picture");
    assert_eq!((made.width, made.height), (5000, 5000));
}
