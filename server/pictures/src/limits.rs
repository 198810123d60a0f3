//! Every bound on pictures, with its unit.

/// How many bytes a picture may have before it is decoded.
pub const IMAGE_LEN_MAX: usize = 10 * 1024 * 1024;
/// How many pixels width and height of a picture may have together, which makes 25 million in all.
pub const IMAGE_SIDES_MAX: u32 = 10_000;
/// How many times as long as wide a picture may be, or the other way round.
pub const IMAGE_RATIO_MAX: u32 = 20;
/// How many bytes decoding one picture may take.
pub const IMAGE_ALLOC_MAX: u64 = 256 * 1024 * 1024;
/// How many bytes a colour profile may have to be regarded; those of a matrix and curves have a few thousand at most.
pub const ICC_LEN_MAX: usize = 256 * 1024;
/// How many values a curve of a colour profile may have.
pub const ICC_CURVE_COUNT_MAX: usize = 4096;
/// How many scans a JPEG may have; cameras and programs write at most about twelve.
pub const IMAGE_SCAN_COUNT_MAX: usize = 64;
/// How many bytes a video may have that is a photo of a profile; this and the next three are what clients go by.
pub const VIDEO_LEN_MAX: usize = 2 * 1024 * 1024;
/// How many pixels it has at least in width and height.
pub const VIDEO_SIDE_MIN: u32 = 160;
/// How many it may have.
pub const VIDEO_SIDE_MAX: u32 = 1280;
/// How long it may play, in seconds.
pub const VIDEO_DURATION_S_MAX: f64 = 10.0;
