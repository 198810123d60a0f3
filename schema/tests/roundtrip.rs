//! Every constructor and function of every file: what is read is written again, bit for bit, and no bytes panic.
//!
//! The values are made by `dynamic`, which knows the schema's text alone.

mod dynamic;

use codegen::parse::Definition;
use dynamic::{Fill, Palette, Sampler, Schema};
use tl::{Cursor, DecodeError, Layer};

type Recode = fn(&[u8], Layer) -> Result<Vec<u8>, DecodeError>;

/// A module of `tl`: its files, and how it reads and writes again.
struct Module {
    paths: &'static [&'static str],
    request: Recode,
    value: Recode,
}

const MTPROTO: Module = Module {
    paths: &["mtproto.tl"],
    request: tl::mtproto::any::request,
    value: tl::mtproto::any::value,
};
const API: Module =
    Module { paths: &["api"], request: tl::api::any::request, value: tl::api::any::value };
const RECORDS: Module = Module {
    paths: &["records.tl"],
    request: tl::records::any::request,
    value: tl::records::any::value,
};
const OPERATIONS: Module = Module {
    paths: &["records.tl", "operations.tl"],
    request: tl::operations::any::request,
    value: tl::operations::any::value,
};

/// Containers hold raw bodies, whose lengths only `mtproto` knows: it reads them itself.
const RAW: &[&str] = &["msg_container"];

/// Calls `each` with a few values of each constructor and function.
fn samples(module: &Module, each: impl Fn(&Definition, Recode, &[u8])) {
    let schema = Schema::ours(module.paths);
    let palette = Palette::new(&schema, |_| true);
    let fills = [Fill::Least, Fill::Most].into_iter().chain((1..7).map(Fill::Some));
    for fill in fills {
        for definition in schema.constructors.values() {
            let imported = module.paths.len() > 1 && definition.file.ends_with("records.tl");
            if imported || RAW.contains(&definition.name.to_string().as_str()) {
                continue;
            }
            let bytes = Sampler::new(&palette, fill).boxed(definition);
            each(definition, module.value, &bytes.expect("every type has a constructor"));
        }
        for definition in schema.functions.values() {
            let bytes = Sampler::new(&palette, fill).boxed(definition);
            each(definition, module.request, &bytes.expect("every type has a constructor"));
        }
    }
}

/// What is read is written again; what is cut or changed is an error or another value.
#[track_caller]
fn check(module: &Module) {
    let schema = Schema::ours(module.paths);
    samples(module, |definition, recode, bytes| {
        let mut input = Cursor::new(&bytes[4..]);
        let walked = schema.fields(definition, &mut input);
        assert_eq!(walked.map(|_| input.remaining()), Ok(0), "{}", definition.name);
        let again = recode(bytes, Layer::NEWEST);
        assert_eq!(again.as_deref(), Ok(bytes), "{}: {bytes:02x?}", definition.name);
    });
}

#[track_caller]
fn check_damaged(module: &Module) {
    samples(module, |definition, recode, bytes| {
        // What is larger is made of the same parts.
        if bytes.len() > 600 {
            return;
        }
        let raw = definition.fields.iter().any(|field| {
            field.ty.bang || ["Object", "Message", "X"].contains(&field.ty.name.ident.as_str())
        });
        for len in 0..bytes.len() {
            let cut = recode(&bytes[..len], Layer::NEWEST);
            assert!(cut.is_err() || raw, "{} of {len} bytes: {bytes:02x?}", definition.name);
        }
        let mut damaged = bytes.to_vec();
        for at in 0..bytes.len() {
            for mask in [0x01, 0x80, 0xff] {
                damaged[at] ^= mask;
                if let Ok(value) = recode(&damaged, Layer::NEWEST) {
                    let again = recode(&value, Layer::NEWEST);
                    assert_eq!(again.as_ref(), Ok(&value), "{} at {at}", definition.name);
                }
                damaged[at] ^= mask;
            }
        }
        let mut longer = bytes.to_vec();
        longer.extend([0; 4]);
        assert!(raw || recode(&longer, Layer::NEWEST).is_err(), "{}", definition.name);
    });
}

#[test]
fn mtproto() {
    check(&MTPROTO);
}

#[test]
fn api() {
    check(&API);
}

#[test]
fn records() {
    check(&RECORDS);
}

#[test]
fn operations() {
    check(&OPERATIONS);
}

#[test]
fn damaged_mtproto() {
    check_damaged(&MTPROTO);
}

#[test]
fn damaged_api() {
    check_damaged(&API);
}

#[test]
fn damaged_records() {
    check_damaged(&RECORDS);
}

#[test]
fn damaged_operations() {
    check_damaged(&OPERATIONS);
}
