//! A model to Rust text.
//!
//! ```text
//! types     a struct a constructor, an enum a type with several, a struct a function
//! encode    `impl Encode`: for the newest layer, and for older shapes of the same thing
//! decode    `impl Decode`: every id that ever named the thing, into the newest struct
//! any       everything by id, for tests and tools
//! layout    indentation
//! dispatch  id to handler, for requests of clients and for operations of partitions
//! ```

mod any;
mod decode;
pub mod dispatch;
mod encode;
mod layout;
mod types;

use core::fmt::Write as _;
use std::collections::BTreeMap;

use crate::{
    model::Model,
    names,
    parse::{Error, Name},
};

/// The Rust text of a whole module: `types`, `enums`, `functions`, and `superseded` for old shapes that rules read.
///
/// # Errors
///
/// A conversion between shapes that can neither be derived nor is left to a rule.
pub fn module(model: &Model) -> Result<String, Error> {
    let mut types = Tree::default();
    let mut enums = Tree::default();
    let mut functions = Tree::default();
    let mut superseded = String::new();
    for (name, info) in &model.types {
        for constructor in &info.constructors {
            let item = &model.constructors[constructor];
            let alone = info.constructors.len() == 1;
            if alone || !item.is_unit() {
                types.add(constructor, &types::constructor(model, item, info)?);
            } else if !item.old.is_empty() {
                let message = format!("`{constructor}` has no fields now, but has older shapes");
                return Err(item.newest.definition.error(message));
            }
            superseded.push_str(&types::superseded(model, item));
        }
        if info.constructors.len() > 1 {
            enums.add(name, &types::enumeration(model, name, info)?);
        }
    }
    for (name, item) in &model.functions {
        functions.add(name, &types::function(model, item)?);
        superseded.push_str(&types::superseded(model, item));
    }
    let mut text = String::from("// Generated from the schema by `codegen`. Do not edit.\n\n");
    for (name, docs, tree) in [
        ("types", "A struct for each constructor.", types),
        ("enums", "An enum for each type that has several constructors.", enums),
        ("functions", "A struct for each function.", functions),
    ] {
        if !tree.items.is_empty() {
            let _ = write!(text, "/// {docs}\npub mod {name} {{\n{}}}\n\n", tree.text());
        }
    }
    if !superseded.is_empty() {
        let _ = write!(
            text,
            "/// Shapes of older layers that `crate::upgrade` reads.\npub mod superseded {{\n{IMPORTS}{superseded}}}\n\n"
        );
    }
    text.push_str(&any::module(model)?);
    Ok(layout::layout(&text))
}

const IMPORTS: &str = "use crate::{Cursor, Decode, DecodeError, Encode, Layer, Method, Sink};\n\n";

/// Items by namespace.
#[derive(Default)]
struct Tree {
    items: BTreeMap<Option<String>, String>,
}

impl Tree {
    fn add(&mut self, name: &Name, text: &str) {
        let items = self.items.entry(name.namespace.clone()).or_default();
        items.push_str(text);
        items.push('\n');
    }

    fn text(&self) -> String {
        let mut text = String::from(IMPORTS);
        for (namespace, items) in &self.items {
            match namespace {
                None => text.push_str(items),
                Some(namespace) => {
                    let module = names::snake(namespace);
                    let _ = write!(
                        text,
                        "/// The namespace `{namespace}`.\npub mod {module} {{\n{IMPORTS}{items}}}\n\n"
                    );
                }
            }
        }
        text
    }
}

/// The line of a definition as rustdoc, under its own documentation.
fn docs(definition: &crate::parse::Definition) -> String {
    let mut text = String::new();
    for line in &definition.docs {
        let line = line.replace('[', "\\[").replace(']', "\\]").replace('<', "\\<");
        let line = autolinks(&line);
        let _ = writeln!(text, "/// {line}");
    }
    if !definition.docs.is_empty() {
        text.push_str("///\n");
    }
    let _ = write!(text, "/// ```text\n/// {}\n/// ```\n", line(definition));
    text
}

/// Makes addresses links, which rustdoc otherwise complains of.
fn autolinks(line: &str) -> String {
    line.split(' ')
        .map(|word| {
            if !word.starts_with("https://") {
                return word.to_owned();
            }
            let end = word.trim_end_matches(['.', ',', ';', ')']).len();
            let (address, rest) = word.split_at(end);
            format!("<{address}>{rest}")
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// A definition in one line of TL.
fn line(definition: &crate::parse::Definition) -> String {
    let mut text = format!("{}#{:x}", definition.name, definition.id);
    for generic in &definition.generics {
        let _ = write!(text, " {{{generic}:Type}}");
    }
    for field in &definition.fields {
        let _ = write!(text, " {}:", field.name);
        if let Some(condition) = &field.condition {
            let _ = write!(text, "{}.{}?", condition.flags, condition.bit);
        }
        let _ = write!(text, "{}", field.ty);
    }
    let _ = write!(text, " = {};", definition.result);
    text
}
