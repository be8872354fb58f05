use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A time in UTC, in whole seconds, displayed as `2025-01-15T10:00:00Z` (MODEL-4).
///
/// The years are 0000 to 9999, which this format can display.
///
/// ```
/// use custom_models_core::time::Timestamp;
///
/// let moment: Timestamp = "2025-01-15T10:00:00Z".parse()?;
/// assert_eq!(moment.unix_seconds(), 1_736_935_200);
/// assert_eq!(moment.to_string(), "2025-01-15T10:00:00Z");
/// # Ok::<(), custom_models_core::time::InvalidTimestamp>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The error for a text or a number that is not a [`Timestamp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a moment of the form `2025-01-15T10:00:00Z` in the years 0000 to 9999")]
pub struct InvalidTimestamp;

const FORM: &str = "%Y-%m-%dT%H:%M:%SZ";

impl Timestamp {
    /// The first timestamp: `0000-01-01T00:00:00Z`.
    pub const MIN: Timestamp = Timestamp(-62_167_219_200);

    /// The last timestamp: `9999-12-31T23:59:59Z`.
    pub const MAX: Timestamp = Timestamp(253_402_300_799);

    /// Creates a timestamp from seconds since 1970; negative before.
    pub fn from_unix_seconds(seconds: i64) -> Result<Self, InvalidTimestamp> {
        let moment = Timestamp(seconds);
        if (Self::MIN..=Self::MAX).contains(&moment) { Ok(moment) } else { Err(InvalidTimestamp) }
    }

    /// Returns the seconds since 1970; negative before.
    pub const fn unix_seconds(self) -> i64 {
        self.0
    }
}

/// Truncates to seconds. A clock out of range gives [`Timestamp::MIN`] or [`Timestamp::MAX`].
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let seconds = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            Err(before) => {
                let before = before.duration();
                let whole = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
                whole.saturating_add(i64::from(before.subsec_nanos() > 0)).saturating_neg()
            }
        };
        Timestamp(seconds).clamp(Self::MIN, Self::MAX)
    }
}

/// Returns [`UNIX_EPOCH`] for a time that the platform's clock cannot represent, such as one before 1601 on
/// Windows.
impl From<Timestamp> for SystemTime {
    fn from(moment: Timestamp) -> Self {
        let span = Duration::from_secs(moment.0.unsigned_abs());
        shifted(moment.0 < 0, span)
    }
}

/// Returns the time that is `span` before or after the beginning of 1970.
pub(super) fn shifted(is_before: bool, span: Duration) -> SystemTime {
    let moment =
        if is_before { UNIX_EPOCH.checked_sub(span) } else { UNIX_EPOCH.checked_add(span) };
    moment.unwrap_or(UNIX_EPOCH)
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = NaiveDateTime::parse_from_str(text, FORM).map_err(|_| InvalidTimestamp)?;
        let moment = Timestamp::from_unix_seconds(parsed.and_utc().timestamp())?;
        // Compares with the canonical form, since the parser also accepts `+2025`, one-digit months and a
        // 60th second.
        if moment.to_string() == text { Ok(moment) } else { Err(InvalidTimestamp) }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // INVARIANT: MIN and MAX are within the range of chrono.
        let moment = DateTime::<Utc>::from_timestamp(self.0, 0).unwrap_or_default();
        // Ten times as fast as `format`, which parses its pattern on each call.
        f.write_str(&moment.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
