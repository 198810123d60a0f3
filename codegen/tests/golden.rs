//! TL in, Rust out: each `golden/NAME.tl` must give `golden/NAME.rs`. `UPDATE=1` rewrites the latter.

use std::path::{Path, PathBuf};

use codegen::emit::{self, dispatch};
use codegen::model::{Model, Source, Strings};
use codegen::parse;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn model(name: &str, strings: Strings, directed: bool, imports: Vec<&Model>) -> Model {
    let module = format!("crate::{name}");
    let source = Source { module: &module, strings, directed, imports };
    let definitions = codegen::read(&[path(&format!("{name}.tl"))]).unwrap();
    Model::new(&source, definitions).unwrap_or_else(|error| panic!("{error}"))
}

/// Compares `text` with the file `name`, or writes it.
#[track_caller]
fn compare(name: &str, text: &str) {
    let path = path(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let mut lines = expected.lines().zip(text.lines()).enumerate();
    let different = lines.find(|(_, (expected, line))| expected != line);
    if let Some((at, (expected, line))) = different {
        panic!("{name}:{}\nexpected {expected}\nfound    {line}\n`UPDATE=1` takes it", at + 1);
    }
    assert_eq!(text.len(), expected.len(), "{name}: one is longer; `UPDATE=1` takes it");
}

#[track_caller]
fn check(name: &str, strings: Strings) {
    let model = model(name, strings, false, Vec::new());
    compare(&format!("{name}.rs"), &emit::module(&model).unwrap_or_else(|error| panic!("{error}")));
}

#[test]
fn flags() {
    check("flags", Strings::Borrowed);
}

#[test]
fn vectors() {
    check("vectors", Strings::Borrowed);
}

#[test]
fn enums() {
    check("enums", Strings::Borrowed);
}

#[test]
fn recursion() {
    check("recursion", Strings::Borrowed);
}

#[test]
fn superseded() {
    check("superseded", Strings::Borrowed);
}

#[test]
fn owned() {
    check("owned", Strings::Owned);
}

/// Requests come in and answers go out: the other direction is for clients.
#[test]
fn functions() {
    let model = model("functions", Strings::Borrowed, true, Vec::new());
    compare("functions.rs", &emit::module(&model).unwrap());
}

#[test]
fn imports() {
    let owned = model("owned", Strings::Owned, false, Vec::new());
    let model = model("imports", Strings::Owned, false, vec![&owned]);
    compare("imports.rs", &emit::module(&model).unwrap());
}

#[test]
fn arms() {
    let model = model("functions", Strings::Borrowed, true, Vec::new());
    let template = dispatch::Template {
        functions: "tl::functions",
        arm: "call(ctx, \"{method}\", Access::{access}, Cost::{cost}, {request}::decode, handlers::{handler}),",
    };
    let arms = dispatch::arms(&model, template, |item| item.newest.definition.generics.is_empty());
    compare("arms.rs", &arms.unwrap());
}

/// What cannot be derived fails the build, and says what to write.
#[track_caller]
fn check_error(text: &str, expected: &str) {
    let source = Source {
        module: "crate::api",
        strings: Strings::Borrowed,
        directed: false,
        imports: Vec::new(),
    };
    let text = parse::parse("test.tl", text)
        .and_then(|definitions| Model::new(&source, definitions))
        .and_then(|model| emit::module(&model));
    assert_eq!(text.unwrap_err().to_string(), expected);
}

#[test]
fn conversions_that_need_a_rule() {
    check_error(
        "a x:int = A;\n// @until 9\na y:int x:int = A;",
        "test.tl:3:1: `a`: the field `y` would be lost; write `@drop y` or `@rule`",
    );
    check_error(
        "a x:B = A;\nb = B;\nc = B;\n// @until 9\na = A;",
        "test.tl:5:1: `a`: the newest shape wants `x`, which this one lacks; write `@rule`",
    );
    check_error(
        "a = A;\nb = B;\nc = B;\n// @until 9\n// @drop x\na x:B = A;",
        "test.tl:6:1: `a`: no value for the field `x`; name it in `@rule`",
    );
    check_error(
        "a x:int = A;\n// @until 9\n// @drop x\na x:long = A;",
        "test.tl:4:1: `a`: no value for the field `x`; name it in `@rule`",
    );
}

#[test]
fn names_that_mean_nothing_or_too_much() {
    check_error("a x:B = A;", "test.tl:1:1: `a`: no constructor makes a `B`");
    check_error("a x:int = A;\na y:int = A;", "test.tl:2:1: `a` is defined twice");
    check_error("// @until 9\na x:int = A;", "test.tl:2:1: `a` is superseded by nothing");
    check_error(
        "// @until soon\na x:int = A;\na y:int = A;",
        "test.tl:2:1: `@until` wants the number of a layer",
    );
    check_error(
        "a#997275b5 = A;\n",
        "test.tl:1:1: the id of `a` is 997275b5, but the CRC32 of its line is 7aae25b9",
    );
}

#[test]
fn arms_without_annotations() {
    let source = Source {
        module: "crate::api",
        strings: Strings::Borrowed,
        directed: true,
        imports: Vec::new(),
    };
    let definitions = parse::parse("test.tl", "---functions---\nping = Bool;").unwrap();
    let model = Model::new(&source, definitions).unwrap();
    let template = dispatch::Template { functions: "f", arm: "{access}" };
    let error = dispatch::arms(&model, template, |_| true).unwrap_err();
    assert_eq!(error.to_string(), "test.tl:2:1: `ping` lacks `@access`");
}
