//! `messages.toggleDialogPin`, `messages.reorderPinnedDialogs`, `messages.markDialogUnread`, `messages.getDialogUnreadMarks`.

use mtproto::session::Reply;
use services::limits::{PAGE_COUNT_MAX, PINNED_CHAT_COUNT_MAX};
use tl::{
    api::functions::messages::{
        GetDialogUnreadMarks, MarkDialogUnread, ReorderPinnedDialogs, ToggleDialogPin,
    },
    operations::functions::mailbox,
};

use super::dialogs::is_archive;
use crate::{
    convert::peers,
    rpc::{Result, RpcError, UserCtx},
};

/// How many pages of the list of chats are looked at for unread marks: marks are put on chats that are near its top.
const MARKED_PAGE_COUNT: usize = 5;

/// `messages.toggleDialogPin`: pins a chat in the list, or ends that.
///
/// Errors: `PEER_ID_INVALID` without such a chat, `PINNED_DIALOGS_TOO_MUCH`.
///
/// Source: <https://core.telegram.org/method/messages.toggleDialogPin>.
pub async fn toggle_dialog_pin(ctx: &UserCtx, request: ToggleDialogPin) -> Result<Reply> {
    let peer = peers::dialog_peer(ctx.shared(), ctx.user, &request.peer)?;
    ctx.call(ctx.user, &mailbox::PinDialog { pinned: request.pinned, peer }).await?;
    Ok(ctx.answer(&request, true))
}

/// `messages.reorderPinnedDialogs`: gives the pinned chats an order; with `force`, those not named lose the pin.
///
/// Errors: `FOLDER_ID_INVALID`, `PEER_ID_INVALID`, `PINNED_DIALOGS_TOO_MUCH`.
///
/// Source: <https://core.telegram.org/method/messages.reorderPinnedDialogs>.
pub async fn reorder_pinned_dialogs(ctx: &UserCtx, request: ReorderPinnedDialogs) -> Result<Reply> {
    if request.order.len() > PINNED_CHAT_COUNT_MAX {
        return Err(RpcError::PINNED_DIALOGS_TOO_MUCH);
    }
    let order = request.order.iter().map(|peer| peers::dialog_peer(ctx.shared(), ctx.user, peer));
    let peers = order.collect::<Result<Vec<_>>>()?;
    if is_archive(request.folder_id)? {
        // Nothing is archived: no chat can be pinned there.
        return if peers.is_empty() {
            Ok(ctx.answer(&request, true))
        } else {
            Err(RpcError::PEER_ID_INVALID)
        };
    }
    ctx.call(ctx.user, &mailbox::ReorderPinned { force: request.force, peers }).await?;
    Ok(ctx.answer(&request, true))
}

/// `messages.markDialogUnread`: marks a chat as unread, or ends that.
///
/// Errors: `PEER_ID_INVALID` without such a chat.
///
/// Source: <https://core.telegram.org/method/messages.markDialogUnread>.
pub async fn mark_dialog_unread(ctx: &UserCtx, request: MarkDialogUnread) -> Result<Reply> {
    if request.parent_peer.is_some() {
        return Err(RpcError::CHANNEL_INVALID);
    }
    let peer = peers::dialog_peer(ctx.shared(), ctx.user, &request.peer)?;
    ctx.call(ctx.user, &mailbox::MarkUnread { unread: request.unread, peer }).await?;
    Ok(ctx.answer(&request, true))
}

/// `messages.getDialogUnreadMarks`: which chats are marked as unread, of the topmost of the list.
///
/// Source: <https://core.telegram.org/method/messages.getDialogUnreadMarks>.
pub async fn get_dialog_unread_marks(
    ctx: &UserCtx,
    request: GetDialogUnreadMarks,
) -> Result<Reply> {
    if request.parent_peer.is_some() {
        return Err(RpcError::CHANNEL_INVALID);
    }
    let mut marked = Vec::new();
    let mut page = mailbox::GetDialogs {
        exclude_pinned: false,
        offset_date: 0,
        offset_id: 0,
        offset_peer: 0,
        limit: PAGE_COUNT_MAX,
    };
    for _ in 0..MARKED_PAGE_COUNT {
        let chats = ctx.call(ctx.user, &page).await?.chats;
        let marks = chats.iter().filter(|chat| chat.unread_mark);
        marked.extend(marks.map(|chat| peers::dialog_peer_to_tl(chat.peer)));
        // Pinned chats stand before all others, whatever their dates.
        let last = chats.iter().rev().find(|chat| !chat.pinned);
        let Some((last, top)) = last.and_then(|chat| Some((chat, chat.top.as_ref()?))) else {
            break;
        };
        (page.offset_date, page.offset_id, page.offset_peer) = (top.date, top.id, last.peer);
    }
    Ok(ctx.answer(&request, marked))
}
