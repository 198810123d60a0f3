//! The canonical text of a definition, whose CRC32 is its id.
//!
//! The text is the definition without id, `;` and braces; conditional `true` fields are left out, `bytes` is called
//! `string`, and `<` becomes a space while `>` vanishes.

use core::fmt::Write as _;

use super::{Definition, Error, Type};

/// The CRC32 of IEEE 802.3, as in zlib.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let mask = (crc & 1).wrapping_neg();
            crc = (crc >> 1) ^ (0xedb8_8320 & mask);
        }
    }
    !crc
}

/// Compares the id with the text.
pub(super) fn check(definition: &Definition) -> Result<(), Error> {
    let text = match definition.annotation("id-of") {
        Some(text) => text.to_owned(),
        None => text(definition, false),
    };
    let expected = crc32(text.as_bytes());
    if definition.id == expected {
        return Ok(());
    }
    Err(definition.error(format!(
        "the id of `{}` is {:x}, but the CRC32 of its line is {expected:x}",
        definition.name, definition.id
    )))
}

/// The canonical text; with `keep_bytes` the type `bytes` keeps its name, which some old ids need.
#[must_use]
pub(super) fn text(definition: &Definition, keep_bytes: bool) -> String {
    let mut text = definition.name.to_string();
    for generic in &definition.generics {
        let _ = write!(text, " {generic}:Type");
    }
    for field in &definition.fields {
        let is_true = field.ty.name.ident == "true" && field.ty.name.namespace.is_none();
        if field.condition.is_some() && is_true {
            continue;
        }
        text.push(' ');
        if let Some(repetition) = &field.repetition {
            text.push_str(repetition);
            continue;
        }
        if !field.name.is_empty() {
            let _ = write!(text, "{}:", field.name);
        }
        if let Some(condition) = &field.condition {
            let _ = write!(text, "{}.{}?", condition.flags, condition.bit);
        }
        push_type(&mut text, &field.ty, keep_bytes);
    }
    text.push_str(" = ");
    push_type(&mut text, &definition.result, keep_bytes);
    text
}

fn push_type(text: &mut String, ty: &Type, keep_bytes: bool) {
    if ty.bang {
        text.push('!');
    }
    if ty.percent {
        text.push('%');
    }
    let is_bytes = ty.name.namespace.is_none() && ty.name.ident == "bytes";
    let name = if is_bytes && !keep_bytes { "string".to_owned() } else { ty.name.to_string() };
    text.push_str(&name);
    for argument in &ty.arguments {
        text.push(' ');
        // Inside `<>` the name `bytes` was never replaced.
        push_type(text, argument, true);
    }
}
