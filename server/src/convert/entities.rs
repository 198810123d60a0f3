//! Spans of a text with a meaning.

use storage::UserId;
use tl::{
    api::{enums, types},
    records::{enums::EntityKind, types::Entity},
};

use super::peers;
use crate::{rpc::Result, shared::Shared};

/// Spans as clients send them. What names a user must name one that the viewer knows; a span without meaning is left out.
///
/// # Errors
///
/// `USER_ID_INVALID` if somebody is mentioned with a wrong access hash.
pub fn from_tl(
    shared: &Shared,
    viewer: UserId,
    spans: &[enums::MessageEntity<'_>],
) -> Result<Vec<Entity>> {
    let mut entities = Vec::with_capacity(spans.len());
    for span in spans {
        if let enums::MessageEntity::InputMessageEntityMentionName(mention) = span {
            let user = peers::user(shared, viewer, &mention.user_id)?;
            entities.push(mentioning(mention.offset, mention.length, user.0));
        } else {
            entities.extend(plain(span));
        }
    }
    Ok(entities)
}

fn mentioning(offset: i32, length: i32, user: i64) -> Entity {
    Entity { number: Some(user), ..Entity::new(EntityKind::EntityMentionName, offset, length) }
}

/// A span that speaks for itself.
///
/// `messageEntityMentionName` does not: without an access hash anybody could be named.
fn plain(span: &enums::MessageEntity<'_>) -> Option<Entity> {
    use EntityKind as Kind;
    use enums::MessageEntity as Span;

    let (kind, offset, length) = match span {
        Span::MessageEntityUnknown(_)
        | Span::MessageEntityMentionName(_)
        | Span::InputMessageEntityMentionName(_) => return None,
        Span::MessageEntityMention(e) => (Kind::EntityMention, e.offset, e.length),
        Span::MessageEntityHashtag(e) => (Kind::EntityHashtag, e.offset, e.length),
        Span::MessageEntityBotCommand(e) => (Kind::EntityBotCommand, e.offset, e.length),
        Span::MessageEntityUrl(e) => (Kind::EntityUrl, e.offset, e.length),
        Span::MessageEntityEmail(e) => (Kind::EntityEmail, e.offset, e.length),
        Span::MessageEntityBold(e) => (Kind::EntityBold, e.offset, e.length),
        Span::MessageEntityItalic(e) => (Kind::EntityItalic, e.offset, e.length),
        Span::MessageEntityCode(e) => (Kind::EntityCode, e.offset, e.length),
        Span::MessageEntityPre(e) => (Kind::EntityPre, e.offset, e.length),
        Span::MessageEntityTextUrl(e) => (Kind::EntityTextUrl, e.offset, e.length),
        Span::MessageEntityPhone(e) => (Kind::EntityPhone, e.offset, e.length),
        Span::MessageEntityCashtag(e) => (Kind::EntityCashtag, e.offset, e.length),
        Span::MessageEntityUnderline(e) => (Kind::EntityUnderline, e.offset, e.length),
        Span::MessageEntityStrike(e) => (Kind::EntityStrike, e.offset, e.length),
        Span::MessageEntityBankCard(e) => (Kind::EntityBankCard, e.offset, e.length),
        Span::MessageEntitySpoiler(e) => (Kind::EntitySpoiler, e.offset, e.length),
        Span::MessageEntityCustomEmoji(e) => (Kind::EntityCustomEmoji, e.offset, e.length),
        Span::MessageEntityBlockquote(e) => (Kind::EntityBlockquote, e.offset, e.length),
        Span::MessageEntityFormattedDate(e) => (Kind::EntityFormattedDate, e.offset, e.length),
        Span::MessageEntityDiffInsert(e) => (Kind::EntityDiffInsert, e.offset, e.length),
        Span::MessageEntityDiffReplace(e) => (Kind::EntityDiffReplace, e.offset, e.length),
        Span::MessageEntityDiffDelete(e) => (Kind::EntityDiffDelete, e.offset, e.length),
        Span::MessageEntityTonAddress(e) => (Kind::EntityTonAddress, e.offset, e.length),
    };
    let entity = Entity::new(kind, offset, length);
    Some(match span {
        Span::MessageEntityPre(e) => Entity { text: Some(e.language.to_owned()), ..entity },
        Span::MessageEntityTextUrl(e) => Entity { text: Some(e.url.to_owned()), ..entity },
        Span::MessageEntityDiffReplace(e) => Entity { text: Some(e.old_text.to_owned()), ..entity },
        Span::MessageEntityCustomEmoji(e) => Entity { number: Some(e.document_id), ..entity },
        Span::MessageEntityBlockquote(e) if e.collapsed => Entity { options: Some(1), ..entity },
        Span::MessageEntityFormattedDate(e) => {
            Entity { number: Some(i64::from(e.date)), options: Some(date_options(e)), ..entity }
        }
        _ => entity,
    })
}

/// The flags of a date, as bits in the order of the schema.
fn date_options(date: &types::MessageEntityFormattedDate) -> i32 {
    let flags = [
        date.relative,
        date.short_time,
        date.long_time,
        date.short_date,
        date.long_date,
        date.day_of_week,
    ];
    flags.iter().enumerate().map(|(bit, set)| i32::from(*set) << bit).sum()
}

/// Spans for clients.
#[must_use]
pub fn to_tl(entities: &[Entity]) -> Vec<enums::MessageEntity<'_>> {
    entities.iter().map(one).collect()
}

fn one(entity: &Entity) -> enums::MessageEntity<'_> {
    let (offset, length) = (entity.offset, entity.length);
    let text = entity.text.as_deref().unwrap_or_default();
    let number = entity.number.unwrap_or_default();
    let options = entity.options.unwrap_or_default();
    match entity.kind {
        EntityKind::EntityUnknown => types::MessageEntityUnknown::new(offset, length).into(),
        EntityKind::EntityMention => types::MessageEntityMention::new(offset, length).into(),
        EntityKind::EntityHashtag => types::MessageEntityHashtag::new(offset, length).into(),
        EntityKind::EntityBotCommand => types::MessageEntityBotCommand::new(offset, length).into(),
        EntityKind::EntityUrl => types::MessageEntityUrl::new(offset, length).into(),
        EntityKind::EntityEmail => types::MessageEntityEmail::new(offset, length).into(),
        EntityKind::EntityBold => types::MessageEntityBold::new(offset, length).into(),
        EntityKind::EntityItalic => types::MessageEntityItalic::new(offset, length).into(),
        EntityKind::EntityCode => types::MessageEntityCode::new(offset, length).into(),
        EntityKind::EntityPre => types::MessageEntityPre::new(offset, length, text).into(),
        EntityKind::EntityTextUrl => types::MessageEntityTextUrl::new(offset, length, text).into(),
        EntityKind::EntityMentionName => {
            types::MessageEntityMentionName::new(offset, length, number).into()
        }
        EntityKind::EntityPhone => types::MessageEntityPhone::new(offset, length).into(),
        EntityKind::EntityCashtag => types::MessageEntityCashtag::new(offset, length).into(),
        EntityKind::EntityUnderline => types::MessageEntityUnderline::new(offset, length).into(),
        EntityKind::EntityStrike => types::MessageEntityStrike::new(offset, length).into(),
        EntityKind::EntityBankCard => types::MessageEntityBankCard::new(offset, length).into(),
        EntityKind::EntitySpoiler => types::MessageEntitySpoiler::new(offset, length).into(),
        EntityKind::EntityCustomEmoji => {
            types::MessageEntityCustomEmoji::new(offset, length, number).into()
        }
        EntityKind::EntityBlockquote => types::MessageEntityBlockquote {
            collapsed: options & 1 != 0,
            ..types::MessageEntityBlockquote::new(offset, length)
        }
        .into(),
        EntityKind::EntityFormattedDate => {
            let date = i32::try_from(number).unwrap_or_default();
            types::MessageEntityFormattedDate {
                relative: options & 1 != 0,
                short_time: options & 1 << 1 != 0,
                long_time: options & 1 << 2 != 0,
                short_date: options & 1 << 3 != 0,
                long_date: options & 1 << 4 != 0,
                day_of_week: options & 1 << 5 != 0,
                ..types::MessageEntityFormattedDate::new(offset, length, date)
            }
            .into()
        }
        EntityKind::EntityDiffInsert => types::MessageEntityDiffInsert::new(offset, length).into(),
        EntityKind::EntityDiffReplace => {
            types::MessageEntityDiffReplace::new(offset, length, text).into()
        }
        EntityKind::EntityDiffDelete => types::MessageEntityDiffDelete::new(offset, length).into(),
        EntityKind::EntityTonAddress => types::MessageEntityTonAddress::new(offset, length).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_come_back_as_they_were_sent() {
        let date = types::MessageEntityFormattedDate {
            short_time: true,
            day_of_week: true,
            ..types::MessageEntityFormattedDate::new(1, 2, 1_700_000_000)
        };
        let quote = types::MessageEntityBlockquote {
            collapsed: true,
            ..types::MessageEntityBlockquote::new(1, 2)
        };
        let spans: Vec<enums::MessageEntity<'_>> = vec![
            types::MessageEntityMention::new(1, 2).into(),
            types::MessageEntityHashtag::new(1, 2).into(),
            types::MessageEntityBotCommand::new(1, 2).into(),
            types::MessageEntityUrl::new(1, 2).into(),
            types::MessageEntityEmail::new(1, 2).into(),
            types::MessageEntityBold::new(1, 2).into(),
            types::MessageEntityItalic::new(1, 2).into(),
            types::MessageEntityCode::new(1, 2).into(),
            types::MessageEntityPre::new(1, 2, "rust").into(),
            types::MessageEntityTextUrl::new(1, 2, "https://example.org").into(),
            types::MessageEntityPhone::new(1, 2).into(),
            types::MessageEntityCashtag::new(1, 2).into(),
            types::MessageEntityUnderline::new(1, 2).into(),
            types::MessageEntityStrike::new(1, 2).into(),
            types::MessageEntityBankCard::new(1, 2).into(),
            types::MessageEntitySpoiler::new(1, 2).into(),
            types::MessageEntityCustomEmoji::new(1, 2, 3).into(),
            types::MessageEntityBlockquote::new(1, 2).into(),
            quote.into(),
            date.into(),
            types::MessageEntityDiffInsert::new(1, 2).into(),
            types::MessageEntityDiffReplace::new(1, 2, "old").into(),
            types::MessageEntityDiffDelete::new(1, 2).into(),
            types::MessageEntityTonAddress::new(1, 2).into(),
        ];
        for span in spans {
            let entity = plain(&span).unwrap_or_else(|| panic!("{span:?} was left out"));
            assert_eq!(one(&entity), span);
        }
    }

    #[test]
    fn mentions_without_an_access_hash_are_left_out() {
        assert_eq!(plain(&types::MessageEntityMentionName::new(0, 1, 7).into()), None);
        let mentioned = mentioning(0, 1, 7);
        assert_eq!(one(&mentioned), types::MessageEntityMentionName::new(0, 1, 7).into());
    }
}
