//! Anything that may happen to a session, in any order.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::session::session(data));
