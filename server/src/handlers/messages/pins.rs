//! `messages.updatePinnedMessage`, `messages.unpinAllMessages`.

use mtproto::session::Reply;
use tl::{
    api::{
        functions::messages::{UnpinAllMessages, UpdatePinnedMessage},
        types::{UpdatePinnedMessages, messages::AffectedHistory},
    },
    operations::functions::mailbox,
};

use crate::{
    convert::{
        messages::{self, Peers},
        peers,
    },
    rpc::{Result, RpcError, UserCtx},
};

/// `messages.updatePinnedMessage`: pins a message or unpins it, for both sides unless `pm_oneside`.
///
/// Answers `updatePinnedMessages` and, if the chat is told, the service message.
///
/// Errors: `CHAT_NOT_MODIFIED` if it is pinned (or is not) already, `MESSAGE_ID_INVALID`, `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.updatePinnedMessage>.
pub async fn update_pinned_message(ctx: &UserCtx, request: UpdatePinnedMessage) -> Result<Reply> {
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let pin = mailbox::Pin {
        unpin: request.unpin,
        silent: request.silent,
        oneside: request.pm_oneside,
        peer,
        id: request.id,
        random_id: ctx.random_id(),
    };
    let pinned = ctx.call(ctx.user, &pin).await?;
    if pinned.pts_count == 0 {
        return Err(RpcError::CHAT_NOT_MODIFIED);
    }
    let mut named = Peers::default();
    named.peer(peer);
    if let Some(notice) = &pinned.notice {
        named.message(&notice.message);
    }
    let view = named.view(ctx.shared(), ctx.user)?;
    let pins = UpdatePinnedMessages {
        pinned: !request.unpin,
        ..UpdatePinnedMessages::new(
            peers::to_tl(peer),
            vec![request.id],
            pinned.pts,
            pinned.pts_count,
        )
    };
    let mut updates = vec![pins.into()];
    if let Some(notice) = &pinned.notice {
        // The client did not choose the notice's random id, so it is not told which one that was.
        let [_, new] = view.sent_updates(notice);
        updates.push(new);
    }
    Ok(ctx.answer(&request, messages::updates(updates, &view.users, ctx.now())))
}

/// `messages.unpinAllMessages`: ends all pins of a chat, a part at a time.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.unpinAllMessages>.
pub async fn unpin_all_messages(ctx: &UserCtx, request: UnpinAllMessages) -> Result<Reply> {
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let affected = ctx.call(ctx.user, &mailbox::UnpinAll { peer }).await?;
    let answer = AffectedHistory::new(affected.pts, affected.pts_count, affected.offset);
    Ok(ctx.answer(&request, answer))
}
