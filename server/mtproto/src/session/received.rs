//! Which identifiers a session has received, and what became of the messages.
//!
//! Sorted by identifier. What is older than the protocol lets a client send is forgotten, from the lowest on; below the
//! horizon nothing is known any more.

use std::cmp::Ordering;
use std::collections::VecDeque;

use crate::limits::{MSG_ID_AGE_MAX, RECEIVED_COUNT_MAX};
use crate::msg_id::MsgId;
use crate::time::UnixTime;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// A container; its messages are remembered one by one.
    Container,
    /// A message that is handled at once and may be handled again.
    Service,
    /// A request that runs or waits for others.
    Running,
    /// A request that was answered.
    Answered,
    /// A request that was answered with an error, or dropped.
    Failed,
    /// A request whose answer the client has acknowledged.
    Acknowledged,
    /// As `Acknowledged`, for an error.
    AcknowledgedFailure,
}

/// What is known of an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Received.
    Yes(Fate),
    /// Not received.
    No,
    /// Higher than all that were received.
    TooHigh,
    /// Too low to know.
    Forgotten,
}

/// The memory of a session.
#[derive(Debug)]
pub(super) struct Received {
    entries: VecDeque<(MsgId, Fate)>,
    /// Below this nothing is known.
    horizon: MsgId,
    /// The highest identifier and its `seq_no`.
    highest: (MsgId, i32),
}

impl Received {
    /// The memory of a session that begins now.
    ///
    /// An earlier life has received nothing after `earlier`; without one, the horizon is where identifiers are too old anyway.
    pub(super) fn new(now: UnixTime, earlier: Option<MsgId>) -> Self {
        let too_old = MsgId::at(now - MSG_ID_AGE_MAX);
        let horizon = earlier.map_or(too_old, |last| too_old.max(MsgId(last.0.saturating_add(1))));
        Self { entries: VecDeque::new(), horizon, highest: (MsgId::default(), 0) }
    }

    pub(super) fn known(&self, msg_id: MsgId) -> Known {
        match self.find(msg_id) {
            Ok(at) => self.entries.get(at).map_or(Known::No, |(_, fate)| Known::Yes(*fate)),
            Err(_) if msg_id < self.horizon => Known::Forgotten,
            Err(at) if at == self.entries.len() => Known::TooHigh,
            Err(_) => Known::No,
        }
    }

    /// Remembers a message that was not known.
    pub(super) fn insert(&mut self, now: UnixTime, msg_id: MsgId, seq_no: i32, fate: Fate) {
        self.forget_older_than(now);
        if self.entries.len() >= RECEIVED_COUNT_MAX {
            self.forget_lowest();
        }
        match self.find(msg_id) {
            Ok(_) => {}
            Err(at) if at == self.entries.len() => self.entries.push_back((msg_id, fate)),
            Err(at) => self.entries.insert(at, (msg_id, fate)),
        }
        if msg_id > self.highest.0 {
            self.highest = (msg_id, seq_no);
        }
    }

    pub(super) fn set(&mut self, msg_id: MsgId, fate: Fate) {
        if let Ok(at) = self.find(msg_id)
            && let Some((_, entry)) = self.entries.get_mut(at)
        {
            *entry = fate;
        }
    }

    /// The highest identifier and its `seq_no`.
    pub(super) const fn highest(&self) -> (MsgId, i32) {
        self.highest
    }

    /// Gives memory back that is not needed now.
    pub(super) fn shrink(&mut self, now: UnixTime) {
        self.forget_older_than(now);
        self.entries.shrink_to_fit();
    }

    /// Bytes of memory.
    pub(super) fn memory_len(&self) -> usize {
        self.entries.capacity().saturating_mul(size_of::<(MsgId, Fate)>())
    }

    /// Where it is, or would be. Mostly that is near the end: the search goes back from there in steps that double.
    fn find(&self, msg_id: MsgId) -> Result<usize, usize> {
        let mut end = self.entries.len();
        let mut step = 1_usize;
        let mut start = end.saturating_sub(step);
        while start > 0 && self.entries.get(start).is_some_and(|(id, _)| *id > msg_id) {
            end = start;
            step = step.saturating_mul(2);
            start = end.saturating_sub(step);
        }
        while start < end {
            let middle = start.midpoint(end);
            let Some((id, _)) = self.entries.get(middle) else { break };
            match id.cmp(&msg_id) {
                Ordering::Equal => return Ok(middle),
                Ordering::Less => start = middle.saturating_add(1),
                Ordering::Greater => end = middle,
            }
        }
        Err(start)
    }

    fn forget_older_than(&mut self, now: UnixTime) {
        let oldest = MsgId::at(now - MSG_ID_AGE_MAX);
        while self.entries.front().is_some_and(|(id, _)| *id < oldest) {
            self.forget_lowest();
        }
    }

    fn forget_lowest(&mut self) {
        if let Some((id, _)) = self.entries.pop_front() {
            self.horizon = self.horizon.max(MsgId(id.0.saturating_add(1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn id(offset: i64) -> MsgId {
        MsgId(MsgId::at(NOW).0 + offset * 4)
    }

    #[test]
    fn knows_what_came_in_any_order() {
        let mut received = Received::new(NOW, None);
        for offset in [5, 1, 3] {
            received.insert(NOW, id(offset), 1, Fate::Service);
        }
        for (offset, expected) in [
            (1, Known::Yes(Fate::Service)),
            (2, Known::No),
            (5, Known::Yes(Fate::Service)),
            (6, Known::TooHigh),
        ] {
            assert_eq!(received.known(id(offset)), expected);
        }
        assert_eq!(received.known(MsgId::at(NOW - Duration::from_secs(301))), Known::Forgotten);
        received.set(id(3), Fate::Failed);
        assert_eq!(received.known(id(3)), Known::Yes(Fate::Failed));
        assert_eq!(received.highest(), (id(5), 1));
    }

    #[test]
    fn finds_each_of_any_number() {
        for count in 0..70 {
            let mut received = Received::new(NOW, None);
            for offset in 0..count {
                received.insert(NOW, id(2 * offset), 0, Fate::Service);
            }
            for at in 0..count {
                let index = usize::try_from(at).unwrap();
                assert_eq!(received.find(id(2 * at)), Ok(index));
                assert_eq!(received.find(id(2 * at - 1)), Err(index));
            }
            assert_eq!(received.find(id(2 * count)), Err(received.entries.len()));
        }
    }

    #[test]
    fn forgets_by_age_and_by_number() {
        let mut received = Received::new(NOW, None);
        for offset in 0..10_000 {
            received.insert(NOW, id(offset), 0, Fate::Service);
        }
        assert_eq!(received.entries.len(), RECEIVED_COUNT_MAX);
        assert_eq!(received.known(id(100)), Known::Forgotten);
        let later = NOW + Duration::from_secs(400);
        received.insert(later, MsgId::at(later), 0, Fate::Service);
        assert_eq!(received.entries.len(), 1);
        assert_eq!(received.known(id(9_999)), Known::Forgotten);
    }
}
