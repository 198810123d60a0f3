//! The only clock.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use mtproto::UnixTime;

/// Tells the time, and never an earlier one than before: everything that keeps time relies on that.
///
/// When the system's clock is set back, this one stands still until it is caught up with.
#[derive(Debug, Default)]
pub struct Clock {
    latest_nanos: AtomicU64,
}

impl Clock {
    /// The time since 1970.
    pub fn now(&self) -> UnixTime {
        #[expect(clippy::disallowed_methods, reason = "the only clock")]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let nanos = u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX);
        let latest = self.latest_nanos.fetch_max(nanos, Ordering::Relaxed);
        UnixTime::from_nanos(nanos.max(latest))
    }
}

/// The whole seconds of a time, as operations count them.
#[must_use]
pub fn seconds(now: UnixTime) -> services::UnixTime {
    services::UnixTime(now.secs_i32())
}
