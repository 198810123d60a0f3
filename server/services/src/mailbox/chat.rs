//! One chat of a box: its totals, messages coming and going, and the way between the copies of a message.
//!
//! Rows of a chat, newest first; `ordinal` counts messages, `incoming` those of the other side, `link` is the greatest id in
//! the other side's box that is known here:
//!
//! ```text
//! id  out  ordinal incoming link
//! 12  no      4       2      31    ◄── the newest: 4 messages, 2 incoming; this is the copy of the other side's 31
//! 11  yes     3       1      20
//!  7  no      2       1      20    ◄── the copy of 20
//!  4  yes     1       0       0
//! ```
//!
//! Both ids and links never fall along a chat, because deliveries come in the order they were sent: so a copy is found by
//! bisecting, and no index needs a put. What was deleted is accounted for in the chat's row of [`DIALOGS`], which also keeps
//! the totals when the newest message goes.

use std::ops::ControlFlow;

use storage::{Desc, MessageId, Order, Read};
use tl::operations::types as effects;
use tl::records::types::{ChangeNewMessage, Dialog, Message};

use super::attachment;
use super::log::Log;
use crate::limits::LINK_SCAN_COUNT;
use crate::tables::{DIALOGS, MESSAGES, PINS};
use crate::{Result, Txn, UnixTime};

/// A chat's key range from `id` on to older messages.
type Keys = std::ops::RangeInclusive<(i64, Desc<MessageId>)>;

/// A chat as it is at the moment.
#[derive(Clone, Debug)]
pub(crate) struct Chat {
    /// The other side.
    pub(crate) peer: i64,
    /// The newest message.
    pub(crate) top: Option<Message>,
    /// The chat's row, if there is one.
    pub(crate) row: Option<Dialog>,
}

impl Chat {
    /// Reads the chat: a seek and a get.
    pub(crate) fn open(rows: &impl Read, peer: i64) -> Result<Self> {
        let row = rows.get(DIALOGS, &peer)?;
        // Without a row there are no messages.
        let top = if row.is_some() { top(rows, peer)? } else { None };
        Ok(Self { peer, top, row })
    }

    /// The same for a chat whose row is at hand.
    pub(crate) fn of_row(rows: &impl Read, peer: i64, row: Dialog) -> Result<Self> {
        Ok(Self { peer, top: top(rows, peer)?, row: Some(row) })
    }

    /// The chat's row, or what it would be.
    pub(crate) fn dialog(&self) -> Dialog {
        self.row.clone().unwrap_or_else(|| Dialog::new(0, 0, 0, 0, 0, 0, 0, 0))
    }

    fn ordinal(&self) -> i32 {
        let row = self.row.as_ref().map_or(0, |row| row.ordinal);
        self.top.as_ref().map_or(0, |top| top.ordinal).max(row)
    }

    fn incoming(&self) -> i32 {
        let row = self.row.as_ref().map_or(0, |row| row.incoming);
        self.top.as_ref().map_or(0, |top| top.incoming).max(row)
    }

    /// The greatest id of the other side's box known here.
    pub(crate) fn link(&self) -> i32 {
        let row = self.row.as_ref().map_or(0, |row| row.link);
        self.top.as_ref().map_or(0, |top| top.link).max(row)
    }

    /// How many messages there are.
    pub(crate) fn count(&self) -> i32 {
        (self.ordinal() - self.row.as_ref().map_or(0, |row| row.gone)).max(0)
    }

    /// How many of them are incoming and beyond the read mark.
    pub(crate) fn unread(&self) -> i32 {
        let (read, gone) = self.row.as_ref().map_or((0, 0), |row| (row.read_in, row.gone_unread));
        (self.incoming() - read - gone).max(0)
    }

    /// Adds a message as the newest one and tells the sessions. `message.link` is the other side's id of it, or 0.
    ///
    /// Sets the fields that follow from the place. Costs two puts, three for the first of a chat.
    pub(crate) fn insert(
        &mut self,
        txn: &mut Txn<'_, '_>,
        now: UnixTime,
        log: &mut Log,
        mut message: Message,
        told: Told,
    ) -> Result<Message> {
        message.peer = self.peer;
        message.ordinal = self.ordinal() + 1;
        message.incoming = self.incoming() + i32::from(!message.out);
        message.link = self.link().max(message.link);
        let unread = i32::from(!message.out);
        let change =
            ChangeNewMessage { random_id: told.random_id, ..ChangeNewMessage::new(self.peer) };
        message.id = log.append(txn, now, 1, unread, change)?;
        txn.put(MESSAGES, &(self.peer, Desc(MessageId(message.id))), &message);
        if self.row.is_none() {
            let row = self.dialog();
            txn.put(DIALOGS, &self.peer, &row);
            self.row = Some(row);
        }
        txn.tell(effects::EffectNewMessage {
            everyone: told.everyone,
            random_id: told.random_id.filter(|_| message.out),
            pts: message.id,
            message: message.clone(),
        });
        self.top = Some(message.clone());
        Ok(message)
    }

    /// Takes messages out of the chat, and lets the files go that they hold. Returns how many of them were unread.
    pub(crate) fn remove(&mut self, txn: &mut Txn<'_, '_>, messages: &[Message]) -> Result<i32> {
        let mut row = self.dialog();
        row.ordinal = self.ordinal();
        row.incoming = self.incoming();
        row.link = self.link();
        let mut unread = 0;
        for message in messages {
            let key = (self.peer, Desc(MessageId(message.id)));
            txn.delete(MESSAGES, &key);
            if message.pinned {
                txn.delete(PINS, &key);
            }
            row.gone += 1;
            if !message.out && message.incoming > row.read_in {
                unread += 1;
            }
        }
        attachment::release(txn, messages)?;
        row.gone_unread += unread;
        self.top = top(txn.rows(), self.peer)?;
        // The row stays when no message is left: marks and totals go on where they were.
        txn.put(DIALOGS, &self.peer, &row);
        self.row = Some(row);
        Ok(unread)
    }

    /// Moves the read mark to `max_id`. Returns how many messages were thereby read; with 0 nothing is written.
    pub(crate) fn mark_read(&mut self, txn: &mut Txn<'_, '_>, max_id: i32) -> Result<i32> {
        let before = self.unread();
        let mut row = self.dialog();
        let Some(top) = self.top.as_ref().filter(|_| max_id > row.read_inbox_max_id) else {
            return Ok(0);
        };
        if max_id >= top.id {
            row.read_inbox_max_id = top.id;
            row.read_in = self.incoming();
            row.gone_unread = 0;
        } else {
            row.read_inbox_max_id = max_id;
            row.read_in = newest(txn.rows(), self.peer, max_id)?
                .map_or(0, |mark| mark.incoming)
                .max(row.read_in);
            if row.gone_unread > 0 {
                let left = count_incoming(txn.rows(), self.peer, max_id)?;
                row.gone_unread = (self.incoming() - row.read_in - left).max(0);
            }
        }
        let after = Self { row: Some(row.clone()), ..self.clone() }.unread();
        if after == before {
            return Ok(0);
        }
        row.unread_mark = false;
        txn.put(DIALOGS, &self.peer, &row);
        self.row = Some(row);
        Ok(before - after)
    }
}

/// How a new message is told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    /// The id its sender, or whoever wrote it for the server, chose.
    pub(crate) random_id: Option<i64>,
    /// Whether the calling session is told too.
    pub(crate) everyone: bool,
}

/// The keys of a chat's messages up to `max_id` and beyond `min_id`, newest first.
pub(crate) const fn keys(peer: i64, max_id: i32, min_id: i32) -> Keys {
    (peer, Desc(MessageId(max_id)))..=(peer, Desc(MessageId(min_id.saturating_add(1))))
}

/// The newest message of a chat.
fn top(rows: &impl Read, peer: i64) -> Result<Option<Message>> {
    Ok(rows.newest(MESSAGES, &peer)?.map(|(_, message)| message))
}

/// The newest message of a chat up to `max_id`: a seek.
pub(crate) fn newest(rows: &impl Read, peer: i64, max_id: i32) -> Result<Option<Message>> {
    Ok(rows.first(MESSAGES, keys(peer, max_id, 0), Order::Forward)?.map(|(_, message)| message))
}

fn count_incoming(rows: &impl Read, peer: i64, min_id: i32) -> Result<i32> {
    let mut count = 0;
    rows.visit(MESSAGES, keys(peer, i32::MAX, min_id), Order::Forward, |_, message| {
        count += i32::from(!message.out);
        ControlFlow::Continue(())
    })?;
    Ok(count)
}

/// The copy of the other side's message `link`.
///
/// Looks through the newest messages first: what is edited, revoked or replied to is mostly recent.
pub(crate) fn find_by_link(rows: &impl Read, peer: i64, link: i32) -> Result<Option<Message>> {
    if link <= 0 {
        return Ok(None);
    }
    let mut found = None;
    let mut oldest = None;
    for (_, message) in
        rows.scan(MESSAGES, keys(peer, i32::MAX, 0), Order::Forward, LINK_SCAN_COUNT)?
    {
        if message.link < link {
            return Ok(found);
        }
        oldest = Some(message.id);
        if is_copy(&message, link) {
            found = Some(message);
        }
    }
    if found.is_some() {
        return Ok(found);
    }
    // All those have a link at least as great. Bisect for the oldest that has: everything up to `low` has a smaller one.
    let Some(mut high) = oldest else { return Ok(None) };
    let mut low = 0;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let row = rows.first(MESSAGES, keys(peer, middle, low), Order::Forward)?;
        match row.map(|(_, message)| message) {
            Some(message) if message.link >= link => {
                high = message.id;
                found = is_copy(&message, link).then_some(message);
            }
            _ => low = middle,
        }
    }
    Ok(found)
}

fn is_copy(message: &Message, link: i32) -> bool {
    !message.out && !message.local && message.link == link
}
