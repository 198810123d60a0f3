//! The memory of obfuscated2 inits: a recorded connection that is played again must not be answered.
//!
//! Bounded in number and in time; what falls out by either bound could be replayed, which the envelope (`msg_id`, salt)
//! refuses again. Keep one for each server, or for each shard if connections are spread by address.

use std::collections::{HashSet, VecDeque};

use super::InitId;
use crate::limits::{REPLAY_AGE_MAX, REPLAY_COUNT_MAX};
use crate::time::UnixTime;

/// The inits of the last few minutes.
#[derive(Debug, Default)]
pub struct ReplayMemory {
    seen: HashSet<InitId>,
    /// The same ones, oldest first, with the time they leave.
    queue: VecDeque<(UnixTime, InitId)>,
}

impl ReplayMemory {
    /// Remembers nothing yet, and has allocated nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes `init`; false when it was seen before: close that connection without an answer.
    pub fn remember(&mut self, now: UnixTime, init: InitId) -> bool {
        while let Some((until, oldest)) = self.queue.front() {
            if *until > now && self.queue.len() < REPLAY_COUNT_MAX {
                break;
            }
            self.seen.remove(oldest);
            self.queue.pop_front();
        }
        if !self.seen.insert(init) {
            return false;
        }
        self.queue.push_back((now + REPLAY_AGE_MAX, init));
        true
    }

    /// How many are remembered.
    pub fn count(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn init(n: usize) -> InitId {
        let mut id = [0x77; 48];
        id[..8].copy_from_slice(&n.to_le_bytes());
        InitId(id)
    }

    #[test]
    fn repeated_inits_are_recognised_for_a_while() {
        let mut memory = ReplayMemory::new();
        let start = UnixTime::from_secs(1_000_000);
        assert!(memory.remember(start, init(0)));
        assert!(memory.remember(start, init(1)));
        assert!(!memory.remember(start, init(0)));
        assert!(!memory.remember(start + REPLAY_AGE_MAX / 2, init(0)));
        // A repetition does not prolong the memory of the first.
        assert!(memory.remember(start + REPLAY_AGE_MAX, init(0)));
        assert_eq!(memory.count(), 1);
    }

    #[test]
    fn the_oldest_makes_room() {
        let (mut memory, now) = (ReplayMemory::new(), UnixTime::from_secs(5));
        for n in 0..=REPLAY_COUNT_MAX {
            assert!(memory.remember(now, init(n)));
        }
        assert_eq!(memory.count(), REPLAY_COUNT_MAX);
        assert!(memory.remember(now, init(0)));
        assert!(!memory.remember(now, init(REPLAY_COUNT_MAX)));
    }
}
