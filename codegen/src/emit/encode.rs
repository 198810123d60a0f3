//! `impl Encode`: the newest shape, older shapes, and what a layer does not know.
//!
//! An older shape takes each field from the newest one's field of the same name and type; what it wants and the newest lacks is
//! zero, empty or false; anything else is a rule, `crate::downgrade::<constructor>_<field>`. A value that a layer lacks is left out
//! of vectors and optional fields; where it cannot be, `crate::downgrade::<type>` writes something else.

use core::fmt::Write as _;

use super::types::{elided, generics};
use crate::{
    model::{Field, Item, Model, Shape, Ty, TypeInfo},
    names,
    parse::{Error, Name},
};

/// How a field of the shape that is written gets its value. A conditional field that never has one is not listed at all.
struct Written<'m> {
    field: &'m Field,
    /// An expression: `bool` for `true`, `Option<&T>` for other conditional fields, a value or reference otherwise.
    value: String,
}

pub(super) fn constructor(model: &Model, item: &Item, ident: &str) -> Result<String, Error> {
    let shape = &item.newest;
    let generics = generics(shape);
    let newest: Vec<Written<'_>> =
        shape.stored().map(|field| Written { field, value: direct(field, field) }).collect();
    let mut methods = format!(
        "    /// Writes the fields, without the constructor id.\n    pub fn encode_bare<S: Sink>(&self, layer: Layer, out: &mut S) {{\n{}    }}\n",
        body(model, shape, &newest)
    );
    let mut arms = String::new();
    let is_function = shape.definition.kind == crate::parse::Kind::Function;
    // Clients speak the newest layer: requests are written in the newest shape only.
    for old in item.old.iter().filter(|_| !is_function) {
        let Some(until) = old.until else { continue };
        let id = old.shape.definition.id;
        let mut written = Vec::new();
        for field in old.shape.stored() {
            if let Some(value) = value_for_old(item, &old.shape, field)? {
                written.push(Written { field, value });
            }
        }
        let _ = write!(
            methods,
            "\n    fn encode_{id:08x}<S: Sink>(&self, layer: Layer, out: &mut S) {{\n        out.u32(0x{id:08x});\n{}    }}\n",
            body(model, &old.shape, &written)
        );
        let _ = writeln!(arms, "            ..={} => self.encode_{id:08x}(layer, out),", until);
    }
    let write_newest = "out.u32(Self::ID);\n        self.encode_bare(layer, out);\n";
    let body = if arms.is_empty() {
        format!("        {write_newest}")
    } else {
        format!(
            "        match layer.0 {{\n{arms}            _ => {{\n                {}            }}\n        }}\n",
            write_newest.replace("        self", "                self")
        )
    };
    let known = match shape.since {
        Some(since) => format!(
            "\n    fn known_in(&self, layer: Layer) -> bool {{\n        layer.0 >= {since}\n    }}\n"
        ),
        None => String::new(),
    };
    Ok(format!(
        "impl{generics} {ident}{generics} {{\n{methods}}}\n\n{gate}impl Encode for {ident}{elided} {{\n    \
         fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {{\n{body}    }}\n{known}}}\n\n",
        gate = gate_again(model, item),
        elided = elided(shape.borrows),
    ))
}

/// The gate of the second `impl`; the first one's stands before the whole text.
fn gate_again(model: &Model, item: &Item) -> &'static str {
    let outgoing = match item.newest.definition.kind {
        crate::parse::Kind::Function => !model.directed,
        crate::parse::Kind::Constructor => {
            model.types.get(&item.newest.definition.result.name).is_none_or(|info| info.outgoing)
        }
    };
    super::types::gate(outgoing)
}

/// The value of `target`, taken from the struct's own field `source`.
fn direct(source: &Field, target: &Field) -> String {
    let access = format!("self.{}", source.ident);
    match (&target.condition, &target.ty, source.is_option()) {
        (_, Ty::True | Ty::Bool, false) => access,
        (Some(_), _, true) => format!("{access}.as_ref()"),
        (Some(_), _, false) => format!("Some(&{access})"),
        (None, _, _) => access,
    }
}

/// The value of a field of an old shape, or `None` if it is conditional and the newest shape has nothing for it.
fn value_for_old(item: &Item, old: &Shape, target: &Field) -> Result<Option<String>, Error> {
    if old.definition.annotates("rule", &target.name) {
        let call = format!(
            "crate::downgrade::{}_{}(self, layer)",
            names::snake_path(item.name()),
            target.ident
        );
        return Ok(Some(call));
    }
    if target.condition.is_some() && old.definition.annotates("drop", &target.name) {
        return Ok(None);
    }
    let same = item.newest.stored().find(|source| source.name == target.name);
    let Some(source) = same.filter(|source| source.ty == target.ty) else {
        if same.is_none() && target.condition.is_some() {
            return Ok(None);
        }
        let default = if same.is_none() { default(&target.ty) } else { None };
        let Some(default) = default else {
            return Err(old.definition.error(format!(
                "`{}`: no value for the field `{}`; name it in `@rule`",
                old.name(),
                target.name
            )));
        };
        return Ok(Some(default.to_owned()));
    };
    if target.condition.is_none() && source.is_option() {
        let Some(default) = default(&target.ty) else {
            return Err(old.definition.error(format!(
                "`{}`: the field `{}` became optional; name it in `@rule`",
                old.name(),
                target.name
            )));
        };
        let or = match target.ty {
            Ty::Vector { .. } => "unwrap_or_default()".to_owned(),
            _ => format!("unwrap_or({default})"),
        };
        return Ok(Some(format!("self.{}.clone().{or}", source.ident)));
    }
    Ok(Some(direct(source, target)))
}

/// What a required field is that nobody gives a value.
pub(super) fn default(ty: &Ty) -> Option<&'static str> {
    Some(match ty {
        Ty::Int => "0_i32",
        Ty::Long => "0_i64",
        Ty::Double => "0_f64",
        Ty::Bool | Ty::True => "false",
        Ty::String => "\"\"",
        Ty::Bytes => "&[][..]",
        Ty::Vector { bare: false, .. } => "Vec::<i32>::new()",
        _ => return None,
    })
}

fn body(model: &Model, shape: &Shape, written: &[Written<'_>]) -> String {
    let mut text = String::new();
    for Written { field, value } in written.iter().filter(|w| w.field.is_option()) {
        let known = if model.may_be_unknown(&field.ty) {
            ".filter(|value| value.known_in(layer))"
        } else {
            ""
        };
        let _ = writeln!(text, "        let {} = {value}{known};", field.ident);
    }
    let find = |name: &str| written.iter().find(|w| w.field.name == name);
    for field in &shape.fields {
        match (&field.ty, &field.condition) {
            (Ty::Flags, _) => {
                let _ = writeln!(text, "        out.u32({});", flags(&field.name, written));
            }
            (Ty::True, Some(_)) => {}
            (_, Some(_)) if find(&field.name).is_none() => {}
            (ty, Some(condition)) => {
                let statement = statement(ty, "value");
                let shared = sharers(condition, written).count() > 1;
                let guard = if shared {
                    format!(" && {}", all_present(condition, written))
                } else {
                    String::new()
                };
                let _ = writeln!(
                    text,
                    "        if let Some(value) = {}{guard} {{\n            {statement}\n        }}",
                    field.ident
                );
            }
            (ty, None) => {
                if let Some(written) = find(&field.name) {
                    let _ = writeln!(text, "        {}", statement(ty, &written.value));
                }
            }
        }
    }
    text
}

fn statement(ty: &Ty, value: &str) -> String {
    let value = if !value.contains(' ') || value.starts_with("crate::downgrade::") {
        value.to_owned()
    } else {
        format!("({value})")
    };
    match ty {
        Ty::Bare(_) => format!("{value}.encode_bare(layer, out);"),
        Ty::Vector { bare: true, of } => format!(
            "out.count({value}.len());\n        for element in {value}.iter() {{\n            {}\n        }}",
            match &**of {
                Ty::Bare(_) => "element.encode_bare(layer, out);",
                _ => "element.encode(layer, out);",
            }
        ),
        Ty::Vector { bare: false, of } if matches!(**of, Ty::Bare(_)) => format!(
            "out.vector({value}.len());\n        for element in {value}.iter() {{\n            element.encode_bare(layer, out);\n        }}"
        ),
        _ => format!("{value}.encode(layer, out);"),
    }
}

/// The other conditional fields, but for bare `true`, that the same bit governs.
fn sharers<'w>(
    condition: &'w crate::parse::Condition,
    written: &'w [Written<'w>],
) -> impl Iterator<Item = &'w Written<'w>> {
    written.iter().filter(|w| w.field.is_option() && w.field.condition.as_ref() == Some(condition))
}

/// That all fields of one bit have values: they come together or not at all.
fn all_present(condition: &crate::parse::Condition, written: &[Written<'_>]) -> String {
    let names: Vec<String> =
        sharers(condition, written).map(|w| format!("{}.is_some()", w.field.ident)).collect();
    names.join(" && ")
}

fn flags(name: &str, written: &[Written<'_>]) -> String {
    let mut bits: Vec<(u32, String)> = Vec::new();
    for Written { field, value } in written {
        let Some(condition) = field.condition.as_ref().filter(|c| c.flags == name) else {
            continue;
        };
        if bits.iter().any(|(bit, _)| *bit == condition.bit) && field.ty != Ty::True {
            continue;
        }
        let options = sharers(condition, written).count();
        let set = match (field.is_option(), options) {
            (false, 0) => value.clone(),
            // The value says it; the bare flag beside it has nothing to add.
            (false, _) => continue,
            (true, _) => all_present(condition, written),
        };
        bits.push((condition.bit, set));
    }
    match bits.as_slice() {
        [] => return "0".to_owned(),
        [(bit, set)] => return shifted(*bit, set),
        _ => {}
    }
    let terms: Vec<String> = bits
        .iter()
        .map(|(bit, set)| match bit {
            0 => shifted(0, set),
            _ => format!("({})", shifted(*bit, set)),
        })
        .collect();
    terms.join("\n| ")
}

/// A truth value as a bit.
fn shifted(bit: u32, set: &str) -> String {
    if bit == 0 { format!("u32::from({set})") } else { format!("u32::from({set}) << {bit}") }
}

pub(super) fn enumeration(model: &Model, name: &Name, info: &TypeInfo) -> String {
    let ident = names::camel(&name.ident);
    let mut write = String::new();
    let mut known = String::new();
    for constructor in &info.constructors {
        let item = &model.constructors[constructor];
        let variant = names::camel(&constructor.ident);
        if item.is_unit() {
            let _ = writeln!(
                write,
                "            Self::{variant} => out.u32(0x{:08x}),",
                item.newest.definition.id
            );
        } else {
            let _ =
                writeln!(write, "            Self::{variant}(value) => value.encode(layer, out),");
        }
        if let Some(since) = item.newest.since {
            let pattern = if item.is_unit() { "" } else { "(_)" };
            let _ = writeln!(known, "            Self::{variant}{pattern} => layer.0 >= {since},");
        }
    }
    let mut fallback = String::new();
    let mut known_in = String::new();
    if info.has_since {
        let all = info
            .constructors
            .iter()
            .all(|constructor| model.constructors[constructor].newest.since.is_some());
        let rest = if all { "" } else { "            _ => true,\n" };
        known_in = format!(
            "\n    fn known_in(&self, layer: Layer) -> bool {{\n        match self {{\n{known}{rest}        }}\n    }}\n"
        );
        if info.required && info.outgoing {
            fallback = format!(
                "        if !self.known_in(layer) {{\n            return crate::downgrade::{}(self, layer, out);\n        }}\n",
                names::snake_path(name)
            );
        }
    }
    format!(
        "impl Encode for {ident}{elided} {{\n    fn encode<S: Sink>(&self, layer: Layer, out: &mut S) {{\n\
         {fallback}        match self {{\n{write}        }}\n    }}\n{known_in}}}\n\n",
        elided = elided(info.borrows)
    )
}
