//! Id to handler.
//!
//! The text calls one function a method, by a path made of its name. A method without that function does not compile, nor does
//! one whose function answers something else.

use core::fmt::Write as _;

use crate::{
    model::{Item, Model},
    names,
    parse::Error,
};

/// What stands around the arms: each arm calls `template`, in which `{…}` are replaced.
///
/// | placeholder | becomes |
/// |---|---|
/// | `{method}` | `messages.sendMessage` |
/// | `{request}` | `tl::api::functions::messages::SendMessage` |
/// | `{handler}` | `messages::send_message` |
/// | `{access}`, `{cost}` | the annotation's value with a capital: `User`, `Write` |
#[derive(Debug, Clone, Copy)]
pub struct Template<'t> {
    /// The path of the module in which requests are, such as `tl::api::functions`.
    pub functions: &'t str,
    /// The text of one arm behind `=>`.
    pub arm: &'t str,
}

/// The arms of a `match` over ids, for the functions that `choose` accepts.
///
/// # Errors
///
/// A placeholder whose annotation is missing.
pub fn arms(
    model: &Model,
    template: Template<'_>,
    choose: impl Fn(&Item) -> bool,
) -> Result<String, Error> {
    let mut text = String::new();
    for (name, item) in &model.functions {
        if !choose(item) {
            continue;
        }
        let ids: Vec<String> = item.ids().map(|id| format!("0x{id:08x}")).collect();
        let handler = match &name.namespace {
            Some(namespace) => {
                format!("{}::{}", names::snake(namespace), names::snake(&name.ident))
            }
            None => names::snake(&name.ident),
        };
        let mut arm = template
            .arm
            .replace("{method}", &name.to_string())
            .replace("{request}", &names::path(template.functions, name))
            .replace("{handler}", &handler);
        for annotation in ["access", "cost"] {
            let placeholder = format!("{{{annotation}}}");
            if !arm.contains(&placeholder) {
                continue;
            }
            let definition = &item.newest.definition;
            let Some(value) = definition.annotation(annotation).filter(|value| !value.is_empty())
            else {
                return Err(definition.error(format!("`{name}` lacks `@{annotation}`")));
            };
            arm = arm.replace(&placeholder, &names::camel(value));
        }
        let _ = writeln!(text, "        {} => {arm}", ids.join(" | "));
    }
    Ok(text)
}
