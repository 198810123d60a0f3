//! `messages.getDialogs`, `messages.getPeerDialogs`, `messages.getPinnedDialogs`.

use mtproto::session::Reply;
use tl::{
    api::{
        enums,
        functions::messages::{GetDialogs, GetPeerDialogs, GetPinnedDialogs},
        types,
    },
    operations::{
        functions::mailbox,
        types::mailbox::{Chat, Chats},
    },
};

use super::answer::check_count;
use crate::{
    convert::{
        messages::{self, Peers, View},
        peers,
    },
    rpc::{Result, RpcError, UserCtx},
};

/// The folder of the list itself.
pub(super) const FOLDER_MAIN: i32 = 0;
/// The folder of archived chats, which is empty.
pub(super) const FOLDER_ARCHIVE: i32 = 1;

/// `messages.getDialogs`: a page of the list of chats, pinned ones first, then by newest message.
///
/// `hash` is not compared: marks and drafts of a chat change without its id or that of its newest message.
///
/// Errors: `FOLDER_ID_INVALID`, `LIMIT_INVALID`, `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.getDialogs>.
pub async fn get_dialogs(ctx: &UserCtx, request: GetDialogs) -> Result<Reply> {
    if is_archive(request.folder_id.unwrap_or(FOLDER_MAIN))? {
        let empty = types::messages::Dialogs::new(Vec::new(), Vec::new(), Vec::new(), Vec::new());
        return Ok(ctx.answer(&request, empty));
    }
    let page = mailbox::GetDialogs {
        exclude_pinned: request.exclude_pinned,
        offset_date: request.offset_date,
        offset_id: request.offset_id,
        offset_peer: peers::offset_peer(ctx.user, &request.offset_peer),
        limit: request.limit,
    };
    let page = ctx.call(ctx.user, &page).await?;
    let list = List::load(ctx, &page.chats)?;
    let (dialogs, messages, users) = list.to_tl();
    if i32::try_from(page.chats.len()) == Ok(page.count) {
        let answer = types::messages::Dialogs::new(dialogs, messages, Vec::new(), users);
        return Ok(ctx.answer(&request, answer));
    }
    let answer =
        types::messages::DialogsSlice::new(page.count, dialogs, messages, Vec::new(), users);
    Ok(ctx.answer(&request, answer))
}

/// `messages.getPeerDialogs`: these chats, with or without messages, and the state that they belong to.
///
/// Errors: `FOLDER_ID_INVALID`, `LIMIT_INVALID` for more than `PAGE_COUNT_MAX`, `PEER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.getPeerDialogs>.
pub async fn get_peer_dialogs(ctx: &UserCtx, request: GetPeerDialogs) -> Result<Reply> {
    check_count(request.peers.len())?;
    let mut asked = Vec::new();
    for input in &request.peers {
        let peer = peers::dialog_peer(ctx.shared(), ctx.user, input)?;
        if !asked.contains(&peer) {
            asked.push(peer);
        }
    }
    let chats = ctx.call(ctx.user, &mailbox::GetChats { peers: asked }).await?;
    let list = List::load(ctx, &chats.chats)?;
    Ok(ctx.answer(&request, peer_dialogs(&chats, &list)))
}

/// `messages.getPinnedDialogs`: the pinned chats in their order, and the state that they belong to.
///
/// Errors: `FOLDER_ID_INVALID`.
///
/// Source: <https://core.telegram.org/method/messages.getPinnedDialogs>.
pub async fn get_pinned_dialogs(ctx: &UserCtx, request: GetPinnedDialogs) -> Result<Reply> {
    let chats = if is_archive(request.folder_id)? {
        ctx.call(ctx.user, &mailbox::GetChats { peers: Vec::new() }).await?
    } else {
        ctx.call(ctx.user, &mailbox::GetPinned {}).await?
    };
    let list = List::load(ctx, &chats.chats)?;
    Ok(ctx.answer(&request, peer_dialogs(&chats, &list)))
}

/// Whether a folder is the archive. Only that and the list itself exist.
pub(super) fn is_archive(folder_id: i32) -> Result<bool> {
    match folder_id {
        FOLDER_MAIN => Ok(false),
        FOLDER_ARCHIVE => Ok(true),
        _ => Err(RpcError::FOLDER_ID_INVALID),
    }
}

/// Chats with the users whom they and their newest messages name.
struct List<'c> {
    chats: &'c [Chat],
    view: View,
}

/// What answers with chats are made of.
type Parts<'a> = (Vec<types::Dialog<'a>>, Vec<enums::Message<'a>>, Vec<enums::User<'a>>);

impl<'c> List<'c> {
    fn load(ctx: &UserCtx, chats: &'c [Chat]) -> Result<Self> {
        let mut named = Peers::default();
        for chat in chats {
            named.chat(chat);
        }
        Ok(Self { chats, view: named.view(ctx.shared(), ctx.user)? })
    }

    fn to_tl(&self) -> Parts<'_> {
        let dialogs = self.chats.iter().map(messages::dialog).collect();
        let tops = self.chats.iter().filter_map(|chat| chat.top.as_ref());
        let messages = tops.map(|top| self.view.message(top)).collect();
        (dialogs, messages, self.view.users.to_tl())
    }
}

fn peer_dialogs<'a>(chats: &Chats, list: &'a List<'_>) -> types::messages::PeerDialogs<'a> {
    let (dialogs, messages, users) = list.to_tl();
    let state = messages::state(&chats.state);
    types::messages::PeerDialogs::new(dialogs, messages, Vec::new(), users, state)
}
