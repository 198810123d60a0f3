//! `messages.saveDraft`, `messages.getAllDrafts`, `messages.clearAllDrafts`.

use mtproto::session::Reply;
use tl::{
    api::{
        functions::messages::{ClearAllDrafts, GetAllDrafts, SaveDraft},
        types::UpdateDraftMessage,
    },
    operations::functions::mailbox,
};

use crate::{
    convert::{
        entities,
        messages::{self, Peers},
        peers,
    },
    rpc::{Result, RpcError, UserCtx},
};

/// `messages.saveDraft`: keeps what was typed and not sent; an empty text that replies to nothing clears it.
///
/// Of a reply the message is kept, not the quote. Media are not kept.
///
/// Errors: `ENTITY_BOUNDS_INVALID`, `MEDIA_INVALID`, `MESSAGE_TOO_LONG`, `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.saveDraft>.
pub async fn save_draft(ctx: &UserCtx, request: SaveDraft<'_>) -> Result<Reply> {
    if request.rich_message.is_some() {
        // To keep nothing would clear the draft.
        return Err(RpcError::MEDIA_INVALID);
    }
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let reply = peers::reply_to(ctx.shared(), ctx.user, request.reply_to.as_ref())?;
    let entities = request.entities.as_deref().unwrap_or_default();
    let entities = entities::from_tl(ctx.shared(), ctx.user, entities)?;
    let save = mailbox::SaveDraft {
        no_webpage: request.no_webpage,
        invert_media: request.invert_media,
        peer,
        text: request.message,
        reply_to: reply
            .filter(|reply| reply.peer.is_none_or(|place| place == peer))
            .map(|reply| reply.id),
        entities: Some(entities).filter(|entities| !entities.is_empty()),
    };
    ctx.call(ctx.user, &save).await?;
    Ok(ctx.answer(&request, true))
}

/// `messages.getAllDrafts`: `updates` with one `updateDraftMessage` for each draft.
///
/// Source: <https://core.telegram.org/method/messages.getAllDrafts>.
pub async fn get_all_drafts(ctx: &UserCtx, request: GetAllDrafts) -> Result<Reply> {
    let drafts = ctx.call(ctx.user, &mailbox::GetDrafts {}).await?.drafts;
    let mut named = Peers::default();
    for chat in &drafts {
        named.peer(chat.peer);
        named.draft(&chat.draft);
    }
    let users = named.load(ctx.shared(), ctx.user)?;
    let updates = drafts.iter().map(|chat| {
        let draft = messages::draft(&chat.draft);
        UpdateDraftMessage::new(peers::to_tl(chat.peer), draft).into()
    });
    Ok(ctx.answer(&request, messages::updates(updates.collect(), &users, ctx.now())))
}

/// `messages.clearAllDrafts`: forgets all drafts, on all devices.
///
/// Source: <https://core.telegram.org/method/messages.clearAllDrafts>.
pub async fn clear_all_drafts(ctx: &UserCtx, request: ClearAllDrafts) -> Result<Reply> {
    ctx.call(ctx.user, &mailbox::ClearDrafts {}).await?;
    Ok(ctx.answer(&request, true))
}
