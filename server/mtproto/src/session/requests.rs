//! Requests that run, and those that wait for others (`invokeAfterMsg`).
//!
//! ```text
//! Running --hold--> Held --predecessors finished--> Running --send_result--> gone (its fate is in `received`)
//! ```

use crate::limits::{HELD_LEN_MAX, REQUEST_ACK_AFTER, REQUEST_COUNT_MAX};
use crate::msg_id::MsgId;
use crate::time::UnixTime;

use super::{ConnId, Request};

/// A request that was not answered yet.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) msg_id: MsgId,
    /// The connection that it came on.
    pub(super) conn: ConnId,
    since: UnixTime,
    /// Whether it was acknowledged by itself.
    acknowledged: bool,
    held: Option<Box<Held>>,
}

/// A request that waits for others.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) request: Request,
    pub(super) after: Vec<MsgId>,
    pub(super) until: UnixTime,
}

impl Held {
    fn len(&self) -> usize {
        self.request.body.len().saturating_add(self.after.len().saturating_mul(8))
    }
}

/// All of a session, by identifier.
#[derive(Debug, Default)]
pub(super) struct Requests {
    running: Vec<Running>,
    held_count: usize,
    held_len: usize,
}

impl Requests {
    pub(super) const fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    pub(super) const fn is_full(&self) -> bool {
        self.running.len() >= REQUEST_COUNT_MAX
    }

    pub(super) fn contains(&self, msg_id: MsgId) -> bool {
        self.find(msg_id).is_ok()
    }

    pub(super) fn insert(&mut self, now: UnixTime, msg_id: MsgId, conn: ConnId) {
        if let Err(at) = self.find(msg_id) {
            let running = Running { msg_id, conn, since: now, acknowledged: false, held: None };
            self.running.insert(at, running);
        }
    }

    /// Takes a request out that is answered now.
    pub(super) fn remove(&mut self, msg_id: MsgId) -> Option<Running> {
        let at = self.find(msg_id).ok()?;
        self.release(msg_id);
        let removed = self.running.remove(at);
        if self.running.is_empty() {
            self.running.shrink_to(1);
        }
        Some(removed)
    }

    /// Lets a request wait; gives it back if there is no room.
    pub(super) fn hold(&mut self, held: Held) -> Result<(), Held> {
        let len = held.len();
        let held_len = self.held_len.saturating_add(len);
        let at = self.find(held.request.msg_id);
        match at.ok().and_then(|at| self.running.get_mut(at)) {
            Some(running) if held_len <= HELD_LEN_MAX && running.held.is_none() => {
                running.held = Some(Box::new(held));
                self.held_len = held_len;
                self.held_count = self.held_count.saturating_add(1);
                Ok(())
            }
            _ => Err(held),
        }
    }

    /// Ends the waiting of a request.
    pub(super) fn release(&mut self, msg_id: MsgId) -> Option<Held> {
        let at = self.find(msg_id).ok()?;
        let held = self.running.get_mut(at)?.held.take()?;
        self.held_len = self.held_len.saturating_sub(held.len());
        self.held_count = self.held_count.saturating_sub(1);
        Some(*held)
    }

    pub(super) const fn has_held(&self) -> bool {
        self.held_count > 0
    }

    /// Those that wait.
    pub(super) fn held(&self) -> impl Iterator<Item = &Held> {
        let any = self.has_held();
        self.running.iter().filter(move |_| any).filter_map(|running| running.held.as_deref())
    }

    /// Notes that a request is acknowledged by itself; false if it was before.
    pub(super) fn acknowledge(&mut self, msg_id: MsgId) -> bool {
        let running = self.find(msg_id).ok().and_then(|at| self.running.get_mut(at));
        running.is_some_and(|running| !core::mem::replace(&mut running.acknowledged, true))
    }

    pub(super) fn is_acknowledged(&self, msg_id: MsgId) -> bool {
        let running = self.find(msg_id).ok().and_then(|at| self.running.get(at));
        running.is_some_and(|running| running.acknowledged)
    }

    /// Acknowledges those that run for long.
    pub(super) fn acknowledge_slow(&mut self, now: UnixTime) -> impl Iterator<Item = MsgId> {
        self.running
            .iter_mut()
            .filter(move |running| now >= running.since + REQUEST_ACK_AFTER)
            .filter_map(|running| {
                let before = core::mem::replace(&mut running.acknowledged, true);
                (!before).then_some(running.msg_id)
            })
    }

    /// When the next one runs for too long or has waited enough.
    pub(super) fn poll_timeout(&self) -> Option<UnixTime> {
        let slow = self
            .running
            .iter()
            .filter(|running| !running.acknowledged)
            .map(|running| running.since + REQUEST_ACK_AFTER);
        slow.chain(self.held().map(|held| held.until)).min()
    }

    /// Bytes of memory.
    pub(super) fn memory_len(&self) -> usize {
        self.running.capacity().saturating_mul(size_of::<Running>()).saturating_add(self.held_len)
    }

    fn find(&self, msg_id: MsgId) -> Result<usize, usize> {
        self.running.binary_search_by_key(&msg_id, |running| running.msg_id)
    }
}
