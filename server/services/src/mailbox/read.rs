//! Read marks, played contents, typing.

use std::collections::BTreeSet;

use storage::Read;
use tl::operations::{
    functions::mailbox as functions,
    types::{
        EffectDialogUnreadMark, EffectReadContents, EffectReadInbox, EffectReadOutbox,
        EffectTyping, mailbox::Affected,
    },
};
use tl::records::types::{ChangeReadContents, ChangeReadInbox, ChangeReadOutbox, Message};

use super::chat::{Chat, newest};
use super::delete::{both_sides, copies};
use super::log::{Log, find};
use super::send::store;
use super::ttl;
use crate::contacts::relation;
use crate::limits::{DELETE_COUNT_MAX, TYPING_LEN_MAX};
use crate::tables::DIALOGS;
use crate::{Done, Result, Txn, UnixTime, user};

/// `mailbox.readHistory`
pub fn read_history(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::ReadHistory,
) -> Result<Affected> {
    let me = user(txn.rows())?.0;
    let mut log = Log::open(txn.rows())?;
    let mut chat = Chat::open(txn.rows(), op.peer)?;
    if chat.row.as_ref().is_some_and(|row| row.unread_mark) {
        let mut row = chat.dialog();
        row.unread_mark = false;
        txn.put(DIALOGS, &op.peer, &row);
        chat.row = Some(row);
        txn.tell(EffectDialogUnreadMark { unread: false, peer: op.peer });
    }
    let max_id = if op.max_id > 0 { op.max_id } else { i32::MAX };
    let read = chat.mark_read(txn, max_id)?;
    if read == 0 {
        return Ok(Affected { pts: log.pts, pts_count: 0 });
    }
    let max_id = chat.dialog().read_inbox_max_id;
    let still_unread = chat.unread();
    let change = ChangeReadInbox { peer: op.peer, max_id, still_unread };
    let pts = log.append(txn, now, 1, -read, change)?;
    txn.tell(EffectReadInbox { pts, peer: op.peer, max_id, still_unread });
    if op.peer != me {
        let all = chat.top.as_ref().is_none_or(|top| max_id >= top.id);
        let link = if all {
            chat.link()
        } else {
            newest(txn.rows(), op.peer, max_id)?.map_or(0, |mark| mark.link)
        };
        if link > 0 {
            txn.deliver_to(op.peer, &functions::ReceiveRead { from: me, max_id: link })?;
        }
    }
    Ok(Affected { pts, pts_count: 1 })
}

/// `mailbox.receiveRead`
pub fn receive_read(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::ReceiveRead,
) -> Result<Done> {
    if let Some(mut row) = txn.get(DIALOGS, &op.from)?
        && op.max_id > row.read_outbox_max_id
    {
        row.read_outbox_max_id = op.max_id;
        txn.put(DIALOGS, &op.from, &row);
        let change = ChangeReadOutbox { peer: op.from, max_id: op.max_id };
        let pts = Log::open(txn.rows())?.append(txn, now, 1, 0, change)?;
        txn.tell(EffectReadOutbox { pts, peer: op.from, max_id: op.max_id });
    }
    Ok(Done {})
}

/// `mailbox.readContents`
pub fn read_contents(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::ReadContents,
) -> Result<Affected> {
    let me = user(txn.rows())?.0;
    let ids: BTreeSet<i32> = op.ids.into_iter().take(DELETE_COUNT_MAX).collect();
    let mut messages = Vec::new();
    for id in ids {
        let found = find(txn.rows(), id)?;
        // What one sent is opened by the other side.
        let opens = |message: &Message| !message.out || message.peer == me;
        messages.extend(found.filter(|message| message.media_unread && opens(message)));
    }
    let affected = mark_contents(txn, now, &messages)?;
    let peers: BTreeSet<i64> = messages.iter().map(|message| message.peer).collect();
    for peer in peers.into_iter().filter(|peer| *peer != me) {
        let of_peer: Vec<_> =
            messages.iter().filter(|message| message.peer == peer).cloned().collect();
        let (yours, mine) = both_sides(&of_peer);
        txn.deliver_to(peer, &functions::ReceiveReadContents { from: me, yours, mine })?;
    }
    Ok(affected)
}

/// `mailbox.receiveReadContents`
pub fn receive_read_contents(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::ReceiveReadContents,
) -> Result<Done> {
    let mut messages = copies(txn.rows(), op.from, &op.yours, &op.mine)?;
    messages.retain(|message| message.media_unread);
    mark_contents(txn, now, &messages)?;
    Ok(Done {})
}

fn mark_contents(txn: &mut Txn<'_, '_>, now: UnixTime, messages: &[Message]) -> Result<Affected> {
    let mut log = Log::open(txn.rows())?;
    let ids: Vec<i32> = messages.iter().map(|message| message.id).collect();
    if ids.is_empty() {
        return Ok(Affected { pts: log.pts, pts_count: 0 });
    }
    for message in messages {
        store(txn, &Message { media_unread: false, ..message.clone() });
    }
    ttl::opened(txn, now, messages)?;
    let pts = log.append(txn, now, ids.len(), 0, ChangeReadContents { ids: ids.clone() })?;
    let pts_count = i32::try_from(ids.len()).unwrap_or(i32::MAX);
    txn.tell(EffectReadContents { pts, pts_count, ids });
    Ok(Affected { pts, pts_count })
}

/// `mailbox.typing`
pub fn typing(txn: &mut Txn<'_, '_>, _now: UnixTime, op: functions::Typing<'_>) -> Result<Done> {
    let hidden = relation(txn.rows(), op.from)?.blocked.is_some();
    if !hidden && op.action.len() <= TYPING_LEN_MAX {
        txn.tell(EffectTyping { peer: op.from, action: op.action.to_vec() });
    }
    Ok(Done {})
}
