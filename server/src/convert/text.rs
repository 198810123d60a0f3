//! What a client says, as it is stored: without white space around it, with the spans that it has by itself.

use storage::UserId;
use tl::{
    api::enums,
    records::{enums::EntityKind, types::Entity},
};

use super::{
    detect::{detect, units},
    entities,
};
use crate::{rpc::Result, shared::Shared};

/// A text and its spans.
#[derive(Debug, PartialEq)]
pub struct Text<'a> {
    /// Without white space at its start and end.
    pub text: &'a str,
    /// Those that were given, and those that were found.
    pub entities: Vec<Entity>,
}

/// A text as clients send it.
///
/// # Errors
///
/// As [`entities::from_tl`].
pub fn from_tl<'a>(
    shared: &Shared,
    viewer: UserId,
    text: &'a str,
    spans: &[enums::MessageEntity<'_>],
) -> Result<Text<'a>> {
    let given = entities::from_tl(shared, viewer, spans)?;
    let Text { text, entities } = trim(text, given);
    Ok(Text { text, entities: detect(text, entities) })
}

/// Takes white space off both ends, but the indentation of code. Spans are cut to what is left; those that were outside of the
/// text still are.
fn trim(text: &str, mut entities: Vec<Entity>) -> Text<'_> {
    let kept = text.trim_end();
    let code = entities.iter().filter(|entity| {
        matches!(entity.kind, EntityKind::EntityCode | EntityKind::EntityPre) && entity.length > 0
    });
    let code = code.map(|entity| entity.offset.max(0)).min().unwrap_or(i32::MAX);
    // All white space takes one code unit a character.
    let blank = kept.chars().zip(0..code).take_while(|(c, _)| c.is_whitespace());
    let (skipped, skipped_units) =
        blank.fold((0, 0), |(bytes, units), (c, _)| (bytes + c.len_utf8(), units + 1));
    let kept = kept.get(skipped..).unwrap_or_default();
    if kept.len() == text.len() {
        return Text { text, entities };
    }
    let (len, kept_len) = (units(text), units(kept));
    entities.retain_mut(|entity| {
        let end = entity.offset.saturating_add(entity.length);
        if entity.offset < 0 || entity.length <= 0 || end > len {
            return true;
        }
        entity.offset = entity.offset.saturating_sub(skipped_units).max(0);
        entity.length = end.saturating_sub(skipped_units).min(kept_len) - entity.offset;
        entity.length > 0
    });
    Text { text: kept, entities }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `spans`: offset and length before, and after if it is still there.
    type Span = (i32, i32, Option<(i32, i32)>);

    fn check(kind: &EntityKind, text: &str, expected: &str, spans: &[Span]) {
        let given = spans.iter().map(|span| Entity::new(kind.clone(), span.0, span.1)).collect();
        let left = spans.iter().filter_map(|span| span.2);
        let entities = left.map(|(at, len)| Entity::new(kind.clone(), at, len)).collect();
        assert_eq!(trim(text, given), Text { text: expected, entities }, "{text:?}");
    }

    #[test]
    fn white_space_goes_and_spans_move() {
        let bold = EntityKind::EntityBold;
        check(&bold, "as it is", "as it is", &[(0, 2, Some((0, 2)))]);
        check(&bold, "  two", "two", &[(2, 3, Some((0, 3))), (0, 2, None), (0, 5, Some((0, 3)))]);
        check(
            &bold,
            "two \n\t",
            "two",
            &[(0, 6, Some((0, 3))), (3, 3, None), (2, 2, Some((2, 1)))],
        );
        check(&bold, "\u{a0}🙂 a ", "🙂 a", &[(1, 2, Some((0, 2))), (4, 2, Some((3, 1)))]);
        check(&bold, " \n ", "", &[(0, 1, None), (0, 3, None)]);
        check(&bold, "", "", &[]);
    }

    #[test]
    fn what_was_outside_stays_outside() {
        let max = i32::MAX;
        for (offset, length) in [(-1, 2), (0, 6), (5, 1), (1, 0), (1, -1), (max, max)] {
            check(
                &EntityKind::EntityBold,
                " ab  ",
                "ab",
                &[(offset, length, Some((offset, length)))],
            );
        }
    }

    #[test]
    fn code_keeps_its_indentation() {
        let code = EntityKind::EntityPre;
        check(&code, "\n    if a {\n ", "    if a {", &[(1, 12, Some((0, 10)))]);
        check(&code, "  a", "  a", &[(0, 3, Some((0, 3)))]);
        check(&code, "   a b", "a b", &[(5, 1, Some((2, 1)))]);
    }
}
