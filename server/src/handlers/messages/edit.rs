//! `messages.editMessage`.

use mtproto::session::Reply;
use tl::{api::functions::messages::EditMessage, operations::functions::mailbox};

use super::{answer::users_of, send::without_media};
use crate::{
    convert::{messages, peers, text},
    rpc::{Result, RpcError, UserCtx},
};

/// `messages.editMessage`: gives a message of the caller's another text, on both sides.
///
/// Errors: `MEDIA_NEW_INVALID`, `MESSAGE_AUTHOR_REQUIRED`, `MESSAGE_EDIT_TIME_EXPIRED`, `MESSAGE_EMPTY`, `MESSAGE_ID_INVALID`,
/// `MESSAGE_NOT_MODIFIED`, `MESSAGE_TOO_LONG`, `PEER_ID_INVALID`, `SCHEDULE_DATE_INVALID`, `WEBPAGE_NOT_FOUND`.
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
    if let Some(media) = &request.media {
        without_media(media, RpcError::MEDIA_NEW_INVALID)?;
    }
    let spans = request.entities.as_deref().unwrap_or_default();
    let said = request.message.map(|said| text::from_tl(ctx.shared(), ctx.user, said, spans));
    let (text, entities) = match said.transpose()? {
        Some(said) => (Some(said.text), Some(said.entities)),
        None => (None, None),
    };
    let edit = mailbox::Edit {
        no_webpage: request.no_webpage,
        invert_media: request.invert_media,
        peer: peers::peer(ctx.shared(), ctx.user, &request.peer)?,
        id: request.id,
        text,
        entities,
        media: None,
        source: None,
    };
    let edited = ctx.call(ctx.user, &edit).await?;
    let users = users_of(ctx, [&edited.message])?;
    let updates = vec![messages::edited_update(ctx.user, &edited)];
    Ok(ctx.answer(&request, messages::updates(updates, &users, ctx.now())))
}
