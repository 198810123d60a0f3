//! Any text, as a schema: an error with its place, or Rust.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::tl::parse(data));
