use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::date::Date;

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

const SECONDS_IN_DAY: i64 = 86_400;

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
        shifted(moment.0.is_negative(), span)
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
        let number = |place: Range<usize>| {
            let digits = text.get(place).and_then(|digits| digits.parse::<u16>().ok());
            digits.map(i64::from).ok_or(InvalidTimestamp)
        };
        let date = Date(number(0..4)?, number(5..7)?, number(8..10)?);
        let second = 3600 * number(11..13)? + 60 * number(14..16)? + number(17..19)?;
        let moment = Timestamp::from_unix_seconds(SECONDS_IN_DAY * date.days() + second)?;
        // Compares with the canonical form: so far the rest of the text, a sign, a 30th of February and a 60th
        // second would do.
        if moment.to_string() == text { Ok(moment) } else { Err(InvalidTimestamp) }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Date(year, month, day) = Date::from_days(self.0.div_euclid(SECONDS_IN_DAY));
        let second = self.0.rem_euclid(SECONDS_IN_DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let [[y0, y1], [y2, y3]] = [digits(year / 100), digits(year)];
        let [[mo0, mo1], [d0, d1]] = [digits(month), digits(day)];
        let [[h0, h1], [mi0, mi1], [s0, s1]] = [digits(hour), digits(minute), digits(second)];
        let text = [
            y0, y1, y2, y3, b'-', mo0, mo1, b'-', d0, d1, b'T', h0, h1, b':', mi0, mi1, b':', s0,
            s1, b'Z',
        ];
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// Returns the last two digits of a number.
fn digits(number: i64) -> [u8; 2] {
    let digit = |number| b'0' + u8::try_from(number % 10).unwrap_or_default();
    [digit(number / 10), digit(number)]
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
