//! Any wrappers around a query, in any order, and any bytes as such.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::wrappers::wrappers(data));
