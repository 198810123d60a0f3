//! `messages.editMessage`.

use mtproto::session::Reply;
use tl::{
    api::{enums::InputMedia, functions::messages::EditMessage},
    operations::functions::mailbox,
    records::{
        enums::{Attribute, Media, Source},
        types::Message,
    },
};

use super::{
    answer::view_of,
    attach::{Attached, Place, attach, is_too_long},
};
use crate::{
    convert::{attributes::Kind, media, messages, peers, text},
    rpc::{Result, RpcError, UserCtx},
};

/// `messages.editMessage`: gives a message of the caller's another text, another medium or both, on both sides.
///
/// Photos and documents may be replaced by photos and documents, in an album only by what goes with the rest of it, and be
/// added to a text, which then stands below. What goes after it was opened stays as it is.
///
/// Errors: `MEDIA_CAPTION_TOO_LONG`, `MEDIA_EMPTY`, `MEDIA_NEW_INVALID` for what cannot come by an edit, `MEDIA_PREV_INVALID` for
/// what cannot be replaced, `MESSAGE_AUTHOR_REQUIRED`, `MESSAGE_EDIT_TIME_EXPIRED`, `MESSAGE_EMPTY`, `MESSAGE_ID_INVALID`,
/// `MESSAGE_NOT_MODIFIED`, `MESSAGE_TOO_LONG`, `PEER_ID_INVALID`, `SCHEDULE_DATE_INVALID`, `WEBPAGE_NOT_FOUND`; and those of media in
/// `messages.sendMedia`.
///
/// Source: <https://core.telegram.org/method/messages.editMessage>.
pub async fn edit_message(ctx: &UserCtx, request: EditMessage<'_>) -> Result<Reply> {
    if request.schedule_date.is_some() {
        return Err(RpcError::SCHEDULE_DATE_INVALID);
    }
    if request.quick_reply_shortcut_id.is_some() {
        return Err(RpcError::SHORTCUT_INVALID);
    }
    if request.rich_message.is_some() {
        return Err(RpcError::MEDIA_NEW_INVALID);
    }
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let spans = request.entities.as_deref().unwrap_or_default();
    let said = request.message.map(|said| text::from_tl(ctx.shared(), ctx.user, said, spans));
    let (text, entities) = match said.transpose()? {
        Some(said) => (Some(said.text), Some(said.entities)),
        None => (None, None),
    };
    // There are no previews, so one that may be missing is.
    let given = request
        .media
        .as_ref()
        .filter(|media| !matches!(media, InputMedia::InputMediaWebPage(page) if page.optional));
    let before = before(ctx, peer, request.id).await?;
    let old = before.media.as_deref().and_then(media::attachment);
    if old.is_some_and(|old| media::is_passing(&old.media)) {
        return Err(RpcError::MEDIA_PREV_INVALID);
    }
    let has_media = given.is_some() || before.media.is_some();
    if has_media && is_too_long(text.unwrap_or(&before.text)) {
        return Err(RpcError::MEDIA_CAPTION_TOO_LONG);
    }
    let new = match given {
        Some(given) => Some(replacement(ctx, given, &before).await?),
        None => None,
    };
    let (media, sources) = new.unzip();
    let [source, beside] = sources.unwrap_or_default();
    let edit = mailbox::Edit {
        no_webpage: request.no_webpage,
        invert_media: request.invert_media,
        peer,
        id: request.id,
        text,
        entities,
        media: media.as_deref(),
        source,
        beside,
    };
    let edited = ctx.call(ctx.user, &edit).await?;
    let view = view_of(ctx, [&edited.message])?;
    let updates = vec![view.edited_update(&edited)];
    Ok(ctx.answer(&request, messages::updates(updates, &view.users, ctx.now())))
}

/// The message as it is.
async fn before(ctx: &UserCtx, peer: i64, id: i32) -> Result<Message> {
    let found = ctx.call(ctx.user, &mailbox::Messages { ids: vec![id] }).await?.messages;
    let found = found.into_iter().find(|message| message.peer == peer);
    found.ok_or(RpcError::MESSAGE_ID_INVALID)
}

/// The bytes of what comes in the place of the medium that a message has or has not, and from where the caller has its file and
/// the one beside it.
async fn replacement(
    ctx: &UserCtx,
    given: &InputMedia<'_>,
    before: &Message,
) -> Result<(Vec<u8>, [Option<Source>; 2])> {
    // Whose it is comes before what it has: what follows is work.
    if !before.out || before.forward.is_some() || before.action.is_some() {
        return Err(RpcError::MESSAGE_AUTHOR_REQUIRED);
    }
    let old = before.media.as_deref().and_then(media::attachment);
    if old.as_ref().is_some_and(|old| !is_replaceable(&old.media)) {
        return Err(RpcError::MEDIA_PREV_INVALID);
    }
    let new: Attached = attach(ctx, given, Place::Lasting).await?;
    // What is alone, a text among it, need not go with anything.
    let group = old.and_then(|old| Some((old.grouped_id?, companions(&old.media))));
    let fits = group.as_ref().is_none_or(|(_, others)| *others == companions(&new.media));
    if !is_replaceable(&new.media) || !fits {
        return Err(RpcError::MEDIA_NEW_INVALID);
    }
    let media = new.to_bytes(group.map(|(grouped_id, _)| grouped_id));
    Ok((media, [new.source, new.beside]))
}

/// Whether a medium may be replaced, or replace another: files that stay, and that nobody waits for to be played.
fn is_replaceable(media: &Media) -> bool {
    match media {
        Media::MediaPhoto(_) => !media::is_passing(media),
        Media::MediaDocument(document) => {
            let attributes = &document.document.attributes;
            let sticker = attributes.iter().any(|it| matches!(it, Attribute::AttributeSticker(_)));
            !sticker && !media::is_opened(media)
        }
        _ => false,
    }
}

/// What may stand together in an album.
#[derive(PartialEq, Eq)]
enum Companions {
    Visual,
    Music,
    Files,
}

fn companions(media: &Media) -> Companions {
    let Media::MediaDocument(document) = media else { return Companions::Visual };
    let attributes = &document.document.attributes;
    if Kind::of(attributes).video {
        Companions::Visual
    } else if attributes.iter().any(|it| matches!(it, Attribute::AttributeAudio(_))) {
        Companions::Music
    } else {
        Companions::Files
    }
}
