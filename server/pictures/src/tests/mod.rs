//! Pictures of all kinds, and what only looks like some.

mod bombs;
mod colours;
mod made;
mod preview;
mod sources;

use image::{ImageFormat, RgbImage};

use super::*;

/// A picture without sharp edges whose corners differ: red above left, green above right, blue below left, grey below right.
fn corners(width: u32, height: u32) -> RgbImage {
    let mix = |a: u8, b: u8, part: f32| f32::from(a) * (1.0 - part) + f32::from(b) * part;
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = ((x as f32 + 0.5) / width as f32, (y as f32 + 0.5) / height as f32);
        let channel = |n: usize| {
            let [a, b, c, d] =
                [[220, 30, 30], [30, 200, 30], [30, 30, 220], [120, 120, 120]].map(|it| it[n]);
            (mix(a, b, x) * (1.0 - y) + mix(c, d, x) * y) as u8
        };
        image::Rgb([channel(0), channel(1), channel(2)])
    })
}

/// `picture` as a file.
fn written(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, format).expect("it can be written");
    file.into_inner()
}

/// A picture of `corners` as a PNG.
fn png(width: u32, height: u32) -> Vec<u8> {
    written(&corners(width, height), ImageFormat::Png)
}

/// What is made of `bytes`, and holds for all pictures.
#[track_caller]
fn make_checked(bytes: &[u8], kind: Kind) -> Result<Made, Error> {
    let made = make(bytes, kind, &|| false)?;
    assert_eq!(make(bytes, kind, &|| false).as_ref(), Ok(&made), "the same again");
    let mut end = 0;
    for size in &made.sizes {
        assert_eq!(size.offset, end, "packed: {size:?}");
        end += size.len;
        let file = &made.bytes[size.offset as usize..end as usize];
        let picture = image::load_from_memory_with_format(file, ImageFormat::Jpeg).expect("a JPEG");
        let pixels = (picture.width() as i32, picture.height() as i32);
        assert_eq!(pixels, (size.width, size.height), "{size:?}");
        if let Some(scans) = &size.scans {
            assert!(
                scans.len() <= 5 && scans.is_sorted() && scans.last() == Some(&size.len),
                "{size:?}"
            );
        }
    }
    assert_eq!(end as usize, made.bytes.len());
    assert!(!made.sizes.is_empty() && made.stripped.is_some());
    Ok(made)
}

/// The pixels of one size.
#[track_caller]
fn shown(made: &Made, type_: &str) -> RgbImage {
    let size = made.sizes.iter().find(|size| size.type_ == type_).expect("there is this size");
    let file = &made.bytes[size.offset as usize..(size.offset + size.len) as usize];
    image::load_from_memory(file).expect("a JPEG").into_rgb8()
}

/// How far the pixels of two pictures of one size are from each other, on average.
#[track_caller]
fn distance(one: &RgbImage, other: &RgbImage) -> f64 {
    assert_eq!(one.dimensions(), other.dimensions());
    let far: u64 = one.iter().zip(other.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    far as f64 / one.len() as f64
}
