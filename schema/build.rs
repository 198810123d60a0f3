//! Runs the TL compiler over the schema files.

use std::path::{Path, PathBuf};

use codegen::{
    emit,
    model::{Model, Source, Strings},
    parse::Error,
};

fn main() {
    println!("cargo::rerun-if-changed=.");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    if let Err(error) = generate(&out) {
        println!("cargo::error={error}");
        std::process::exit(1);
    }
}

fn generate(out: &Path) -> Result<(), Error> {
    let borrowed = |module, directed| Source {
        module,
        strings: Strings::Borrowed,
        directed,
        imports: Vec::new(),
    };
    let mtproto = model(&borrowed("crate::mtproto", false), &["mtproto.tl"])?;
    let api = model(&borrowed("crate::api", true), &["api", "superseded.tl"])?;
    let owned =
        |module, imports| Source { module, strings: Strings::Owned, directed: false, imports };
    let records = model(&owned("crate::records", Vec::new()), &["records.tl"])?;
    let operations = model(&owned("crate::operations", vec![&records]), &["operations.tl"])?;
    for (name, model) in
        [("mtproto", &mtproto), ("api", &api), ("records", &records), ("operations", &operations)]
    {
        let text = emit::module(model)?;
        std::fs::write(out.join(format!("{name}.rs")), text).expect("OUT_DIR can be written");
    }
    Ok(())
}

fn model(source: &Source<'_>, paths: &[&str]) -> Result<Model, Error> {
    let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    Model::new(source, codegen::read(&paths)?)
}
