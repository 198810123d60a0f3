//! Structs and enums.

use core::fmt::Write as _;

use super::{decode, docs, encode};
use crate::{
    model::{Item, Model, Shape, Strings, Ty, TypeInfo},
    names,
    parse::{Error, Name},
};

/// `<'a>` if a shape borrows.
pub(super) fn generics(shape: &Shape) -> &'static str {
    if shape.borrows { "<'a>" } else { "" }
}

/// `<'_>` if a shape borrows.
pub(super) fn elided(borrows: bool) -> &'static str {
    if borrows { "<'_>" } else { "" }
}

/// `#[cfg]` for code that only clients need.
pub(super) fn gate(needed: bool) -> &'static str {
    if needed { "" } else { "#[cfg(feature = \"client\")]\n" }
}

/// A constructor: its struct and codecs.
pub(super) fn constructor(model: &Model, item: &Item, info: &TypeInfo) -> Result<String, Error> {
    let mut text = structure(model, item, model.strings);
    let ident = names::camel(&item.name().ident);
    text.push_str(gate(info.outgoing));
    text.push_str(&encode::constructor(model, item, &ident)?);
    text.push_str(gate(info.incoming));
    text.push_str(&decode::constructor(model, item, &ident, info.recursive)?);
    Ok(text)
}

/// A function: its struct, codecs and answer.
pub(super) fn function(model: &Model, item: &Item) -> Result<String, Error> {
    let mut text = structure(model, item, Strings::Borrowed);
    let ident = names::camel(&item.name().ident);
    text.push_str(gate(!model.directed));
    text.push_str(&encode::constructor(model, item, &ident)?);
    text.push_str(&decode::constructor(model, item, &ident, false)?);
    let definition = &item.newest.definition;
    let _ = write!(
        text,
        "impl Method for {ident}{elided} {{\n    const ID: u32 = 0x{id:08x};\n    const NAME: &'static str = \"{name}\";\n    \
         type Answer<'b> = {answer};\n}}\n",
        elided = elided(item.newest.borrows),
        id = definition.id,
        name = definition.name,
        answer = model.answer_type(definition, "'b")?,
    );
    Ok(text)
}

fn structure(model: &Model, item: &Item, strings: Strings) -> String {
    let shape = &item.newest;
    let ident = names::camel(&shape.name().ident);
    let generics = generics(shape);
    let mut text = docs(&shape.definition);
    let _ = write!(text, "#[derive(Clone, Debug, PartialEq)]\npub struct {ident}{generics} {{\n");
    for field in shape.stored() {
        let _ = writeln!(
            text,
            "    /// `{}`\n    pub {}: {},",
            field.name,
            field.ident,
            model.field_type(field, strings, "'a")
        );
    }
    text.push_str("}\n\n");
    let arguments: Vec<String> = shape
        .required()
        .map(|field| format!("{}: {}", field.ident, model.field_type(field, strings, "'a")))
        .collect();
    let _ = write!(
        text,
        "impl{generics} {ident}{generics} {{\n    /// The constructor id.\n    pub const ID: u32 = 0x{:08x};\n\n    \
         /// The value without anything optional.\n    #[must_use]\n    pub fn new({}) -> Self {{\n        Self {{\n",
        shape.definition.id,
        arguments.join(", ")
    );
    for field in shape.stored() {
        let value = match (&field.condition, &field.ty) {
            (None, _) => field.ident.clone(),
            (Some(_), Ty::True) => format!("{}: false", field.ident),
            (Some(_), _) => format!("{}: None", field.ident),
        };
        let _ = writeln!(text, "            {value},");
    }
    text.push_str("        }\n    }\n}\n\n");
    text
}

/// The old shapes of `item` that a rule turns into the newest: their structs and decoders.
pub(super) fn superseded(model: &Model, item: &Item) -> String {
    let strings = match item.newest.definition.kind {
        crate::parse::Kind::Function => Strings::Borrowed,
        crate::parse::Kind::Constructor => model.strings,
    };
    let mut text = String::new();
    for old in item.old.iter().filter(|old| decode::is_ruled(&old.shape)) {
        let shape = &old.shape;
        let ident = decode::superseded_ident(shape);
        let generics = generics(shape);
        text.push_str(&docs(&shape.definition));
        let _ =
            write!(text, "#[derive(Clone, Debug, PartialEq)]\npub struct {ident}{generics} {{\n");
        for field in shape.stored() {
            let _ = writeln!(
                text,
                "    /// `{}`\n    pub {}: {},",
                field.name,
                field.ident,
                model.field_type(field, strings, "'a")
            );
        }
        text.push_str("}\n\n");
        text.push_str(&decode::bare(&model.module, shape, &ident));
    }
    text
}

/// An enum over the constructors of a type.
pub(super) fn enumeration(model: &Model, name: &Name, info: &TypeInfo) -> Result<String, Error> {
    let ident = names::camel(&name.ident);
    let generics = if info.borrows { "<'a>" } else { "" };
    let mut text = format!(
        "/// The type `{name}`.\n#[derive(Clone, Debug, PartialEq)]\npub enum {ident}{generics} {{\n"
    );
    let mut conversions = String::new();
    for constructor in &info.constructors {
        let item = &model.constructors[constructor];
        let variant = names::camel(&constructor.ident);
        text.push_str(&indent(&docs(&item.newest.definition)));
        if item.is_unit() {
            let _ = writeln!(text, "    {variant},");
            continue;
        }
        let path = names::path(&format!("{}::types", model.module), constructor);
        let lifetime = if item.newest.borrows { "<'a>" } else { "" };
        let _ = writeln!(text, "    {variant}({path}{lifetime}),");
        let impl_generics = if info.borrows { "<'a>" } else { "" };
        let _ = write!(
            conversions,
            "impl{impl_generics} From<{path}{lifetime}> for {ident}{generics} {{\n    fn from(value: {path}{lifetime}) -> Self {{\n        \
             Self::{variant}(value)\n    }}\n}}\n\n"
        );
    }
    text.push_str("}\n\n");
    text.push_str(&conversions);
    text.push_str(gate(info.outgoing));
    text.push_str(&encode::enumeration(model, name, info));
    text.push_str(gate(info.incoming));
    text.push_str(&decode::enumeration(model, name, info));
    Ok(text)
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}
