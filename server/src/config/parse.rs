//! One value to its type: what a TOML file gives as a number or a string, and variables and flags as
//! text. `None` means "not allowed here"; the caller knows the key and says what is.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use figment::value::Value;
use zeroize::Zeroize;

use super::{Advertise, MtProxySecret, Secret};

/// A string with at least one character.
pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

/// A path.
pub(super) fn path(value: &Value) -> Option<PathBuf> {
    text(value).map(PathBuf::from)
}

/// `true` or `false`.
pub(super) fn switch(value: &Value) -> Option<bool> {
    value.to_bool().or_else(|| value.as_str()?.parse().ok())
}

/// A whole number that is not negative.
pub(super) fn number(value: &Value) -> Option<u64> {
    match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => match value.to_i128() {
            Some(number) => number.try_into().ok(),
            None => value.to_u128()?.try_into().ok(),
        },
    }
}

/// A numeric address with its port.
pub(super) fn address(value: &Value) -> Option<SocketAddr> {
    value.as_str()?.trim().parse().ok()
}

/// A numeric address that a client can dial, with or without a port.
pub(super) fn advertise(value: &Value) -> Option<Advertise> {
    let text = value.as_str()?.trim();
    let advertise = match text.parse::<SocketAddr>() {
        Ok(address) => Advertise { ip: address.ip(), port: Some(address.port()) },
        Err(_) => Advertise { ip: text.parse::<IpAddr>().ok()?, port: None },
    };
    let dialable = !advertise.ip.is_unspecified() && advertise.port != Some(0);
    dialable.then_some(advertise)
}

/// An address of the web. The client that dials it checks the rest.
pub(super) fn url(value: &Value) -> Option<String> {
    let text = text(value)?;
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
    let fits = !host.is_empty() && !host.starts_with('/') && !text.contains(char::is_whitespace);
    fits.then_some(text)
}

/// A word: something without spaces.
pub(super) fn word(value: &Value) -> Option<String> {
    text(value).filter(|text| !text.contains(char::is_whitespace))
}

/// The name of a bucket.
pub(super) fn bucket(value: &Value) -> Option<String> {
    let fits = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_');
    text(value).filter(|text| (3..=255).contains(&text.len()) && text.chars().all(fits))
}

/// What names of objects begin with: folders, or nothing.
pub(super) fn prefix(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim().trim_matches('/').to_owned();
    let fits = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_' | '/');
    let folders = text.is_empty() || text.split('/').all(|part| !matches!(part, "" | "." | ".."));
    (folders && text.chars().all(fits)).then_some(text)
}

/// A secret of at least 16 characters.
pub(super) fn secret(value: &Value) -> Option<Secret> {
    let text = text(value)?;
    (text.chars().count() >= 16).then(|| Secret::new(text))
}

/// Every item of a list, all of which must parse.
pub(super) fn list<T>(value: &Value, item: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(item).collect()
}

/// Ids of data centres: at least one, each once.
pub(super) fn dc_ids(value: &Value) -> Option<Vec<i32>> {
    let ids = list(value, |item| i32::try_from(number(item)?).ok())?;
    let distinct = ids.iter().enumerate().all(|(at, id)| !ids[..at].contains(id));
    let fits = !ids.is_empty() && distinct && ids.iter().all(|id| (1..=5).contains(id));
    fits.then_some(ids)
}

/// A secret of the MTProxy handshake.
pub(super) fn mtproxy_secret(value: &Value) -> Option<MtProxySecret> {
    let text = value.as_str()?.trim();
    let padded_only = text.len() == 34 && text.starts_with("dd");
    let mut bytes = hex::decode(if padded_only { &text[2..] } else { text }).ok()?;
    let key = bytes.as_slice().try_into().ok();
    bytes.zeroize();
    Some(MtProxySecret { key: key?, padded_only })
}
