//! Any bytes as a picture that somebody sends.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::image::picture(data));
