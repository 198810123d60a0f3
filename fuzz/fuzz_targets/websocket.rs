//! Any bytes, in any pieces, where WebSocket frames are expected.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::transport::websocket(data));
