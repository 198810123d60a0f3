//! Any bytes, as the fields of anything that the schema has: an error, or a value that is written so that it reads the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::tl::decode(data));
