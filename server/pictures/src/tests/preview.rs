//! The preview, as clients put it together.

use sha2::{Digest, Sha256};

use super::*;
use crate::segments::{DHT, DQT, segments};

/// Bytes before the data: what clients have built in.
const HEADER_LEN: usize = 623;
/// SHA-256 of these, with a height and width of zero.
const HEADER_SHA256: &str = "c2d6c960e35c3d94de4a0d85a39e0d9def693ee107fa374354960f2df47d82d4";
/// Where height and width are in them.
const HEIGHT_AT: usize = 164;
const WIDTH_AT: usize = 166;

/// The header of clients, with the tables that our encoder writes:
///
/// ```text
/// SOI | JFIF 1.1 without units | luma, chroma quantization | frame: 3 components, the first 2x2 | Huffman tables | scan
/// ```
fn header() -> Vec<u8> {
    let own = encode::stripped_jpeg(&corners(40, 40)).expect("a JPEG");
    let tables = |marker| {
        let found = segments(&own).filter(move |segment| segment.marker == marker);
        found
            .flat_map(|segment| own[segment.body.start - 4..segment.end].to_vec())
            .collect::<Vec<_>>()
    };
    let jfif = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0".to_vec();
    let frame = vec![0xff, 0xc0, 0, 17, 8, 0, 0, 0, 0, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];
    let scan = vec![0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0];
    [jfif, tables(DQT), frame, tables(DHT), scan].concat()
}

#[test]
fn tables_are_those_of_clients() {
    let header = header();
    assert_eq!(header.len(), HEADER_LEN);
    assert_eq!(hex::encode(Sha256::digest(&header)), HEADER_SHA256);
}

#[test]
fn clients_see_the_picture() {
    for (width, height, preview) in [
        (800, 600, (40, 30)),
        (333, 1000, (13, 40)),
        (40, 40, (40, 40)),
        (7, 3, (7, 3)),
        (1, 1, (1, 1)),
        (2000, 100, (40, 2)),
    ] {
        let made = make_checked(&png(width, height), Kind::Message).expect("a picture");
        let stripped = made.stripped.expect("a preview");
        assert_eq!(stripped[..3], [1, preview.1, preview.0].map(|side| side as u8));
        let mut jpeg = header();
        jpeg[HEIGHT_AT] = stripped[1];
        jpeg[WIDTH_AT] = stripped[2];
        jpeg.extend(&stripped[3..]);
        jpeg.extend([0xff, 0xd9]);
        let seen = image::load_from_memory(&jpeg).expect("a JPEG").into_rgb8();
        let far = distance(&seen, &corners(preview.0, preview.1));
        // Few pixels are as different as those of a whole picture.
        let far_max = if preview.0 * preview.1 < 600 { 30.0 } else { 12.0 };
        assert!(far < far_max, "{width}x{height}: {far}");
    }
}

#[test]
fn previews_are_short() {
    let noise = RgbImage::from_fn(400, 400, |x, y| image::Rgb([(x * 7919 + y * 104_729) as u8; 3]));
    let made = make_checked(&written(&noise, ImageFormat::Png), Kind::Message).expect("a picture");
    let len = made.stripped.map_or(0, |stripped| stripped.len());
    assert!((4..1500).contains(&len), "{len}");
}
