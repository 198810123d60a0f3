//! Any operations, in any order, over ways that lose and repeat.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::operations::operations(data));
