//! `any`: decoding and encoding by id, whatever the id names.
//!
//! For tests, fuzzing and tools, which go over everything there is. The functions are `#[inline]`, so that whoever does not
//! call them does not pay for code that uses every codec.

use core::fmt::Write as _;

use crate::{
    model::{Item, Model, TypeInfo},
    names,
    parse::Error,
};

/// The module `any`.
///
/// # Errors
///
/// A function that answers what no constructor makes.
pub(super) fn module(model: &Model) -> Result<String, Error> {
    let mut requests = Arms::default();
    let mut answers = Arms::default();
    for (name, item) in &model.functions {
        let request = names::path(&format!("{}::functions", model.module), name);
        requests.add(item.ids(), &request);
        let answer = model.answer_type(&item.newest.definition, "'_")?;
        answers.add(item.ids(), &format!("<{answer}>"));
    }
    let mut values = Arms::default();
    for (name, info) in &model.types {
        let ids = info.constructors.iter().flat_map(|constructor| {
            model.constructors.get(constructor).into_iter().flat_map(|item| ids(info, item))
        });
        values.add(ids, &model.type_path(name));
    }
    let mut text = String::from(
        "/// Decoding and encoding by id, whatever the id names.\n#[cfg(feature = \"client\")]\npub mod any {\n\
         use crate::{Cursor, Decode, DecodeError, Encode, Layer};\n\n",
    );
    requests.print(&mut text, "REQUESTS", "function", "request");
    values.print(&mut text, "VALUES", "constructor", "value");
    let _ = write!(
        text,
        "/// Decodes what the function with the id `method` answers, and encodes it for `layer`.\n///\n\
         /// # Errors\n///\n/// See [`DecodeError`]; `Unexpected` for a `method` that there is not.\n#[inline]\n\
         pub fn answer(method: u32, bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {{\n\
         match method {{\n{}id => Err(DecodeError::Unexpected {{ id, position: 0 }}),\n}}\n}}\n}}\n",
        answers.text
    );
    Ok(text)
}

/// The ids of a constructor that have a decoder: old shapes only if somebody sends them.
fn ids<'m>(info: &TypeInfo, item: &'m Item) -> impl Iterator<Item = u32> + use<'m> {
    let count = if info.incoming { usize::MAX } else { 1 };
    item.ids().take(count)
}

/// The arms of a `match` over ids.
#[derive(Default)]
struct Arms {
    ids: Vec<u32>,
    text: String,
}

impl Arms {
    fn add(&mut self, ids: impl Iterator<Item = u32>, path: &str) {
        let ids: Vec<u32> = ids.collect();
        let pattern: Vec<String> = ids.iter().map(|id| format!("0x{id:08x}")).collect();
        let _ = writeln!(
            self.text,
            "{} => {path}::from_bytes(bytes).map(|value| value.to_vec(layer)),",
            pattern.join(" | ")
        );
        self.ids.extend(ids);
    }

    /// The list of ids, and the function that takes one of them from the front of its input.
    fn print(&self, text: &mut String, list: &str, what: &str, function: &str) {
        let _ = write!(
            text,
            "/// The ids of every {what}, newest and older.\npub const {list}: &[u32] = &[\n"
        );
        for id in &self.ids {
            let _ = writeln!(text, "0x{id:08x},");
        }
        let _ = write!(
            text,
            "];\n\n/// Decodes the {function} that `bytes` are, whichever it is, and encodes it for `layer`.\n///\n\
             /// # Errors\n///\n/// See [`DecodeError`].\n#[inline]\n\
             pub fn {function}(bytes: &[u8], layer: Layer) -> Result<Vec<u8>, DecodeError> {{\n\
             match Cursor::new(bytes).peek_id()? {{\n{}id => Err(DecodeError::Unexpected {{ id, position: 0 }}),\n}}\n}}\n\n",
            self.text
        );
    }
}
