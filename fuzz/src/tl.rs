//! Bodies of `tl_decode` and `tl_parse`: no bytes panic the codecs, and what was read is written so that it reads the same; no
//! text panics the compiler.
//!
//! ```text
//! tl_decode   | what (1) | id (4) | fields |      `what`: see `KINDS`; an id that there is not chooses one that there is
//! tl_parse    | text |
//! ```

use codegen::model::{Model, Source, Strings};
use codegen::{emit, parse};
use tl::{DecodeError, Layer};

/// Longer texts only make each run slower.
const TEXT_LEN_MAX: usize = 4096;

/// How the values of a kind are read and written again, and which there are.
struct Kind {
    ids: &'static [u32],
    recode: fn(&[u8], Layer) -> Result<Vec<u8>, DecodeError>,
}

const KINDS: &[Kind] = &[
    Kind { ids: tl::api::any::REQUESTS, recode: tl::api::any::request },
    Kind { ids: tl::api::any::VALUES, recode: tl::api::any::value },
    Kind { ids: tl::mtproto::any::REQUESTS, recode: tl::mtproto::any::request },
    Kind { ids: tl::mtproto::any::VALUES, recode: tl::mtproto::any::value },
    Kind { ids: tl::operations::any::REQUESTS, recode: tl::operations::any::request },
    Kind { ids: tl::operations::any::VALUES, recode: tl::operations::any::value },
    Kind { ids: tl::records::any::VALUES, recode: tl::records::any::value },
];

/// Any bytes as the fields of anything.
pub fn decode(data: &[u8]) {
    let Some((&[what, a, b, c, d], fields)) = data.split_first_chunk::<5>() else { return };
    let kind = &KINDS[usize::from(what) % KINDS.len()];
    let mut id = u32::from_le_bytes([a, b, c, d]);
    if !kind.ids.contains(&id) {
        id = kind.ids[id as usize % kind.ids.len()];
    }
    let bytes = [&id.to_le_bytes()[..], fields].concat();
    let Ok(value) = (kind.recode)(&bytes, Layer::NEWEST) else { return };
    let again = (kind.recode)(&value, Layer::NEWEST);
    assert_eq!(again.as_ref(), Ok(&value));
    for layer in [152, 158, 198, 227, 228, 229] {
        assert!((kind.recode)(&value, Layer(layer)).is_ok());
    }
}

/// Any text as a schema, down to Rust.
pub fn parse(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    if text.len() > TEXT_LEN_MAX {
        return;
    }
    let Ok(definitions) = parse::parse_unchecked("fuzz.tl", text) else { return };
    for definition in &definitions {
        assert!(definition.fields.len() < text.len());
        parse::check_id(definition).ok();
    }
    for (strings, directed) in [(Strings::Borrowed, true), (Strings::Owned, false)] {
        let source = Source { module: "crate::fuzz", strings, directed, imports: Vec::new() };
        Model::new(&source, definitions.clone()).and_then(|model| emit::module(&model)).ok();
    }
}
