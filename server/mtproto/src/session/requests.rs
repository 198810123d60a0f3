//! Requests that run, and those that wait for others (`invokeAfterMsg`).
//!
//! ```text
//! Running --hold--> Held --predecessors finished--> Running --send_result--> gone (its fate is in `received`)
//! ```
//!
//! Who waits is found by whom it waits for: thousands of requests may wait, and as many others end meanwhile.

use std::collections::BTreeSet;

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
    /// What it waits for, each once.
    pub(super) after: Vec<MsgId>,
    pub(super) until: UnixTime,
}

impl Held {
    fn len(&self) -> usize {
        self.request.body.len().saturating_add(self.after.len().saturating_mul(PREDECESSOR_LEN))
    }
}

/// About how many bytes of memory one predecessor of one request takes: here, and twice in a tree that may be half empty.
pub(super) const PREDECESSOR_LEN: usize = 5 * size_of::<MsgId>();

/// All of a session, by identifier.
#[derive(Debug, Default)]
pub(super) struct Requests {
    running: Vec<Running>,
    /// Whom those that wait wait for, and who waits for it.
    waiting: BTreeSet<(MsgId, MsgId)>,
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

    /// Lets a request wait; false if there is no room.
    pub(super) fn hold(&mut self, held: Held) -> bool {
        let msg_id = held.request.msg_id;
        let held_len = self.held_len.saturating_add(held.len());
        let at = self.find(msg_id);
        match at.ok().and_then(|at| self.running.get_mut(at)) {
            Some(running) if held_len <= HELD_LEN_MAX && running.held.is_none() => {
                self.waiting.extend(held.after.iter().map(|before| (*before, msg_id)));
                running.held = Some(Box::new(held));
                self.held_len = held_len;
                true
            }
            _ => false,
        }
    }

    /// Ends the waiting of a request.
    fn release(&mut self, msg_id: MsgId) -> Option<Held> {
        let at = self.find(msg_id).ok()?;
        let held = self.running.get_mut(at)?.held.take()?;
        self.held_len = self.held_len.saturating_sub(held.len());
        for before in &held.after {
            self.waiting.remove(&(*before, msg_id));
        }
        Some(*held)
    }

    pub(super) fn has_held(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Those that wait for `msg_id`.
    pub(super) fn waiting_for(&self, msg_id: MsgId) -> Vec<MsgId> {
        let all = (msg_id, MsgId(i64::MIN))..=(msg_id, MsgId(i64::MAX));
        self.waiting.range(all).map(|(_, waiting)| *waiting).collect()
    }

    /// `msg_id` waits for `before` no longer; what is to be run if it waits for nothing now.
    pub(super) fn go_on(&mut self, msg_id: MsgId, before: MsgId) -> Option<Request> {
        let at = self.find(msg_id).ok()?;
        let held = self.running.get_mut(at)?.held.as_mut()?;
        held.after.retain(|other| *other != before);
        let is_over = held.after.is_empty();
        self.held_len = self.held_len.saturating_sub(PREDECESSOR_LEN);
        self.waiting.remove(&(before, msg_id));
        if !is_over {
            return None;
        }
        self.release(msg_id).map(|held| held.request)
    }

    /// One that has waited long enough.
    pub(super) fn overdue(&self, now: UnixTime) -> Option<MsgId> {
        let mut held = self.held();
        held.find(|held| held.until <= now).map(|held| held.request.msg_id)
    }

    /// Those that wait.
    fn held(&self) -> impl Iterator<Item = &Held> {
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
