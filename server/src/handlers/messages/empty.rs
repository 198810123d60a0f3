//! What the list of chats and a chat have elsewhere and not here: groups, folders, mentions, scheduled messages, advertisements.
//!
//! Clients ask when they start and want a well-formed answer.

use mtproto::session::Reply;
use tl::{
    api::{
        functions::messages::{
            GetAttachMenuBots, GetCommonChats, GetDefaultHistoryTTL, GetDialogFilters,
            GetMessagesViews, GetOnlines, GetPinnedSavedDialogs, GetQuickReplies, GetSavedDialogs,
            GetScheduledHistory, GetSponsoredMessages, GetSuggestedDialogFilters,
            GetUnreadMentions, ReadMentions, ReceivedMessages,
        },
        types::{self, messages::AffectedHistory},
    },
    operations::functions::mailbox,
};

use super::answer::{check_count, no_messages};
use crate::{
    convert::{peers, users::Users},
    rpc::{Result, RpcError, UserCtx},
};

/// `messages.receivedMessages`.
///
/// Empty by design: no notification was sent that could be taken back.
///
/// Source: <https://core.telegram.org/method/messages.receivedMessages>.
pub async fn received_messages(ctx: &UserCtx, request: ReceivedMessages) -> Result<Reply> {
    Ok(ctx.answer(&request, Vec::new()))
}

/// `messages.getMessagesViews`.
///
/// Empty by design: posts of channels alone are counted; each message has its place in the answer.
///
/// Errors: `LIMIT_INVALID`, `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.getMessagesViews>.
pub async fn get_messages_views(ctx: &UserCtx, request: GetMessagesViews) -> Result<Reply> {
    peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    check_count(request.id.len())?;
    let views = vec![types::MessageViews::new(); request.id.len()];
    Ok(ctx.answer(&request, types::messages::MessageViews::new(views, Vec::new(), Vec::new())))
}

/// `messages.getUnreadMentions`.
///
/// Empty by design: private chats have no mentions that count as unread.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.getUnreadMentions>.
pub async fn get_unread_mentions(ctx: &UserCtx, request: GetUnreadMentions) -> Result<Reply> {
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let users = Users::load(ctx.shared(), ctx.user, [peer])?;
    Ok(ctx.answer(&request, no_messages(users.to_tl())))
}

/// `messages.readMentions`.
///
/// Empty by design: private chats have no mentions that count as unread.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.readMentions>.
pub async fn read_mentions(ctx: &UserCtx, request: ReadMentions) -> Result<Reply> {
    peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let state = ctx.call(ctx.user, &mailbox::GetState {}).await?;
    Ok(ctx.answer(&request, AffectedHistory::new(state.pts, 0, 0)))
}

/// `messages.getScheduledHistory`.
///
/// Empty by design: messages cannot be sent later.
///
/// Errors: `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.getScheduledHistory>.
pub async fn get_scheduled_history(ctx: &UserCtx, request: GetScheduledHistory) -> Result<Reply> {
    let peer = peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    let users = Users::load(ctx.shared(), ctx.user, [peer])?;
    Ok(ctx.answer(&request, no_messages(users.to_tl())))
}

/// `messages.getCommonChats`.
///
/// Empty by design: there are no groups.
///
/// Errors: `USER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.getCommonChats>.
pub async fn get_common_chats(ctx: &UserCtx, request: GetCommonChats) -> Result<Reply> {
    peers::user(ctx.shared(), ctx.user, &request.user_id)?;
    Ok(ctx.answer(&request, types::messages::Chats::new(Vec::new())))
}

/// `messages.getOnlines`.
///
/// Empty by design: there are no groups, so that every peer is refused.
///
/// Errors: `CHANNEL_INVALID`, `CHAT_ID_INVALID`, `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.getOnlines>.
pub async fn get_onlines(ctx: &UserCtx, request: GetOnlines) -> Result<Reply> {
    peers::peer(ctx.shared(), ctx.user, &request.peer)?;
    Err(RpcError::PEER_ID_INVALID)
}

/// `messages.getDialogFilters`.
///
/// Empty by design: there is no folder but the list of all chats.
///
/// Source: <https://core.telegram.org/method/messages.getDialogFilters>.
pub async fn get_dialog_filters(ctx: &UserCtx, request: GetDialogFilters) -> Result<Reply> {
    Ok(ctx
        .answer(&request, types::messages::DialogFilters::new(vec![types::DialogFilterDefault {}])))
}

/// `messages.getSuggestedDialogFilters`.
///
/// Empty by design: there are no folders.
///
/// Source: <https://core.telegram.org/method/messages.getSuggestedDialogFilters>.
pub async fn get_suggested_dialog_filters(
    ctx: &UserCtx,
    request: GetSuggestedDialogFilters,
) -> Result<Reply> {
    Ok(ctx.answer(&request, Vec::new()))
}

/// `messages.getSavedDialogs`.
///
/// Empty by design: Saved Messages are one chat.
///
/// Source: <https://core.telegram.org/method/messages.getSavedDialogs>.
pub async fn get_saved_dialogs(ctx: &UserCtx, request: GetSavedDialogs) -> Result<Reply> {
    Ok(ctx.answer(&request, no_saved_dialogs()))
}

/// `messages.getPinnedSavedDialogs`.
///
/// Empty by design: Saved Messages are one chat.
///
/// Source: <https://core.telegram.org/method/messages.getPinnedSavedDialogs>.
pub async fn get_pinned_saved_dialogs(
    ctx: &UserCtx,
    request: GetPinnedSavedDialogs,
) -> Result<Reply> {
    Ok(ctx.answer(&request, no_saved_dialogs()))
}

/// `messages.getDefaultHistoryTTL`.
///
/// Empty by design: messages do not delete themselves.
///
/// Source: <https://core.telegram.org/method/messages.getDefaultHistoryTTL>.
pub async fn get_default_history_ttl(
    ctx: &UserCtx,
    request: GetDefaultHistoryTTL,
) -> Result<Reply> {
    Ok(ctx.answer(&request, types::DefaultHistoryTTL::new(0)))
}

/// `messages.getQuickReplies`.
///
/// Empty by design: there are no businesses.
///
/// Source: <https://core.telegram.org/method/messages.getQuickReplies>.
pub async fn get_quick_replies(ctx: &UserCtx, request: GetQuickReplies) -> Result<Reply> {
    Ok(ctx.answer(
        &request,
        types::messages::QuickReplies::new(Vec::new(), Vec::new(), Vec::new(), Vec::new()),
    ))
}

/// `messages.getSponsoredMessages`.
///
/// Empty by design: there are no advertisements.
///
/// Source: <https://core.telegram.org/method/messages.getSponsoredMessages>.
pub async fn get_sponsored_messages(ctx: &UserCtx, request: GetSponsoredMessages) -> Result<Reply> {
    Ok(ctx.answer(&request, types::messages::SponsoredMessagesEmpty {}))
}

/// `messages.getAttachMenuBots`.
///
/// Empty by design: there are no bots.
///
/// Source: <https://core.telegram.org/method/messages.getAttachMenuBots>.
pub async fn get_attach_menu_bots(ctx: &UserCtx, request: GetAttachMenuBots) -> Result<Reply> {
    Ok(ctx.answer(&request, types::AttachMenuBots::new(0, Vec::new(), Vec::new())))
}

/// Saved Messages by where they come from: none.
fn no_saved_dialogs() -> types::messages::SavedDialogs<'static> {
    types::messages::SavedDialogs::new(Vec::new(), Vec::new(), Vec::new(), Vec::new())
}
