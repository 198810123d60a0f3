//! Spans that a text has by what it says: addresses, names, tags, commands.
//!
//! Clients leave them to the server. Each is found in one pass over the text.

use std::{cmp::Reverse, net::Ipv4Addr};

use linkify::{LinkFinder, LinkKind};
use services::limits::{ENTITY_COUNT_MAX, MESSAGE_LEN_MAX};
use tl::records::{enums::EntityKind, types::Entity};

/// Bytes of the host of an address.
const HOST_LEN_MAX: usize = 253;
/// Digits of a port.
const PORT_LEN_MAX: usize = 5;
/// Characters of a username.
const NAME_LEN: (usize, usize) = (3, 32);
/// Characters of a hashtag.
const HASHTAG_LEN: (usize, usize) = (1, 256);
/// Characters of a cashtag.
const CASHTAG_LEN: (usize, usize) = (1, 8);
/// Characters of a bot command.
const COMMAND_LEN: (usize, usize) = (1, 64);
/// Digits of a phone number.
const PHONE_LEN: (usize, usize) = (7, 15);
/// The schemes that clients open.
const SCHEMES: [&str; 6] = ["http", "https", "ftp", "tg", "ton", "tonsite"];

/// The spans of a text in order: those `given` by the client, and those found between them.
///
/// Formatting may overlap what is found; any other span that was given keeps its place for itself. A text that is too long
/// to be stored has no more spans than given.
#[must_use]
pub fn detect(text: &str, given: Vec<Entity>) -> Vec<Entity> {
    let mut entities = given;
    // A UTF-16 code unit takes at most three bytes.
    let fits = text.len() <= 3 * MESSAGE_LEN_MAX;
    if fits && text.bytes().any(|byte| b"@#$/.:+".contains(&byte)) {
        let mut taken: Vec<_> = entities
            .iter()
            .filter(|entity| !is_formatting(&entity.kind))
            .map(|entity| (entity.offset, entity.offset.saturating_add(entity.length)))
            .collect();
        taken.sort_unstable();
        let mut taken = taken.as_slice();
        let free = spans(text).filter(|found| {
            while let Some(((_, end), rest)) = taken.split_first()
                && *end <= found.offset
            {
                taken = rest;
            }
            taken.first().is_none_or(|(start, _)| *start >= found.offset + found.length)
        });
        entities.extend(free.take(ENTITY_COUNT_MAX.saturating_sub(entities.len())));
    }
    entities.sort_by_key(|entity| (entity.offset, Reverse(entity.length)));
    entities
}

/// Whether a span only says how its text looks.
fn is_formatting(kind: &EntityKind) -> bool {
    use EntityKind as Kind;
    matches!(
        kind,
        Kind::EntityUnknown
            | Kind::EntityBold
            | Kind::EntityItalic
            | Kind::EntityUnderline
            | Kind::EntityStrike
            | Kind::EntitySpoiler
            | Kind::EntityCustomEmoji
            | Kind::EntityBlockquote
            | Kind::EntityDiffInsert
            | Kind::EntityDiffReplace
            | Kind::EntityDiffDelete
    )
}

/// All that is found in a text, in order and without overlaps.
fn spans(text: &str) -> impl Iterator<Item = Entity> {
    let mut addresses = addresses(text).into_iter().peekable();
    let (mut rest, mut at, mut unit, mut before) = (text, 0, 0, None);
    std::iter::from_fn(move || {
        while let Some(first) = rest.chars().next() {
            let next = addresses.peek().map(|address| address.at);
            let found = if next == Some(at) {
                addresses.next().map(|address| (address.kind, address.len))
            } else {
                tag(rest, before)
                    .or_else(|| host(rest, before))
                    .filter(|(_, len)| next.is_none_or(|next| at + len <= next))
            };
            let len = found.as_ref().map_or_else(|| first.len_utf8(), |(_, len)| *len);
            let (passed, left) = rest.split_at_checked(len)?;
            let (offset, length) = (unit, units(passed));
            before = passed.chars().next_back();
            (rest, at, unit) = (left, at + len, unit + length);
            if let Some((kind, _)) = found {
                return Some(Entity::new(kind, offset, length));
            }
        }
        None
    })
}

/// UTF-16 code units of a text. A text of a request is far shorter than `i32::MAX`.
pub(crate) fn units(text: &str) -> i32 {
    i32::try_from(text.encode_utf16().count()).unwrap_or(i32::MAX)
}

/// An address that says what it is, by a scheme or an `@`. Bytes.
struct Address {
    kind: EntityKind,
    at: usize,
    len: usize,
}

fn addresses(text: &str) -> Vec<Address> {
    let mut addresses = Vec::new();
    let finder = LinkFinder::new();
    let mut from = 0;
    for word in text.split_inclusive(ends_address) {
        for link in finder.links(word.trim_end_matches(ends_address)) {
            let (at, link_text) = (from + link.start(), link.as_str());
            addresses.extend(match link.kind() {
                LinkKind::Email => email(at, link_text),
                LinkKind::Url => url(at, link_text),
                _ => None,
            });
        }
        from += word.len();
    }
    addresses
}

/// White space, quotes and punctuation outside of ASCII, which the finder takes for letters.
fn ends_address(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '«' | '»'
                | '\u{2000}'..='\u{200b}'
                | '\u{200e}'..='\u{206f}'
                | '\u{3001}'..='\u{3003}'
                | '\u{3008}'..='\u{301f}'
                | '\u{ff01}'..='\u{ff0f}'
                | '\u{ff1a}'..='\u{ff1f}'
        )
}

/// An e-mail address whose mailbox is made of what mailboxes are made of in practice.
fn email(at: usize, address: &str) -> Option<Address> {
    let (mailbox, domain) = address.split_once('@')?;
    let usual = |c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c);
    let mailbox = &mailbox[mailbox.trim_end_matches(usual).len()..];
    let start = address.len() - domain.len() - 1 - mailbox.len();
    let len = mailbox.len() + 1 + host_len(domain)?;
    (!mailbox.is_empty()).then_some(Address { kind: EntityKind::EntityEmail, at: at + start, len })
}

fn url(at: usize, url: &str) -> Option<Address> {
    let (scheme, after) = url.split_once("://")?;
    if !SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return None;
    }
    let len = scheme.len() + "://".len() + host_len(after)?;
    Some(Address { kind: EntityKind::EntityUrl, at, len })
}

/// How much of an address stands, after its scheme or `@`: it ends where the host has a symbol, such as an emoji.
fn host_len(address: &str) -> Option<usize> {
    let ends = |c: char| "/?#".contains(c) || !(c.is_ascii() || c.is_alphanumeric());
    let len = match address.find(ends) {
        Some(end) if !address[end..].starts_with(['/', '?', '#']) => end,
        _ => address.len(),
    };
    (len > 0).then_some(len)
}

/// An address without a scheme at the start of `rest`: a host of a known top-level domain, and what follows it.
fn host(rest: &str, before: Option<char>) -> Option<(EntityKind, usize)> {
    let in_word = |c: char| c.is_alphanumeric() || "-._".contains(c);
    if !rest.starts_with(char::is_alphanumeric)
        || before.is_some_and(|c| in_word(c) || "@#$/\\&=%".contains(c))
    {
        return None;
    }
    let run = rest.find(|c| !in_word(c)).map_or(rest, |end| &rest[..end]);
    let host = run.trim_end_matches(['-', '.', '_']);
    let after = &rest[host.len()..];
    if host.len() > HOST_LEN_MAX || after.starts_with('@') || !is_host(host) {
        return None;
    }
    Some((EntityKind::EntityUrl, host.len() + after_host_len(after)))
}

fn is_host(host: &str) -> bool {
    let label =
        |part: &str| !part.is_empty() && !part.contains('_') && part.trim_matches('-') == part;
    let Some((_, top)) = host.rsplit_once('.') else { return false };
    host.split('.').all(label) && (is_top_level(top) || host.parse::<Ipv4Addr>().is_ok())
}

/// Whether a domain can end like this. One capital letter begins a sentence whose space was forgotten.
fn is_top_level(label: &str) -> bool {
    let lower = label.to_lowercase();
    let mut differ = label.chars().zip(lower.chars()).map(|(as_is, lower)| as_is != lower);
    let begins_sentence = differ.next() == Some(true) && !differ.any(|differs| differs);
    !begins_sentence && psl::suffix(lower.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

/// Bytes of the port, path and query at the start of `rest`, without punctuation of the sentence around them.
fn after_host_len(rest: &str) -> usize {
    let port = rest.strip_prefix(':').map_or(0, |port| run(port, |c| c.is_ascii_digit()).0);
    let port = if (1..=PORT_LEN_MAX).contains(&port) { 1 + port } else { 0 };
    let mut len = port;
    let Some(path) = rest.get(port..).filter(|path| path.starts_with(['/', '?', '#'])) else {
        return len;
    };
    // How many brackets of each form are open.
    let mut open = [0_usize; 3];
    for (at, c) in path.char_indices() {
        if ends_address(c) || "\"<>`|".contains(c) {
            break;
        }
        if let Some(form) = "([{".find(c) {
            open[form] += 1;
        } else if let Some(form) = ")]}".find(c) {
            let Some(less) = open[form].checked_sub(1) else { break };
            open[form] = less;
            len = port + at + c.len_utf8();
        } else if !"?!.,:;*'".contains(c) {
            len = port + at + c.len_utf8();
        }
    }
    len
}

/// What a sign at the start of `rest` begins, and its bytes.
fn tag(rest: &str, before: Option<char>) -> Option<(EntityKind, usize)> {
    let mut chars = rest.chars();
    let sign = chars.next()?;
    let rest = chars.as_str();
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let starts = |signs: &str| !before.is_some_and(|c| in_word(c) || signs.contains(c));
    let (kind, len) = match sign {
        '@' if starts("@") => (EntityKind::EntityMention, ascii_word(rest, NAME_LEN)?),
        '/' if starts("/<>") => {
            let len = ascii_word(rest, COMMAND_LEN)?;
            let len = len + at_name(&rest[len..]);
            if rest[len..].starts_with(['/', '<', '>']) {
                return None;
            }
            (EntityKind::EntityBotCommand, len)
        }
        '#' if starts("#\u{200c}\u{b7}") => {
            let len = hashtag(rest)?;
            (EntityKind::EntityHashtag, len + at_name(&rest[len..]))
        }
        '$' if starts("$") => {
            let len = word(rest, CASHTAG_LEN, |c| c.is_ascii_uppercase())?;
            if rest[len..].starts_with('$') {
                return None;
            }
            (EntityKind::EntityCashtag, len + at_name(&rest[len..]))
        }
        '+' if starts("+") && !rest.starts_with('0') => {
            (EntityKind::EntityPhone, word(rest, PHONE_LEN, |c| c.is_ascii_digit())?)
        }
        _ => return None,
    };
    Some((kind, sign.len_utf8() + len))
}

fn hashtag(rest: &str) -> Option<usize> {
    let fits = |c: char| c.is_alphanumeric() || "_\u{200c}\u{b7}".contains(c);
    let len = word(rest, HASHTAG_LEN, fits)?;
    let (tag, after) = rest.split_at(len);
    (!after.starts_with('#') && tag.chars().any(|c| !c.is_numeric())).then_some(len)
}

/// Bytes of `@` and a name, if they follow; of nothing otherwise.
fn at_name(rest: &str) -> usize {
    rest.strip_prefix('@').and_then(|name| ascii_word(name, NAME_LEN)).map_or(0, |len| 1 + len)
}

fn ascii_word(rest: &str, count: (usize, usize)) -> Option<usize> {
    word(rest, count, |c| c.is_ascii_alphanumeric() || c == '_')
}

/// Bytes of a word of so many characters that all fit and that ends where they do.
fn word(rest: &str, (min, max): (usize, usize), fits: impl Fn(char) -> bool) -> Option<usize> {
    let (len, count) = run(rest, fits);
    let goes_on = rest[len..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    ((min..=max).contains(&count) && !goes_on).then_some(len)
}

/// Bytes and characters at the start of `rest` that fit.
fn run(rest: &str, fits: impl Fn(char) -> bool) -> (usize, usize) {
    let len = rest.find(|c| !fits(c)).unwrap_or(rest.len());
    (len, rest[..len].chars().count())
}

#[cfg(test)]
mod tests;
