//! Messages go: one by one, or a whole history.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use storage::{Order, Read};
use tl::operations::{
    functions::mailbox as functions,
    types::{
        EffectDeleteMessages,
        mailbox::{Affected, AffectedHistory},
    },
};
use tl::records::{
    enums::Action,
    types::{ChangeDeleteMessages, Message},
};

use super::chat::{Chat, Told, find_by_link, keys};
use super::log::{Log, find, find_in};
use super::send::outgoing;
use crate::limits::{DELETE_COUNT_MAX, HISTORY_DELETE_BATCH};
use crate::tables::MESSAGES;
use crate::{Done, Result, Txn, UnixTime, user};

/// `mailbox.delete`
pub fn delete(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Delete) -> Result<Affected> {
    let me = user(txn.rows())?.0;
    let ids: BTreeSet<i32> = op.ids.into_iter().take(DELETE_COUNT_MAX).collect();
    let mut messages = Vec::with_capacity(ids.len());
    for id in ids {
        messages.extend(find(txn.rows(), id)?);
    }
    let mut log = Log::open(txn.rows())?;
    let by_peer = remove(txn, now, &mut log, messages)?;
    let count = by_peer.values().map(Vec::len).sum::<usize>();
    for (peer, messages) in &by_peer {
        if op.revoke && *peer != me {
            revoke(txn, me, *peer, messages)?;
        }
    }
    Ok(Affected { pts: log.pts, pts_count: i32::try_from(count).unwrap_or(i32::MAX) })
}

/// `mailbox.receiveDelete`
pub fn receive_delete(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::ReceiveDelete,
) -> Result<Done> {
    let messages = copies(txn.rows(), op.from, &op.yours, &op.mine)?;
    let mut log = Log::open(txn.rows())?;
    remove(txn, now, &mut log, messages)?;
    Ok(Done {})
}

/// `mailbox.deleteHistory`
pub fn delete_history(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::DeleteHistory,
) -> Result<AffectedHistory> {
    let me = user(txn.rows())?.0;
    let max_id = if op.max_id > 0 { op.max_id } else { i32::MAX };
    let dated = op.min_date.is_some() || op.max_date.is_some();
    let (min_date, max_date) = (op.min_date.unwrap_or(0), op.max_date.unwrap_or(i32::MAX));
    let mut batch = Vec::new();
    let mut more = false;
    txn.visit(MESSAGES, keys(op.peer, max_id, 0), Order::Forward, |_, message| {
        if message.date < min_date {
            return ControlFlow::Break(());
        }
        if message.date > max_date {
            return ControlFlow::Continue(());
        }
        if batch.len() == HISTORY_DELETE_BATCH {
            more = true;
            return ControlFlow::Break(());
        }
        batch.push(message);
        ControlFlow::Continue(())
    })?;
    let mut log = Log::open(txn.rows())?;
    let count = batch.len();
    let Some(newest) = batch.first().cloned() else {
        return Ok(AffectedHistory { pts: log.pts, pts_count: 0, offset: 0 });
    };
    let removed = remove(txn, now, &mut log, batch)?;
    let pts = log.pts;
    if op.revoke && op.peer != me {
        if dated {
            revoke(txn, me, op.peer, &removed[&op.peer])?;
        } else {
            let all =
                functions::ReceiveDeleteHistory { from: me, yours: newest.link, mine: newest.id };
            txn.deliver_to(op.peer, &all)?;
        }
    }
    if op.just_clear && !more {
        keep_place(txn, now, &mut log, op.peer, newest.date)?;
    }
    let pts_count = i32::try_from(count).unwrap_or(i32::MAX);
    Ok(AffectedHistory { pts, pts_count, offset: i32::from(more) })
}

/// `mailbox.receiveDeleteHistory`
pub fn receive_delete_history(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::ReceiveDeleteHistory,
) -> Result<Done> {
    let mut batch = Vec::new();
    let mut more = false;
    txn.visit(MESSAGES, keys(op.from, i32::MAX, 0), Order::Forward, |_, message| {
        let gone = match (message.out, message.local) {
            (_, true) => message.id <= op.yours,
            (true, _) => message.id <= op.yours,
            (false, _) => message.link <= op.mine,
        };
        if gone && batch.len() == HISTORY_DELETE_BATCH {
            more = true;
            return ControlFlow::Break(());
        }
        if gone {
            batch.push(message);
        }
        ControlFlow::Continue(())
    })?;
    let mut log = Log::open(txn.rows())?;
    remove(txn, now, &mut log, batch)?;
    if more {
        // The rest follows as a delivery to oneself, so that no operation takes long.
        let me = user(txn.rows())?.0;
        txn.deliver_to(me, &op)?;
    }
    Ok(Done {})
}

/// Takes messages out of their chats as one event, and returns them by chat.
fn remove(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    log: &mut Log,
    messages: Vec<Message>,
) -> Result<BTreeMap<i64, Vec<Message>>> {
    let mut by_peer: BTreeMap<i64, Vec<Message>> = BTreeMap::new();
    let mut ids: Vec<i32> = messages.iter().map(|message| message.id).collect();
    for message in messages {
        by_peer.entry(message.peer).or_default().push(message);
    }
    if ids.is_empty() {
        return Ok(by_peer);
    }
    let mut unread = 0;
    for (peer, messages) in &by_peer {
        unread += Chat::open(txn.rows(), *peer)?.remove(txn, messages)?;
    }
    ids.sort_unstable();
    let change = ChangeDeleteMessages { ids: ids.clone() };
    let pts = log.append(txn, now, ids.len(), -unread, change)?;
    let pts_count = i32::try_from(ids.len()).unwrap_or(i32::MAX);
    txn.tell(EffectDeleteMessages { pts, pts_count, ids });
    Ok(by_peer)
}

/// Takes away the other side's copies.
fn revoke(txn: &mut Txn<'_, '_>, me: i64, peer: i64, messages: &[Message]) -> Result<()> {
    let (yours, mine) = both_sides(messages);
    if !(yours.is_empty() && mine.is_empty()) {
        txn.deliver_to(peer, &functions::ReceiveDelete { from: me, yours, mine })?;
    }
    Ok(())
}

/// How the other side knows messages: by their ids in its box, or by those in this one.
pub(super) fn both_sides(messages: &[Message]) -> (Vec<i32>, Vec<i32>) {
    let shared = || messages.iter().filter(|message| !message.local);
    let yours = shared().filter(|message| !message.out).map(|message| message.link).collect();
    let mine = shared().filter(|message| message.out).map(|message| message.id).collect();
    (yours, mine)
}

/// The messages of the chat with `from` that it named, each once.
pub(super) fn copies(
    rows: &impl Read,
    from: i64,
    yours: &[i32],
    mine: &[i32],
) -> Result<Vec<Message>> {
    let mut found = BTreeMap::new();
    for id in yours.iter().take(DELETE_COUNT_MAX) {
        if let Some(message) = find_in(rows, from, *id)?.filter(|message| message.out) {
            found.insert(message.id, message);
        }
    }
    for link in mine.iter().take(DELETE_COUNT_MAX) {
        if let Some(message) = find_by_link(rows, from, *link)? {
            found.insert(message.id, message);
        }
    }
    Ok(found.into_values().collect())
}

/// Leaves a service message in a chat that was emptied, so that it stays in the list where it was.
fn keep_place(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    log: &mut Log,
    peer: i64,
    date: i32,
) -> Result<()> {
    let mut chat = Chat::open(txn.rows(), peer)?;
    if chat.top.is_some() {
        return Ok(());
    }
    let message = Message {
        local: true,
        action: Some(Action::ActionHistoryClear),
        ..outgoing(peer, UnixTime(date), String::new())
    };
    // The caller's answer speaks of the deletion alone.
    chat.insert(txn, now, log, message, Told { random_id: None, everyone: true })?;
    Ok(())
}
