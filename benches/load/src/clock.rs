//! The load generator's clocks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use mtproto::UnixTime;

/// The moment, for measuring.
#[expect(clippy::disallowed_methods, reason = "measuring takes a clock")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// The time since 1970, which message identifiers are made of.
#[expect(clippy::disallowed_methods, reason = "a client has a clock")]
pub(crate) fn unix() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
