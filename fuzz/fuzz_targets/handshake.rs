//! Any queries, in any order.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::mtproto::handshake(data));
