//! Wall-clock time as a value. Nothing in this package reads a clock: the caller says what time it is.

use core::ops::{Add, Sub};
use core::time::Duration;

/// A moment, in nanoseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The moment `nanos` nanoseconds after 1970 began.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The moment `secs` seconds after 1970 began.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(NANOS_PER_SEC))
    }

    /// Nanoseconds since 1970.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn secs(self) -> i64 {
        // 2^64 nanoseconds are 585 years.
        (self.0 / NANOS_PER_SEC).cast_signed()
    }

    /// Whole seconds since 1970, as the protocol's `int` dates have it.
    #[must_use]
    pub fn secs_i32(self) -> i32 {
        i32::try_from(self.secs()).unwrap_or(i32::MAX)
    }

    /// Nanoseconds within the current second.
    #[must_use]
    pub const fn subsec_nanos(self) -> u64 {
        self.0 % NANOS_PER_SEC
    }

    /// How long ago `earlier` was; zero if it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for UnixTime {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for UnixTime {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

const NANOS_PER_SEC: u64 = 1_000_000_000;
