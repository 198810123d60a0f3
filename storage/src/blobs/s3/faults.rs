//! What goes wrong with a store in memory: requests fail, or wait.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What a store in memory does with requests.
#[derive(Debug, Default)]
pub(super) struct Faults {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requests: u64,
    /// How many requests are still to fail.
    failing: u64,
    hold: bool,
    held: usize,
    held_most: usize,
}

impl Faults {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn requests(&self) -> u64 {
        self.state().requests
    }

    pub(super) fn held(&self) -> usize {
        self.state().held
    }

    pub(super) fn held_most(&self) -> usize {
        self.state().held_most
    }

    pub(super) fn fail(&self, count: u64) {
        self.state().failing = count;
    }

    pub(super) fn hold(&self, hold: bool) {
        let mut state = self.state();
        state.hold = hold;
        if hold {
            state.held_most = 0;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// A request is made: waits as long as it must; whether it succeeds.
    pub(super) fn meet(&self) -> bool {
        let mut state = self.state();
        state.requests += 1;
        state.held += 1;
        state.held_most = state.held_most.max(state.held);
        while state.hold {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.held -= 1;
        let fails = state.failing > 0;
        state.failing = state.failing.saturating_sub(1);
        !fails
    }
}
