//! TL names to Rust names.

use crate::parse::Name;

/// `messages.sendMessage` to `SendMessage`, `req_DH_params` to `ReqDHParams`.
#[must_use]
pub fn camel(ident: &str) -> String {
    ident
        .split('_')
        .flat_map(|word| {
            let mut chars = word.chars();
            chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars)
        })
        .collect()
}

/// `sendMessage` to `send_message`, `getContactIDs` to `get_contact_ids`; Rust's keywords get a trailing `_`.
#[must_use]
pub fn snake(ident: &str) -> String {
    let chars: Vec<char> = ident.replace("IDs", "Ids").chars().collect();
    let mut snake = String::with_capacity(ident.len() + 4);
    for (at, c) in chars.iter().enumerate() {
        if c.is_ascii_uppercase() {
            let before = at.checked_sub(1).and_then(|at| chars.get(at));
            let after = chars.get(at + 1);
            let starts_word = before.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            let ends_acronym = before.is_some_and(char::is_ascii_uppercase)
                && after.is_some_and(char::is_ascii_lowercase);
            if starts_word || ends_acronym {
                snake.push('_');
            }
        }
        snake.push(c.to_ascii_lowercase());
    }
    if KEYWORDS.contains(&snake.as_str()) {
        snake.push('_');
    }
    snake
}

/// `messages.sendMessage` to `messages_send_message`.
#[must_use]
pub fn snake_path(name: &Name) -> String {
    match &name.namespace {
        Some(namespace) => format!("{}_{}", snake(namespace), snake(&name.ident)),
        None => snake(&name.ident),
    }
}

/// `::messages::SendMessage` behind the path of a module.
#[must_use]
pub fn path(module: &str, name: &Name) -> String {
    match &name.namespace {
        Some(namespace) => format!("{module}::{}::{}", snake(namespace), camel(&name.ident)),
        None => format!("{module}::{}", camel(&name.ident)),
    }
}

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (tl, expected) in [
            ("sendMessage", "send_message"),
            ("getContactIDs", "get_contact_ids"),
            ("req_DH_params", "req_dh_params"),
            ("type", "type_"),
            ("srp_B", "srp_b"),
            ("getDHConfig", "get_dh_config"),
        ] {
            assert_eq!(snake(tl), expected);
        }
        assert_eq!(camel("p_q_inner_data"), "PQInnerData");
        assert_eq!(camel("server_DH_params_ok"), "ServerDHParamsOk");
    }
}
