//! Any packet, plaintext or body.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::mtproto::envelope(data));
