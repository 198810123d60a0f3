//! Which sizes are made.

use super::*;

#[track_caller]
fn check(kind: Kind, source: (u32, u32), expected: &[(&str, i32, i32)]) {
    let made = make_checked(&png(source.0, source.1), kind).expect("a picture");
    let sizes: Vec<_> = made.sizes.iter().map(|it| (&*it.type_, it.width, it.height)).collect();
    assert_eq!(sizes, expected);
    assert_eq!((made.width, made.height), source);
    // The largest alone is progressive: some clients take the first that is for the largest.
    let (largest, smaller) = made.sizes.split_last().expect("a size");
    let is_large = ["x", "y", "w", "c"].contains(&&*largest.type_);
    assert_eq!(largest.scans.is_some(), is_large, "{largest:?}");
    assert!(smaller.iter().all(|size| size.scans.is_none()), "{smaller:?}");
    let whole = shown(&made, expected.last().expect("a size").0);
    if whole.dimensions() == source {
        let far = distance(&whole, &corners(source.0, source.1));
        assert!(far < 4.0, "{far}");
    }
}

#[test]
fn of_messages() {
    check(Kind::Message, (1, 1), &[("s", 1, 1)]);
    check(Kind::Message, (1, 20), &[("s", 1, 20)]);
    check(Kind::Message, (100, 99), &[("s", 100, 99)]);
    check(Kind::Message, (101, 6), &[("s", 100, 6), ("m", 101, 6)]);
    check(Kind::Message, (320, 200), &[("s", 100, 63), ("m", 320, 200)]);
    check(Kind::Message, (641, 361), &[("s", 100, 56), ("m", 320, 180), ("x", 641, 361)]);
    check(
        Kind::Message,
        (1280, 720),
        &[("s", 100, 56), ("m", 320, 180), ("x", 800, 450), ("y", 1280, 720)],
    );
    check(
        Kind::Message,
        (1000, 1281),
        &[("s", 78, 100), ("m", 250, 320), ("x", 625, 800), ("y", 999, 1280), ("w", 1000, 1281)],
    );
}

#[test]
fn of_panoramas() {
    check(
        Kind::Message,
        (4000, 200),
        &[("s", 100, 5), ("m", 320, 16), ("x", 800, 40), ("y", 1280, 64), ("w", 2560, 128)],
    );
}

#[test]
fn of_profiles() {
    check(Kind::Profile, (160, 160), &[("a", 160, 160), ("b", 320, 320), ("c", 640, 640)]);
    check(Kind::Profile, (700, 300), &[("a", 160, 160), ("b", 320, 320), ("c", 640, 640)]);
    for small in [(1, 1), (159, 200), (900, 159)] {
        assert_eq!(make_checked(&png(small.0, small.1), Kind::Profile), Err(Error::TooSmall));
    }
}

/// Of something with three fields side by side, the one in the middle, standing or lying.
#[test]
fn profiles_show_the_middle() {
    for sideways in [false, true] {
        let fields = |n: u32| {
            image::Rgb(if (200..400).contains(&n) { [20, 200, 20] } else { [200, 20, 20] })
        };
        let picture = if sideways {
            RgbImage::from_fn(200, 600, |_, y| fields(y))
        } else {
            RgbImage::from_fn(600, 200, |x, _| fields(x))
        };
        let made =
            make_checked(&written(&picture, ImageFormat::Png), Kind::Profile).expect("a picture");
        let middle = RgbImage::from_pixel(640, 640, image::Rgb([20, 200, 20]));
        let far = distance(&shown(&made, "c"), &middle);
        assert!(far < 4.0, "{far}");
    }
}

#[test]
fn of_thumbs() {
    check(Kind::Thumb, (1, 1), &[("m", 1, 1)]);
    check(Kind::Thumb, (320, 180), &[("m", 320, 180)]);
    check(Kind::Thumb, (90, 320), &[("m", 90, 320)]);
    check(Kind::Thumb, (1000, 500), &[("m", 320, 160)]);
}

#[test]
fn shapes_are_bounded() {
    for (source, expected) in [
        ((1, 21), Err(Error::Dimensions)),
        ((21, 1), Err(Error::Dimensions)),
        ((41, 2), Err(Error::Dimensions)),
        ((40, 2), Ok(())),
        ((9_500, 501), Err(Error::Dimensions)),
        ((9_500, 500), Ok(())),
    ] {
        let picture = RgbImage::new(source.0, source.1);
        let made = make(&written(&picture, ImageFormat::Png), Kind::Thumb, &|| false);
        assert_eq!(made.map(|_| ()), expected, "{source:?}");
    }
}

/// What a progressive picture shows comes closer with each part.
#[test]
fn parts_show_more_and_more() {
    let mut source = corners(900, 700);
    // Something fine, which only the later parts have.
    for (x, y, pixel) in source.enumerate_pixels_mut() {
        if (x / 3 + y / 3) % 2 == 0 {
            *pixel = image::Rgb([255, 255, 255]);
        }
    }
    let made = make_checked(&written(&source, ImageFormat::Png), Kind::Message).expect("a picture");
    let size = made.sizes.last().expect("a size");
    let file = &made.bytes[size.offset as usize..];
    let mut before = f64::MAX;
    for end in size.scans.as_ref().expect("progressive") {
        let part = [&file[..*end as usize], &[0xff, 0xd9]].concat();
        let far = distance(&image::load_from_memory(&part).expect("a JPEG").into_rgb8(), &source);
        assert!(far < before, "{far} after {before}");
        before = far;
    }
    assert_eq!(size.scans.as_ref().map(Vec::len), Some(4));
}

#[test]
fn given_up_work_ends() {
    let asked = std::cell::Cell::new(0);
    let overdue = || {
        asked.set(asked.get() + 1);
        asked.get() > 2
    };
    assert_eq!(make(&png(900, 900), Kind::Message, &overdue), Err(Error::Overdue));
    assert_eq!(asked.get(), 3);
}
