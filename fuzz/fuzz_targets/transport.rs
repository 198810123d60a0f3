//! Any bytes, in any pieces, as the first ones of a connection.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::transport::connection(data));
