//! The update log of a box, whose newest row is the state of the box.
//!
//! ```text
//! row under pts 7: count 1   new message 7 in chat 5
//! row under pts 9: count 2   messages 3, 4 deleted       so pts went 7 → 9
//! ```
//!
//! Rows older than [`LOG_LEN_MAX`] are dropped as new ones come, except those of messages that still exist: they tell in
//! which chat a message is.

use storage::{Desc, MessageId, Order, Pts, Read, Whole};
use tl::operations::{enums::Refusal, types as answers};
use tl::records::{
    enums::Change,
    types::{Event, Message},
};

use crate::limits::{LOG_LEN_MAX, LOG_TRIM_BATCH, PTS_START};
use crate::tables::{LOG, MESSAGES, RANDOM_IDS};
use crate::{Result, Txn, UnixTime};

/// The state of a box.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    /// The last event's position.
    pub(crate) pts: i32,
    /// The last event's date.
    pub(crate) date: i32,
    /// Messages not yet read, in all chats.
    pub(crate) unread: i32,
    /// Events up to this position may be gone.
    pub(crate) floor: i32,
}

impl Log {
    /// The state as of now.
    pub(crate) fn open(rows: &impl Read) -> Result<Self> {
        Ok(match rows.newest(LOG, &Whole)? {
            Some((Desc(pts), event)) => Self::after(pts, &event),
            None => Self { pts: PTS_START, date: 0, unread: 0, floor: PTS_START },
        })
    }

    /// The state right after an event.
    pub(crate) const fn after(pts: Pts, event: &Event) -> Self {
        Self { pts: pts.0, date: event.date, unread: event.unread, floor: event.floor }
    }

    /// The state as an answer.
    pub(crate) const fn state(&self) -> answers::mailbox::State {
        answers::mailbox::State { pts: self.pts, date: self.date, unread_count: self.unread }
    }

    /// Appends an event that moves `pts` by `count` and the unread count by `unread`. Returns the `pts` after it.
    pub(crate) fn append(
        &mut self,
        txn: &mut Txn<'_, '_>,
        now: UnixTime,
        count: usize,
        unread: i32,
        change: impl Into<Change>,
    ) -> Result<i32> {
        let count = i32::try_from(count).map_err(|_| Refusal::Internal)?;
        self.pts = self.pts.checked_add(count).ok_or(Refusal::Internal)?;
        self.date = self.date.max(now.0);
        self.unread = self.unread.saturating_add(unread).max(0);
        if self.pts - self.floor >= LOG_LEN_MAX + LOG_TRIM_BATCH {
            self.trim(txn)?;
        }
        let event = Event {
            pts_count: count,
            date: self.date,
            unread: self.unread,
            floor: self.floor,
            change: change.into(),
        };
        txn.put(LOG, &Desc(Pts(self.pts)), &event);
        Ok(self.pts)
    }

    /// Drops the oldest events, a batch at most.
    fn trim(&mut self, txn: &mut Txn<'_, '_>) -> Result<()> {
        let horizon = self.pts - LOG_LEN_MAX;
        let batch = usize::try_from(LOG_TRIM_BATCH).unwrap_or_default() * 2;
        let old = Desc(Pts(horizon))..Desc(Pts(self.floor));
        let old = txn.scan(LOG, old, Order::Backward, batch)?;
        self.floor = match old.last() {
            Some((Desc(pts), _)) if old.len() == batch => pts.0,
            _ => horizon,
        };
        for (Desc(pts), event) in old {
            if let Change::ChangeNewMessage(new) = &event.change {
                if txn.contains(MESSAGES, &(new.peer, Desc(MessageId(pts.0))))? {
                    continue;
                }
                if let Some(random_id) = new.random_id {
                    txn.delete(RANDOM_IDS, &random_id);
                }
            }
            txn.delete(LOG, &Desc(pts));
        }
        Ok(())
    }
}

/// The message of that id, in whichever chat it is.
pub(crate) fn find(rows: &impl Read, id: i32) -> Result<Option<Message>> {
    let Some(event) = rows.get(LOG, &Desc(Pts(id)))? else { return Ok(None) };
    let Change::ChangeNewMessage(new) = event.change else { return Ok(None) };
    find_in(rows, new.peer, id)
}

/// The message of that id, if it is in that chat.
pub(crate) fn find_in(rows: &impl Read, peer: i64, id: i32) -> Result<Option<Message>> {
    Ok(rows.get(MESSAGES, &(peer, Desc(MessageId(id))))?)
}
