//! Body of `image`: of any bytes comes an error or a picture whose sizes are what they say, within bounds; or the head of a
//! video.
//!
//! ```text
//! | anything |      as a photo in a message, a profile photo and a preview, and as a video
//! ```

use pictures::limits::{
    IMAGE_RATIO_MAX, IMAGE_SIDES_MAX, VIDEO_DURATION_S_MAX, VIDEO_SIDE_MAX, VIDEO_SIDE_MIN,
};
use pictures::{Error, Kind, make};

/// Longest preview without header, in bytes: 40x40 pixels of noise.
const STRIPPED_LEN_MAX: usize = 2048;

/// Any bytes as a picture.
pub fn picture(data: &[u8]) {
    if let Some(head) = pictures::video::head(data) {
        let sides = VIDEO_SIDE_MIN..=VIDEO_SIDE_MAX;
        assert!(sides.contains(&head.side.unsigned_abs()), "{head:?}");
        assert!((0.0..=VIDEO_DURATION_S_MAX).contains(&head.duration_s), "{head:?}");
    }
    let kinds = [(Kind::Message, 2560, 5), (Kind::Profile, 640, 3), (Kind::Thumb, 320, 1)];
    for (kind, side_max, count_max) in kinds {
        let made = match make(data, kind, &|| false) {
            Ok(made) => made,
            // What is too small to be cropped may do for something else; all others are about the bytes.
            Err(Error::TooSmall) => continue,
            Err(_) => return,
        };
        let (short, long) = (made.width.min(made.height), made.width.max(made.height));
        assert!(short > 0 && short + long <= IMAGE_SIDES_MAX && long <= short * IMAGE_RATIO_MAX);
        assert!((1..=count_max).contains(&made.sizes.len()));
        let mut end = 0;
        for size in &made.sizes {
            assert!(
                size.width > 0
                    && size.width <= side_max
                    && size.height > 0
                    && size.height <= side_max
            );
            assert!(size.offset == end && size.len > 0, "{size:?}");
            let file = &made.bytes[size.offset as usize..(size.offset + size.len) as usize];
            assert!(file.starts_with(&[0xff, 0xd8]) && file.ends_with(&[0xff, 0xd9]), "{size:?}");
            if let Some(scans) = &size.scans {
                assert!(scans.len() <= 5 && scans.is_sorted() && scans.last() == Some(&size.len));
            }
            end += size.len;
        }
        assert_eq!(end as usize, made.bytes.len());
        let stripped = made.stripped.expect("every picture has a preview");
        assert!(stripped.len() > 3 && stripped.len() <= STRIPPED_LEN_MAX, "{}", stripped.len());
        assert!(
            stripped[0] == 1 && (1..=40).contains(&stripped[1]) && (1..=40).contains(&stripped[2])
        );
    }
}
