//! Generates the dispatch from a request's id to its handler out of the API's schema.

use std::path::PathBuf;

use codegen::{
    emit::dispatch::{self, Template},
    model::{Model, Source, Strings},
    parse::Error,
};

/// One request: who may ask, what it costs, how it is read, who answers.
const ARM: &str = "{
            let ctx = access::{access}::admit(ctx, access::Cost::{cost})?;
            let request = decode::<{request}>(query)?;
            crate::handlers::{handler}(&ctx, request).await
        }";

fn main() {
    println!("cargo::rerun-if-changed=../schema/api");
    println!("cargo::rerun-if-changed=../schema/superseded.tl");
    match generate() {
        Ok(text) => {
            let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
            std::fs::write(out.join("dispatch.rs"), text).expect("OUT_DIR can be written");
        }
        Err(error) => {
            println!("cargo::error={error}");
            std::process::exit(1);
        }
    }
}

fn generate() -> Result<String, Error> {
    let source = Source {
        module: "tl::api",
        strings: Strings::Borrowed,
        directed: true,
        imports: Vec::new(),
    };
    let paths = ["../schema/api", "../schema/superseded.tl"].map(PathBuf::from);
    let model = Model::new(&source, codegen::read(&paths)?)?;
    // Wrappers, which hold any query, are taken off before the dispatch (`rpc::wrappers`).
    let arms =
        dispatch::arms(&model, Template { functions: "tl::api::functions", arm: ARM }, |item| {
            item.newest.definition.generics.is_empty()
        })?;
    let names = dispatch::arms(
        &model,
        Template { functions: "tl::api::functions", arm: "Some(\"{method}\")," },
        |_| true,
    )?;
    Ok(format!(
        "/// Runs the query whose constructor id is `id`.\n\
         pub(super) async fn dispatch(id: u32, ctx: Ctx, query: &[u8]) -> Result<Reply> {{\n    match id {{\n{arms}        \
         _ => Err(RpcError::method_invalid(id, ctx.layer())),\n    }}\n}}\n\n\
         /// The name of the method with this id.\n\
         pub fn method_name(id: u32) -> Option<&'static str> {{\n    match id {{\n{names}        _ => None,\n    }}\n}}\n"
    ))
}
