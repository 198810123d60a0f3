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

/// The fields of a shape as they are read: statements first, then expressions inside the struct literal.
///
/// The literal evaluates its fields in the order of its lines, which is that of the wire. What stands before a `#`, or before a
/// field that nobody wants, has to be read by a statement.
struct Reader<'m> {
    module: &'m str,
    shape: &'m Shape,
    /// How many fields are read by statements.
    split: usize,
}

impl<'m> Reader<'m> {
    fn new(module: &'m str, shape: &'m Shape, wanted: impl Fn(&Field) -> bool) -> Self {
        let first = |field: &Field| match field.ty {
            Ty::Flags => true,
            Ty::True => false,
            _ => !wanted(field),
        };
        let split = shape.fields.iter().rposition(first).map_or(0, |last| last + 1);
        Self { module, shape, split }
    }

    /// The statements. `type_of` gives the type of a field that nobody wants.
    fn statements(&self, type_of: impl Fn(&Field) -> Option<String>) -> String {
        let mut text = String::new();
        for field in self.shape.fields.iter().take(self.split) {
            match (&field.ty, type_of(field)) {
                (Ty::Flags, _) => {
                    let _ = writeln!(text, "let {} = input.u32()?;", field.ident);
                }
                (Ty::True, _) => {}
                (_, Some(ty)) => {
                    let _ = writeln!(text, "let _: {ty} = {};", self.read(field));
                }
                (_, None) => {
                    let _ = writeln!(text, "let {} = {};", variable(field), self.read(field));
                }
            }
        }
        text
    }

    /// The expression of a field in the struct literal.
    fn value(&self, field: &Field) -> String {
        let at = self.shape.fields.iter().position(|other| other.name == field.name);
        if field.ty != Ty::True && at.is_some_and(|at| at < self.split) {
            return variable(field);
        }
        self.read(field)
    }

    fn read(&self, field: &Field) -> String {
        let Some(condition) = &field.condition else { return read(self.module, &field.ty) };
        let (flags, bit) = (names::snake(&condition.flags), condition.bit);
        match &field.ty {
            Ty::True => format!("{flags} & {} != 0", mask(bit)),
            ty @ (Ty::Bare(_) | Ty::Vector { .. }) if read(self.module, ty) != DECODE => {
                let value = read(self.module, ty);
                format!("if {flags} & {} == 0 {{ None }} else {{ Some({value}) }}", mask(bit))
            }
            _ => format!("input.optional({flags}, {bit})?"),
        }
    }
}

/// The bit as a number.
fn mask(bit: u32) -> String {
    if bit == 0 { "1".to_owned() } else { format!("(1 << {bit})") }
}

/// A field's variable: prefixed, so that no field shadows `input`.
fn variable(field: &Field) -> String {
    format!("f_{}", field.ident.trim_end_matches('_'))
}

/// How a value is read whose codec is that of its Rust type.
const DECODE: &str = "Decode::decode(input)?";

fn read(module: &str, ty: &Ty) -> String {
    match ty {
        Ty::Bare(_) => format!("{}(input)?", element(module, ty)),
        Ty::Vector { bare, of } if *bare || matches!(**of, Ty::Bare(_)) => {
            let count = if *bare { "bare_vector_len" } else { "vector_len" };
            format!(
                "input.{count}().and_then(|count| input.elements(count, {}))?",
                element(module, of)
            )
        }
        _ => DECODE.to_owned(),
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

/// `decode_bare` of a shape into the struct of the same fields.
pub(super) fn bare(module: &str, shape: &Shape, ident: &str) -> String {
    let generics = generics(shape);
    let lifetime = if shape.borrows { "'a" } else { "'_" };
    let reader = Reader::new(module, shape, |_| true);
    let mut text = format!(
        "impl{generics} {ident}{generics} {{\n\
         /// Reads the fields, without the constructor id.\n///\n/// # Errors\n///\n/// See [`DecodeError`].\n\
         pub fn decode_bare(input: &mut Cursor<{lifetime}>) -> Result<Self, DecodeError> {{\n{}Ok(Self {{\n",
        reader.statements(|_| None),
    );
    for field in shape.stored() {
        let _ = writeln!(text, "{}: {},", field.ident, reader.value(field));
    }
    text.push_str("})\n}\n}\n\n");
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
    let mut ids = String::from("Self::ID");
    for id in item.also() {
        let _ = write!(ids, " | 0x{id:08x}");
    }
    let mut arms = format!("            {ids} => {},\n", nested("Self::decode_bare", recursive));
    let mut methods = String::new();
    for old in &item.old {
        let id = old.shape.definition.id;
        // Shapes that only answers have need no decoder.
        if !is_incoming(model, item) {
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
        let _ = write!(text, "impl{generics} {ident}{generics} {{\n{methods}}}\n\n");
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

/// A function that reads an old shape into the newest struct.
fn from_old(model: &Model, item: &Item, old: &Shape) -> Result<String, Error> {
    let strings = match item.newest.definition.kind {
        Kind::Function => Strings::Borrowed,
        Kind::Constructor => model.strings,
    };
    let newest = |field: &Field| {
        item.newest.stored().find(|new| new.name == field.name && new.ty == field.ty)
    };
    for field in old.stored().filter(|field| field.ty != Ty::True && newest(field).is_none()) {
        if !old.definition.annotates("drop", &field.name) {
            return Err(old.definition.error(format!(
                "`{}`: the field `{}` would be lost; write `@drop {}` or `@rule`",
                old.name(),
                field.name,
                field.name
            )));
        }
    }
    let reader = Reader::new(&model.module, old, |field| newest(field).is_some());
    let lifetime = if item.newest.borrows { "'a" } else { "'_" };
    let mut text = format!(
        "fn decode_{:08x}(input: &mut Cursor<{lifetime}>) -> Result<Self, DecodeError> {{\n{}Ok(Self {{\n",
        old.definition.id,
        reader.statements(|field| {
            newest(field).is_none().then(|| model.field_type(field, strings, "'_"))
        }),
    );
    // First what the wire has, in its order, then what it lacks.
    for field in old.stored() {
        let Some(new) = newest(field) else { continue };
        let value = reader.value(field);
        let value = match (field.is_option(), new.is_option()) {
            (false, true) => format!("Some({value})"),
            (true, false) => {
                default_owned(&new.ty, strings).ok_or_else(|| lacks(old, new))?;
                format!("{value}.unwrap_or_default()")
            }
            _ => value,
        };
        let _ = writeln!(text, "{}: {value},", new.ident);
    }
    for new in item.newest.stored() {
        if old.stored().any(|field| field.name == new.name && field.ty == new.ty) {
            continue;
        }
        let value = if new.is_option() {
            "None"
        } else {
            default_owned(&new.ty, strings).ok_or_else(|| lacks(old, new))?
        };
        let _ = writeln!(text, "{}: {value},", new.ident);
    }
    text.push_str("})\n}\n\n");
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

pub(super) fn enumeration(model: &Model, name: &Name, info: &TypeInfo) -> String {
    let ident = names::camel(&name.ident);
    let mut arms = String::new();
    for constructor in &info.constructors {
        let item = &model.constructors[constructor];
        let variant = names::camel(&constructor.ident);
        if item.is_unit() {
            let ids: Vec<String> = core::iter::once(item.newest.definition.id)
                .chain(item.also())
                .map(|id| format!("0x{id:08x}"))
                .collect();
            let _ = writeln!(
                arms,
                "            {} => input.u32().map(|_| Self::{variant}),",
                ids.join(" | ")
            );
            continue;
        }
        let count = if is_incoming(model, item) { usize::MAX } else { 1 };
        let ids: Vec<String> =
            item.ids().take(count).chain(item.also()).map(|id| format!("0x{id:08x}")).collect();
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
