//! `impl Decode`: every id that ever named a thing, into its newest struct.

use core::fmt::Write as _;

use super::{encode::default, types::generics};
use crate::{
    model::{Field, Item, Model, Shape, Strings, Ty, TypeInfo},
    names,
    parse::{Error, Kind, Name},
};

/// Whether a hand-written function turns this old shape into the newest one.
pub(super) fn is_ruled(old: &Shape) -> bool {
    old.definition.annotations.iter().any(|a| a.name == "rule" && a.value.is_empty())
}

/// The name of the struct for an old shape: `SendMessage1cc20387`.
pub(super) fn superseded_ident(old: &Shape) -> String {
    let namespace = old.name().namespace.as_deref().map(names::camel).unwrap_or_default();
    let id = names::camel(&format!("{:08x}", old.definition.id));
    format!("{namespace}{}{id}", names::camel(&old.name().ident))
}

/// The `impl` header for something that decodes: with a lifetime to borrow from, or any.
fn header(ident: &str, borrows: bool) -> String {
    if borrows {
        format!("impl<'a> Decode<'a> for {ident}<'a>")
    } else {
        format!("impl<'a> Decode<'a> for {ident}")
    }
}

/// Reads the fields of a shape in order into variables.
fn read_fields(module: &str, shape: &Shape) -> String {
    let mut text = String::new();
    for field in &shape.fields {
        match (&field.ty, &field.condition) {
            (Ty::Flags, _) => {
                let _ = writeln!(text, "        let {} = input.u32()?;", field.ident);
            }
            (Ty::True, Some(condition)) => {
                let _ = writeln!(
                    text,
                    "        let {} = {} & (1 << {}) != 0;",
                    variable(field),
                    names::snake(&condition.flags),
                    condition.bit
                );
            }
            (ty, Some(condition)) => {
                let _ = writeln!(
                    text,
                    "        let {} = {};",
                    variable(field),
                    read_conditional(module, ty, &names::snake(&condition.flags), condition.bit)
                );
            }
            (ty, None) => {
                let _ = writeln!(text, "        let {} = {};", variable(field), read(module, ty));
            }
        }
    }
    text
}

/// A field's variable: prefixed, so that no field shadows `input`.
fn variable(field: &Field) -> String {
    format!("f_{}", field.ident.trim_end_matches('_'))
}

fn read(module: &str, ty: &Ty) -> String {
    match ty {
        Ty::Bare(_) => format!("{}(input)?", element(module, ty)),
        Ty::Vector { bare, of } => {
            let count = if *bare { "bare_vector_len" } else { "vector_len" };
            if !*bare && !matches!(**of, Ty::Bare(_)) {
                return "Decode::decode(input)?".to_owned();
            }
            format!(
                "{{\n            let count = input.{count}()?;\n            input.elements(count, {})?\n        }}",
                element(module, of)
            )
        }
        _ => "Decode::decode(input)?".to_owned(),
    }
}

fn element(module: &str, ty: &Ty) -> String {
    match ty {
        Ty::Bare(name) => {
            format!("{}::decode_bare", names::path(&format!("{module}::types"), name))
        }
        _ => "Decode::decode".to_owned(),
    }
}

fn read_conditional(module: &str, ty: &Ty, flags: &str, bit: u32) -> String {
    match ty {
        Ty::Bare(_) | Ty::Vector { bare: true, .. } => {
            format!(
                "if {flags} & (1 << {bit}) == 0 {{ None }} else {{ Some({}) }}",
                read(module, ty)
            )
        }
        _ => format!("input.optional({flags}, {bit})?"),
    }
}

/// `decode_bare` of a shape into the struct of the same fields.
pub(super) fn bare(module: &str, shape: &Shape, ident: &str) -> String {
    let generics = generics(shape);
    let mut text = format!(
        "#[allow(unused_variables, clippy::allow_attributes)]\nimpl{generics} {ident}{generics} {{\n    /// Reads the fields, without the constructor id.\n    ///\n    /// # Errors\n    ///\n    \
         /// See [`DecodeError`].\n    pub fn decode_bare(input: &mut Cursor<{lifetime}>) -> Result<Self, DecodeError> {{\n{}        Ok(Self {{\n",
        read_fields(module, shape),
        lifetime = if shape.borrows { "'a" } else { "'_" },
    );
    for field in shape.stored() {
        let _ = writeln!(text, "            {}: {},", field.ident, variable(field));
    }
    text.push_str("        })\n    }\n}\n\n");
    text
}

pub(super) fn constructor(
    model: &Model,
    item: &Item,
    ident: &str,
    recursive: bool,
) -> Result<String, Error> {
    let shape = &item.newest;
    let mut text = bare(&model.module, shape, ident);
    let mut arms = format!("            Self::ID => {},\n", nested("Self::decode_bare", recursive));
    let mut methods = String::new();
    for old in &item.old {
        let id = old.shape.definition.id;
        // Shapes that only answers have need no decoder.
        if !is_read(model, item) || is_answer_only(&old.shape) {
            continue;
        }
        if is_ruled(&old.shape) {
            let _ = writeln!(
                arms,
                "            0x{id:08x} => Ok(crate::upgrade::{}_{id:08x}({module}::superseded::{}::decode_bare(input)?)),",
                names::snake_path(item.name()),
                superseded_ident(&old.shape),
                module = model.module,
            );
            continue;
        }
        let _ = writeln!(
            arms,
            "            0x{id:08x} => {},",
            nested(&format!("Self::decode_{id:08x}"), recursive)
        );
        methods.push_str(&from_old(model, item, &old.shape)?);
    }
    if !methods.is_empty() {
        let generics = generics(shape);
        text.push_str(super::types::gate(is_incoming(model, item)));
        let _ = write!(
            text,
            "#[allow(unused_variables, clippy::allow_attributes)]\nimpl{generics} {ident}{generics} {{\n{methods}}}\n\n"
        );
    }
    text.push_str(super::types::gate(is_incoming(model, item)));
    let _ = write!(
        text,
        "{} {{\n    fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {{\n        let position = input.position();\n        \
         match input.u32()? {{\n{arms}            id => Err(DecodeError::Unexpected {{ id, position }}),\n        }}\n    }}\n}}\n\n",
        header(ident, shape.borrows)
    );
    Ok(text)
}

fn nested(function: &str, recursive: bool) -> String {
    if recursive { format!("input.nested({function})") } else { format!("{function}(input)") }
}

fn is_incoming(model: &Model, item: &Item) -> bool {
    match item.newest.definition.kind {
        Kind::Function => true,
        Kind::Constructor => {
            model.types.get(&item.newest.definition.result.name).is_none_or(|info| info.incoming)
        }
    }
}

/// Whether old shapes of `item` are ever read.
fn is_read(model: &Model, item: &Item) -> bool {
    is_incoming(model, item)
}

/// Whether an old shape has rules for writing but none for reading.
fn is_answer_only(old: &Shape) -> bool {
    old.definition.annotation("output").is_some()
}

/// A function that reads an old shape into the newest struct.
fn from_old(model: &Model, item: &Item, old: &Shape) -> Result<String, Error> {
    let strings = match item.newest.definition.kind {
        Kind::Function => Strings::Borrowed,
        Kind::Constructor => model.strings,
    };
    let mut text = format!(
        "    fn decode_{:08x}(input: &mut Cursor<{}>) -> Result<Self, DecodeError> {{\n{}",
        old.definition.id,
        if item.newest.borrows { "'a" } else { "'_" },
        read_fields_typed(model, item, old, strings),
    );
    for field in old.stored() {
        let used = item.newest.stored().any(|new| new.name == field.name && new.ty == field.ty);
        let explained = old.definition.annotates("drop", &field.name);
        if !used && !explained && field.ty != Ty::True {
            return Err(old.definition.error(format!(
                "`{}`: the field `{}` would be lost; write `@drop {}` or `@rule`",
                old.name(),
                field.name,
                field.name
            )));
        }
    }
    text.push_str("        Ok(Self {\n");
    for new in item.newest.stored() {
        let same = old.stored().find(|field| field.name == new.name && field.ty == new.ty);
        let value = match same {
            Some(field) => match (field.is_option(), new.is_option()) {
                (false, true) => format!("Some({})", variable(field)),
                (true, false) => {
                    let Some(default) = default_owned(&new.ty, strings) else {
                        return Err(lacks(old, new));
                    };
                    format!("{}.unwrap_or({default})", variable(field))
                }
                _ => variable(field),
            },
            None if new.is_option() => "None".to_owned(),
            None => default_owned(&new.ty, strings).ok_or_else(|| lacks(old, new))?.to_owned(),
        };
        let _ = writeln!(text, "            {}: {value},", new.ident);
    }
    text.push_str("        })\n    }\n\n");
    Ok(text)
}

fn lacks(old: &Shape, new: &Field) -> Error {
    old.definition.error(format!(
        "`{}`: the newest shape wants `{}`, which this one lacks; write `@rule`",
        old.name(),
        new.name
    ))
}

fn default_owned(ty: &Ty, strings: Strings) -> Option<&'static str> {
    Some(match (ty, strings) {
        (Ty::String, Strings::Owned) => "String::new()",
        (Ty::Bytes, Strings::Owned) | (Ty::Vector { .. }, _) => "Vec::new()",
        (Ty::Bytes, Strings::Borrowed) => "&[]",
        (ty, _) => default(ty)?,
    })
}

/// As [`read_fields`], with the types of fields that nobody uses spelled out.
fn read_fields_typed(model: &Model, item: &Item, old: &Shape, strings: Strings) -> String {
    let mut text = read_fields(&model.module, old);
    for field in old.stored() {
        let used = item.newest.stored().any(|new| new.name == field.name && new.ty == field.ty);
        if !used && field.ty != Ty::True {
            let from = format!("        let {} = ", variable(field));
            let to = format!(
                "        let _{}: {} = ",
                variable(field),
                model.field_type(field, strings, "'_")
            );
            text = text.replacen(&from, &to, 1);
        }
    }
    text
}

pub(super) fn enumeration(model: &Model, name: &Name, info: &TypeInfo) -> String {
    let ident = names::camel(&name.ident);
    let mut arms = String::new();
    for constructor in &info.constructors {
        let item = &model.constructors[constructor];
        let variant = names::camel(&constructor.ident);
        if item.is_unit() {
            let _ = writeln!(
                arms,
                "            0x{:08x} => input.u32().map(|_| Self::{variant}),",
                item.newest.definition.id
            );
            continue;
        }
        let read_old = is_read(model, item);
        let ids: Vec<String> = core::iter::once(item.newest.definition.id)
            .chain(
                item.old
                    .iter()
                    .filter(|old| read_old && !is_answer_only(&old.shape))
                    .map(|old| old.shape.definition.id),
            )
            .map(|id| format!("0x{id:08x}"))
            .collect();
        let _ = writeln!(
            arms,
            "            {} => Decode::decode(input).map(Self::{variant}),",
            ids.join(" | ")
        );
    }
    format!(
        "{} {{\n    fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {{\n        match input.peek_id()? {{\n{arms}            \
         id => Err(DecodeError::Unexpected {{ id, position: input.position() }}),\n        }}\n    }}\n}}\n\n",
        header(&ident, info.borrows)
    )
}
