//! Pinned messages of a chat.

use storage::{Desc, MessageId, Order, Read};
use tl::operations::{
    enums::Refusal,
    functions::mailbox as functions,
    types::{
        EffectPinnedMessages,
        mailbox::{AffectedHistory, Pinned},
    },
};
use tl::records::{
    enums::Action,
    types::{ChangePinnedMessages, Message, MessageRef},
};

use super::chat::Chat;
use super::delete::{both_sides, copies};
use super::log::{Log, find_in};
use super::send::{Replied, outgoing, post, repeated, store, writable};
use crate::limits::PIN_BATCH;
use crate::tables::PINS;
use crate::{Done, Result, Txn, UnixTime, user};

/// `mailbox.pin`
pub fn pin(txn: &mut Txn<'_, '_>, now: UnixTime, op: functions::Pin) -> Result<Pinned> {
    let me = user(txn.rows())?.0;
    writable(txn.rows(), op.peer)?;
    let Some(message) =
        find_in(txn.rows(), op.peer, op.id)?.filter(|message| message.action.is_none())
    else {
        return Err(Refusal::MessageIdInvalid.into());
    };
    let pinned = !op.unpin;
    let mut log = Log::open(txn.rows())?;
    if message.pinned == pinned {
        return Ok(Pinned::new(log.pts, 0));
    }
    let messages = [message];
    set(txn, now, &mut log, op.peer, &messages, pinned)?;
    let mut answer = Pinned::new(log.pts, 1);
    if op.oneside || op.peer == me {
        return Ok(answer);
    }
    let (yours, mine) = both_sides(&messages);
    txn.deliver_to(op.peer, &functions::ReceivePin { pinned, from: me, yours, mine })?;
    if pinned && !op.silent && repeated(txn.rows(), op.random_id)?.is_none() {
        let notice = Message {
            action: Some(Action::ActionPinMessage),
            ..outgoing(op.peer, now, String::new())
        };
        let mut chat = Chat::open(txn.rows(), op.peer)?;
        let reply = Some(Replied::to(&messages[0]));
        answer.notice = Some(post(txn, now, &mut log, &mut chat, notice, op.random_id, reply)?);
    }
    Ok(answer)
}

/// `mailbox.unpinAll`
pub fn unpin_all(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::UnpinAll,
) -> Result<AffectedHistory> {
    let me = user(txn.rows())?.0;
    let mut log = Log::open(txn.rows())?;
    let mut messages = Vec::new();
    let pins = txn.scan_prefix(PINS, &op.peer, Order::Forward, PIN_BATCH + 1)?;
    let more = pins.len() > PIN_BATCH;
    for (_, pin) in pins.iter().take(PIN_BATCH) {
        messages.extend(find_in(txn.rows(), op.peer, pin.id)?);
    }
    if messages.is_empty() {
        return Ok(AffectedHistory { pts: log.pts, pts_count: 0, offset: 0 });
    }
    set(txn, now, &mut log, op.peer, &messages, false)?;
    if op.peer != me {
        let (yours, mine) = both_sides(&messages);
        txn.deliver_to(op.peer, &functions::ReceivePin { pinned: false, from: me, yours, mine })?;
    }
    let pts_count = i32::try_from(messages.len()).unwrap_or(i32::MAX);
    Ok(AffectedHistory { pts: log.pts, pts_count, offset: i32::from(more) })
}

/// `mailbox.receivePin`
pub fn receive_pin(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    op: functions::ReceivePin,
) -> Result<Done> {
    let mut messages = copies(txn.rows(), op.from, &op.yours, &op.mine)?;
    messages.retain(|message| message.pinned != op.pinned);
    if !messages.is_empty() {
        let mut log = Log::open(txn.rows())?;
        set(txn, now, &mut log, op.from, &messages, op.pinned)?;
    }
    Ok(Done {})
}

/// Pins messages of one chat or ends that, as one event.
fn set(
    txn: &mut Txn<'_, '_>,
    now: UnixTime,
    log: &mut Log,
    peer: i64,
    messages: &[Message],
    pinned: bool,
) -> Result<()> {
    let ids: Vec<i32> = messages.iter().map(|message| message.id).collect();
    for message in messages {
        store(txn, &Message { pinned, ..message.clone() });
        let key = (peer, Desc(MessageId(message.id)));
        if pinned {
            txn.put(PINS, &key, &MessageRef { id: message.id });
        } else {
            txn.delete(PINS, &key);
        }
    }
    let change = ChangePinnedMessages { pinned, peer, ids: ids.clone() };
    let pts = log.append(txn, now, ids.len(), 0, change)?;
    let pts_count = i32::try_from(ids.len()).unwrap_or(i32::MAX);
    txn.tell(EffectPinnedMessages { pinned, pts, pts_count, peer, ids });
    Ok(())
}
