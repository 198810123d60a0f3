//! Any bytes as something that was stored, shown to a client of any layer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::convert::stored(data));
