//! Anything that a client says of what it attaches.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::convert::attributes(data));
