use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::time::timestamp::{Timestamp, shifted};

/// A time in whole milliseconds since 1970 (UTC), for rate limits and leases (RATE-1, TRAIN-3). A number in
/// JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(i64);

impl UnixMillis {
    /// Creates a time from milliseconds since 1970; negative before.
    pub const fn from_unix_millis(millis: i64) -> Self {
        UnixMillis(millis)
    }

    /// Returns the milliseconds since 1970.
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since 1970, rounded up.
    pub const fn unix_seconds_up(self) -> i64 {
        self.0.div_euclid(1000) + if self.0.rem_euclid(1000) > 0 { 1 } else { 0 }
    }

    /// Returns the time `span` later, or the last representable one if that overflows.
    pub fn later(self, span: Duration) -> Self {
        UnixMillis(self.0.saturating_add(whole_millis(span)))
    }

    /// Returns the time `span` earlier, or the first representable one if that overflows.
    pub fn earlier(self, span: Duration) -> Self {
        UnixMillis(self.0.saturating_sub(whole_millis(span)))
    }

    /// Returns the whole seconds from `earlier` until this time, rounded up; 0 if `earlier` is not earlier.
    pub fn seconds_since_up(self, earlier: UnixMillis) -> u64 {
        let millis = u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0);
        millis.div_ceil(1000)
    }
}

fn whole_millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Truncates to milliseconds.
impl From<SystemTime> for UnixMillis {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => UnixMillis(whole_millis(after)),
            Err(before) => {
                let whole = whole_millis(before.duration());
                let has_rest = before.duration().subsec_nanos() % 1_000_000 > 0;
                UnixMillis(whole.saturating_add(i64::from(has_rest)).saturating_neg())
            }
        }
    }
}

/// Returns [`UNIX_EPOCH`] for a time that the platform's clock cannot represent, such as one before 1601 on
/// Windows.
impl From<UnixMillis> for SystemTime {
    fn from(moment: UnixMillis) -> Self {
        shifted(moment.0.is_negative(), Duration::from_millis(moment.0.unsigned_abs()))
    }
}

/// Truncates to seconds.
impl From<UnixMillis> for Timestamp {
    fn from(moment: UnixMillis) -> Self {
        let seconds = moment.0.div_euclid(1000);
        let nearest = if seconds.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_unix_seconds(seconds).unwrap_or(nearest)
    }
}

/// Formats as seconds and milliseconds since 1970.
impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0.is_negative() { "-" } else { "" };
        let millis = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:03}", millis / 1000, millis % 1000)
    }
}
