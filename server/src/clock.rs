//! The only clock.

use std::{
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use mtproto::UnixTime;

/// Tells the time, and never an earlier one than before: everything that keeps time relies on that.
///
/// ```text
/// the system's clock  ─────────┐         ╱           set forwards: followed at once
///                              └────────╱            set back: caught up with by going slower, never by standing still
/// this one            ────────────────────           since time-outs, retries and salts go by it
/// ```
///
/// While it catches up it is as much ahead as the system's clock was set back; clients set theirs by it, as they do when they are
/// wrong.
#[derive(Debug)]
pub struct Clock {
    begun: Instant,
    /// The most that the system's clock has been ahead of the slow one, in nanoseconds.
    ahead_nanos: AtomicI64,
    latest_nanos: AtomicU64,
    /// By how much the system's clock is taken to have been set since the start, in seconds. For tests.
    set_s: AtomicI64,
    /// Whether it stands still. For tests.
    stands: AtomicBool,
}

/// A clock that has to be caught up with is so by one second in so many.
const CATCH_UP: u64 = 32;

impl Default for Clock {
    fn default() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the only clock")]
        let begun = Instant::now();
        Self {
            begun,
            ahead_nanos: AtomicI64::new(i64::MIN),
            latest_nanos: AtomicU64::new(0),
            set_s: AtomicI64::new(0),
            stands: AtomicBool::new(false),
        }
    }
}

impl Clock {
    /// The time since 1970.
    pub fn now(&self) -> UnixTime {
        if self.stands.load(Ordering::Relaxed) {
            return UnixTime::from_nanos(self.latest_nanos.load(Ordering::Relaxed));
        }
        #[expect(clippy::disallowed_methods, reason = "the only clock")]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let system = u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX);
        let set = self.set_s.load(Ordering::Relaxed).saturating_mul(1_000_000_000);
        let running = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.tell(system.saturating_add_signed(set), running)
    }

    /// The time when the system's clock says `system`, `running` nanoseconds after the start.
    fn tell(&self, system: u64, running: u64) -> UnixTime {
        // As long as nobody sets the system's clock it gains on this one, and is what is told.
        let slow = (running - running / CATCH_UP).cast_signed();
        let ahead = system.cast_signed().saturating_sub(slow);
        let most = self.ahead_nanos.fetch_max(ahead, Ordering::Relaxed).max(ahead);
        let nanos = most.saturating_add(slow).cast_unsigned();
        // Two threads may come here in another order than they looked at the clocks.
        let latest = self.latest_nanos.fetch_max(nanos, Ordering::Relaxed);
        UnixTime::from_nanos(nanos.max(latest))
    }

    /// Lets it stand still from here on. For tests.
    pub fn stop(&self) {
        self.now();
        self.stands.store(true, Ordering::Relaxed);
    }

    /// Lets one that stands still go on by so much. For tests.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.latest_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// As if the system's clock were set by so many seconds. For tests.
    pub fn set(&self, by_s: i64) {
        self.set_s.fetch_add(by_s, Ordering::Relaxed);
    }
}

/// The whole seconds of a time, as operations count them.
#[must_use]
pub fn seconds(now: UnixTime) -> services::UnixTime {
    services::UnixTime(now.secs_i32())
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_S: u64 = 1_700_000_000;
    const HOUR_S: u64 = 3600;

    /// Looks at a clock at these moments: what the system's clock says and how long the process runs, both in seconds, the first
    /// from `START_S` on. What it tells, likewise.
    #[track_caller]
    fn check(looks: &[(i64, u64, u64)]) {
        let clock = Clock::default();
        for &(system, running, expected) in looks {
            let system = START_S.saturating_add_signed(system) * 1_000_000_000;
            let told = clock.tell(system, running * 1_000_000_000);
            assert_eq!(
                told,
                UnixTime::from_secs(START_S + expected),
                "{running} s after the start"
            );
        }
    }

    #[test]
    fn a_clock_that_nobody_sets_is_told() {
        check(&[(0, 0, 0), (1, 1, 1), (1, 1, 1), (500_000, 500_000, 500_000)]);
    }

    #[test]
    fn one_that_is_set_forwards_is_followed() {
        check(&[(0, 0, 0), (5 * 3600, 1, 5 * HOUR_S), (5 * 3600 + 9, 10, 5 * HOUR_S + 9)]);
    }

    #[test]
    fn one_that_is_set_back_is_caught_up_with() {
        check(&[
            (3600, 0, HOUR_S),
            // An hour back: time goes on, slower by a thirty-second.
            (0, 0, HOUR_S),
            (32, 32, HOUR_S + 31),
            (3200, 3200, HOUR_S + 3100),
            // After 32 hours it is caught up with.
            (32 * 3600, 32 * HOUR_S, 32 * HOUR_S),
            (33 * 3600, 33 * HOUR_S, 33 * HOUR_S),
        ]);
    }

    #[test]
    fn one_before_1970_stops_nothing() {
        let clock = Clock::default();
        assert_eq!(clock.tell(0, 0), UnixTime::from_nanos(0));
        assert_eq!(clock.tell(0, 32_000_000_000), UnixTime::from_nanos(31_000_000_000));
    }

    #[test]
    fn looks_of_other_threads_in_another_order() {
        check(&[(10, 10, 10), (9, 9, 10), (11, 11, 11)]);
    }
}
