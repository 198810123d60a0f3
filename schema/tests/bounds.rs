//! What is announced and not there, and what never ends: an error, before memory or stack are taken for it.

use tl::{DEPTH_MAX, Decode as _, DecodeError, Encode as _, Layer, Sink as _, api::enums};

/// `depth` arrays of JSON inside one another.
fn nested(depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 1..depth {
        bytes.u32(0xf744_4763);
        bytes.vector(1);
    }
    bytes.u32(0xf744_4763);
    bytes.vector(0);
    bytes
}

/// `invokeAfterMsgs`, which begins with a `Vector<long>`; its query is what is left.
fn announced(count: u32, present: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.u32(0x3dc4_b4f0);
    bytes.u32(tl::VECTOR_ID);
    bytes.u32(count);
    bytes.put(present);
    bytes
}

#[test]
fn depth() {
    for depth in [1, 2, usize::from(DEPTH_MAX)] {
        let bytes = nested(depth);
        let value = enums::JSONValue::from_bytes(&bytes).unwrap();
        assert_eq!(value.to_vec(Layer::NEWEST), bytes, "{depth}");
    }
    for depth in [usize::from(DEPTH_MAX) + 1, 1_000, 1_000_000] {
        let position = usize::from(DEPTH_MAX) * 12 + 4;
        let error = enums::JSONValue::from_bytes(&nested(depth)).unwrap_err();
        assert_eq!(error, DecodeError::TooDeep { position }, "{depth}");
    }
}

#[test]
fn counts() {
    type Request<'a> = tl::api::functions::InvokeAfterMsgs<'a>;
    let request = announced(2, &[0; 16]);
    assert_eq!(Request::from_bytes(&request).unwrap().msg_ids, [0, 0]);
    for (count, present) in [(1, 0), (2, 12), (0x7fff_ffff, 16), (u32::MAX, 1 << 20)] {
        let request = announced(count, &vec![0; present]);
        let error = Request::from_bytes(&request).unwrap_err();
        assert!(matches!(error, DecodeError::Truncated { .. }), "{count} in {present}: {error}");
    }
}

#[test]
fn strings() {
    type Request<'a> = tl::api::functions::auth::SendCode<'a>;
    let request = Request::new(&"7".repeat(300), 1, "hash", tl::api::types::CodeSettings::new())
        .to_vec(Layer::NEWEST);
    assert_eq!(Request::from_bytes(&request).unwrap().phone_number.len(), 300);
    // The length is in bytes 5 to 7, the text begins at byte 8.
    let damaged = |at: usize, byte: u8| {
        let mut request = request.clone();
        request[at] = byte;
        Request::from_bytes(&request).map(drop)
    };
    assert_eq!(damaged(7, 0xff), Err(DecodeError::Truncated { position: 8 }));
    assert_eq!(damaged(8, 0xff), Err(DecodeError::NotUtf8 { position: 4 }));
}
