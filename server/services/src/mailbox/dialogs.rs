//! The chat list.
//!
//! Its order is that of the newest messages, which no row keeps: a page is made by looking at the newest message of each
//! chat. That is a seek a chat when somebody opens the list, instead of a put with every message sent.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use storage::{Order, Read};
use tl::operations::{
    enums::Refusal,
    functions::mailbox as functions,
    types::{
        EffectDialogPinned, EffectDialogUnreadMark, EffectPinnedDialogs,
        mailbox::{Chat as ChatView, Chats, Dialogs},
    },
};
use tl::records::types::{NotifyPeer, PinnedDialogs};

use super::chat::Chat;
use super::log::Log;
use crate::accounts::settings::notify_key;
use crate::limits::{CHAT_COUNT_MAX, PAGE_COUNT_MAX, PINNED_CHAT_COUNT_MAX};
use crate::tables::{DIALOGS, DRAFTS, NOTIFY, PINNED_DIALOGS};
use crate::{Done, Result, Txn, UnixTime};

/// `mailbox.getDialogs`
pub fn get_dialogs(rows: &impl Read, _now: UnixTime, op: functions::GetDialogs) -> Result<Dialogs> {
    let Ok(limit) = usize::try_from(op.limit.min(PAGE_COUNT_MAX)) else {
        return Err(Refusal::LimitInvalid.into());
    };
    let pinned = pinned(rows)?;
    let mut chats = Vec::new();
    for (peer, row) in rows.scan(DIALOGS, .., Order::Forward, CHAT_COUNT_MAX)? {
        chats.push(Chat::of_row(rows, peer, row)?);
    }
    let first_page = op.offset_date == 0 && op.offset_id == 0;
    let at = |chat: &Chat| chat.top.as_ref().map_or((0, 0), |top| (top.date, top.id));
    chats.retain(|chat| chat.top.is_some() && !(op.exclude_pinned && pinned.contains(&chat.peer)));
    let count = i32::try_from(chats.len()).unwrap_or(i32::MAX);
    let offset =
        if op.offset_date > 0 { (op.offset_date, op.offset_id) } else { (i32::MAX, i32::MAX) };
    chats.retain(|chat| {
        if first_page {
            return true;
        }
        let older = at(chat) < offset && (op.offset_date > 0 || at(chat).1 < op.offset_id);
        older && chat.peer != op.offset_peer && !pinned.contains(&chat.peer)
    });
    chats.sort_by_key(|chat| {
        let place = pinned.iter().position(|peer| *peer == chat.peer).unwrap_or(usize::MAX);
        (place, Reverse(at(chat)))
    });
    chats.truncate(limit);
    let chats = chats.into_iter().map(|chat| view(rows, chat, &pinned));
    Ok(Dialogs { chats: chats.collect::<Result<_>>()?, count })
}

/// `mailbox.getChats`
pub fn get_chats(rows: &impl Read, _now: UnixTime, op: functions::GetChats) -> Result<Chats> {
    let pinned = pinned(rows)?;
    let peers = op.peers.into_iter().take(PAGE_COUNT_MAX as usize);
    let chats = peers.map(|peer| view(rows, Chat::open(rows, peer)?, &pinned));
    Ok(Chats { chats: chats.collect::<Result<_>>()?, state: Log::open(rows)?.state() })
}

/// `mailbox.getPinned`
pub fn get_pinned(rows: &impl Read, _now: UnixTime, _op: functions::GetPinned) -> Result<Chats> {
    let pinned = pinned(rows)?;
    let mut chats = Vec::new();
    for peer in &pinned {
        let chat = Chat::open(rows, *peer)?;
        if chat.top.is_some() {
            chats.push(view(rows, chat, &pinned)?);
        }
    }
    Ok(Chats { chats, state: Log::open(rows)?.state() })
}

/// `mailbox.pinDialog`
pub fn pin_dialog(txn: &mut Txn<'_, '_>, _now: UnixTime, op: functions::PinDialog) -> Result<Done> {
    let mut peers = pinned(txn.rows())?;
    if peers.contains(&op.peer) == op.pinned {
        return Ok(Done {});
    }
    if op.pinned {
        if Chat::open(txn.rows(), op.peer)?.top.is_none() {
            return Err(Refusal::PeerIdInvalid.into());
        }
        if peers.len() >= PINNED_CHAT_COUNT_MAX {
            return Err(Refusal::PinnedDialogsTooMuch.into());
        }
        peers.insert(0, op.peer);
    } else {
        peers.retain(|peer| *peer != op.peer);
    }
    txn.put(PINNED_DIALOGS, &(), &PinnedDialogs { peers });
    txn.tell(EffectDialogPinned { pinned: op.pinned, peer: op.peer });
    Ok(Done {})
}

/// `mailbox.reorderPinned`
pub fn reorder_pinned(
    txn: &mut Txn<'_, '_>,
    _now: UnixTime,
    op: functions::ReorderPinned,
) -> Result<Done> {
    if op.peers.len() > PINNED_CHAT_COUNT_MAX {
        return Err(Refusal::PinnedDialogsTooMuch.into());
    }
    let before = pinned(txn.rows())?;
    let rest = before.iter().copied().filter(|_| !op.force);
    let mut seen = BTreeSet::new();
    let mut peers = Vec::new();
    for peer in op.peers.into_iter().chain(rest) {
        if seen.insert(peer) && Chat::open(txn.rows(), peer)?.top.is_some() {
            peers.push(peer);
        }
    }
    if peers.len() > PINNED_CHAT_COUNT_MAX {
        return Err(Refusal::PinnedDialogsTooMuch.into());
    }
    if peers != before {
        txn.put(PINNED_DIALOGS, &(), &PinnedDialogs { peers: peers.clone() });
        txn.tell(EffectPinnedDialogs { peers });
    }
    Ok(Done {})
}

/// `mailbox.markUnread`
pub fn mark_unread(
    txn: &mut Txn<'_, '_>,
    _now: UnixTime,
    op: functions::MarkUnread,
) -> Result<Done> {
    let chat = Chat::open(txn.rows(), op.peer)?;
    if chat.top.is_none() {
        return Err(Refusal::PeerIdInvalid.into());
    }
    let mut row = chat.dialog();
    if row.unread_mark != op.unread {
        row.unread_mark = op.unread;
        txn.put(DIALOGS, &op.peer, &row);
        txn.tell(EffectDialogUnreadMark { unread: op.unread, peer: op.peer });
    }
    Ok(Done {})
}

/// The pinned chats in their order. Some may have lost their messages since.
fn pinned(rows: &impl Read) -> Result<Vec<i64>> {
    Ok(rows.get(PINNED_DIALOGS, &())?.map_or_else(Vec::new, |pinned| pinned.peers))
}

fn view(rows: &impl Read, chat: Chat, pinned: &[i64]) -> Result<ChatView> {
    let row = chat.dialog();
    let unread = chat.unread();
    let target = NotifyPeer { peer: chat.peer }.into();
    Ok(ChatView {
        pinned: pinned.contains(&chat.peer),
        unread_mark: row.unread_mark,
        draft: rows.get(DRAFTS, &chat.peer)?,
        notify: rows.get(NOTIFY, &notify_key(&target))?,
        top: chat.top,
        ..ChatView::new(chat.peer, row.read_inbox_max_id, row.read_outbox_max_id, unread)
    })
}
