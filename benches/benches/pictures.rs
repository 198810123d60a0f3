//! What a picture costs, from the bytes that somebody sends to all its sizes and the preview.
//!
//! Sketch: decoding goes over all pixels of the source, some 10 ns each on one core; scaling to the largest size over all of
//! them once more, which is less. From then on only the sizes count: 2560 pixels wide, as a photo of a message, has half as
//! many as the source, and is written as a progressive JPEG with tables of its own, which goes over them several times. So a
//! preview or a profile photo is little more than decoding, and a photo three times as much; a colour profile adds some
//! nanoseconds for each pixel of the largest size.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jpeg_encoder::{ColorType, Encoder};
use moxcms::ColorProfile;
use pictures::{Kind, make};

/// A JPEG such as cameras write: large shapes, and noise everywhere.
fn jpeg(width: u16, height: u16, profile: Option<&ColorProfile>) -> Vec<u8> {
    let mut state = 1_u32;
    let mut pixels = Vec::with_capacity(3 * usize::from(width) * usize::from(height));
    for y in 0..height {
        for x in 0..width {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [_, _, noise, coarse] = state.to_le_bytes();
            let shape = (((x / 200) ^ (y / 200)) % 8).to_le_bytes()[0] * 16;
            pixels.extend([shape / 2 + coarse / 16, shape + noise / 16, 200 - shape / 2]);
        }
    }
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 90);
    if let Some(profile) = profile {
        let profile = profile.encode().expect("a profile");
        encoder.add_icc_profile(&profile).expect("it fits");
    }
    encoder.encode(&pixels, width, height, ColorType::Rgb).expect("it can be written");
    file
}

fn sizes(criterion: &mut Criterion) {
    let p3 = ColorProfile::new_display_p3();
    for (name, width, height, profile) in [
        ("12 megapixels", 4000, 3000, None),
        ("12 megapixels of Display P3", 4000, 3000, Some(&p3)),
        ("1280x960", 1280, 960, None),
    ] {
        let file = jpeg(width, height, profile);
        let mut group = criterion.benchmark_group(format!("pictures/{name}"));
        group.sample_size(10);
        group.throughput(Throughput::Elements(u64::from(width) * u64::from(height)));
        for (name, kind) in [
            ("photo", Kind::Message),
            ("profile photo", Kind::Profile),
            ("decoded and scaled to a preview", Kind::Thumb),
        ] {
            group.bench_function(name, |bencher| {
                bencher.iter(|| make(black_box(&file), kind, &|| false).expect("a picture"));
            });
        }
    }
}

criterion_group!(benches, sizes);
criterion_main!(benches);
