//! What a message may contain.

use tl::operations::enums::Refusal;
use tl::records::types::Entity;

use crate::Result;
use crate::limits::{CAPTION_LEN_MAX, ENTITY_COUNT_MAX, MEDIA_LEN_MAX, MESSAGE_LEN_MAX};

/// Refuses a message without content, or with too much of it.
pub(super) fn check(text: &str, entities: Option<&[Entity]>, media: Option<&[u8]>) -> Result<()> {
    if text.trim().is_empty() && media.is_none() {
        return Err(Refusal::MessageEmpty.into());
    }
    if media.is_some_and(|media| media.len() > MEDIA_LEN_MAX) {
        return Err(Refusal::MessageTooLong.into());
    }
    let len_max = if media.is_some() { CAPTION_LEN_MAX } else { MESSAGE_LEN_MAX };
    check_len(text, entities, len_max)
}

/// Refuses a text that is too long, or has spans outside of it. Spans count UTF-16 code units.
pub(super) fn check_text(text: &str, entities: Option<&[Entity]>) -> Result<()> {
    check_len(text, entities, MESSAGE_LEN_MAX)
}

fn check_len(text: &str, entities: Option<&[Entity]>, len_max: usize) -> Result<()> {
    // A UTF-16 code unit takes one to three bytes, so most texts need not be counted.
    let len = if text.is_ascii() { text.len() } else { text.encode_utf16().count() };
    if len > len_max {
        return Err(Refusal::MessageTooLong.into());
    }
    let entities = entities.unwrap_or_default();
    if entities.len() > ENTITY_COUNT_MAX {
        return Err(Refusal::EntitiesTooLong.into());
    }
    let inside = |entity: &Entity| {
        let (Ok(offset), Ok(length)) =
            (usize::try_from(entity.offset), usize::try_from(entity.length))
        else {
            return false;
        };
        length > 0 && offset.saturating_add(length) <= len
    };
    if entities.iter().all(inside) { Ok(()) } else { Err(Refusal::EntityBoundsInvalid.into()) }
}

#[cfg(test)]
mod tests {
    use tl::records::enums::EntityKind;

    use super::*;

    #[track_caller]
    fn check(text: &str, span: Option<(i32, i32)>, expected: Option<Refusal>) {
        let entities: Vec<_> = span
            .map(|(offset, length)| Entity::new(EntityKind::EntityBold, offset, length))
            .into_iter()
            .collect();
        let refusal = match super::check(text, Some(&entities), None) {
            Ok(()) => None,
            Err(crate::Error::Refused(refusal)) => Some(refusal),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(refusal, expected, "{text:.20} {span:?}");
    }

    #[test]
    fn bounds_are_in_utf16() {
        check("a", None, None);
        check(" \n", None, Some(Refusal::MessageEmpty));
        check(&"a".repeat(4096), None, None);
        check(&"a".repeat(4097), None, Some(Refusal::MessageTooLong));
        check(&"é".repeat(4096), None, None);
        check(&"😀".repeat(2049), None, Some(Refusal::MessageTooLong));
        check("😀a", Some((2, 1)), None);
        check("😀a", Some((0, 3)), None);
        check("😀a", Some((0, 4)), Some(Refusal::EntityBoundsInvalid));
        check("a", Some((0, 0)), Some(Refusal::EntityBoundsInvalid));
        check("a", Some((-1, 1)), Some(Refusal::EntityBoundsInvalid));
        check("a", Some((i32::MAX, i32::MAX)), Some(Refusal::EntityBoundsInvalid));
    }
}
