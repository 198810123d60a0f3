//! Writes the dispatch of operations: from an id to the function that executes it.

use std::path::PathBuf;

use codegen::{
    emit::dispatch::{self, Template},
    model::{Model, Source, Strings},
    parse::Error,
};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../schema/records.tl");
    println!("cargo::rerun-if-changed=../../schema/operations.tl");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    match generate() {
        Ok(text) => std::fs::write(out.join("dispatch.rs"), text).expect("OUT_DIR can be written"),
        Err(error) => {
            println!("cargo::error={error}");
            std::process::exit(1);
        }
    }
}

fn generate() -> Result<String, Error> {
    let records = model("tl::records", Vec::new(), "../../schema/records.tl")?;
    let operations = model("tl::operations", vec![&records], "../../schema/operations.tl")?;
    let arms = |arm, annotation: &'static str| {
        let template = Template { functions: "tl::operations::functions", arm };
        dispatch::arms(&operations, template, |item| {
            item.newest.definition.annotation(annotation).is_some()
        })
    };
    let writes = arms("run::<{request}>(bytes, |op| crate::{handler}(txn, now, op)),", "write")?;
    let reads = arms("run::<{request}>(bytes, |op| crate::{handler}(view, now, op)),", "read")?;
    let write_kinds = arms("Some((Kind::Write, \"{method}\")),", "write")?;
    let read_kinds = arms("Some((Kind::Read, \"{method}\")),", "read")?;
    Ok(format!(
        "// Generated from operations.tl. Do not edit.\n\n\
         pub(super) fn write_by_id(id: u32, txn: &mut Txn<'_, '_>, now: UnixTime, bytes: &[u8]) -> Result<Vec<u8>, Error> {{\n    \
         match id {{\n{writes}        _ => Err(Refusal::Internal.into()),\n    }}\n}}\n\n\
         pub(super) fn read_by_id(id: u32, view: &View<'_>, now: UnixTime, bytes: &[u8]) -> Result<Vec<u8>, Error> {{\n    \
         match id {{\n{reads}        _ => Err(Refusal::Internal.into()),\n    }}\n}}\n\n\
         pub(super) fn describe_id(id: u32) -> Option<(Kind, &'static str)> {{\n    \
         match id {{\n{write_kinds}{read_kinds}        _ => None,\n    }}\n}}\n"
    ))
}

fn model(module: &'static str, imports: Vec<&Model>, path: &str) -> Result<Model, Error> {
    let source = Source { module, strings: Strings::Owned, directed: false, imports };
    Model::new(&source, codegen::read(&[PathBuf::from(path)])?)
}
