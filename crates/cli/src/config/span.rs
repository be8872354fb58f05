//! Spans of time, and limits that may be off, for the command line and the file of settings.
//!
//! The grammar is that of a rate limit's period (`10/1h`), which the core parses: a number and s, m, h or d.
//! humantime's has months (`1M`) next to minutes (`1m`), fractions and nanoseconds, none of which a lease or the
//! lifetime of a key can have. The durations of jiff have no days.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use custom_models_core::access::RateLimit;
use custom_models_core::time::Timestamp;
use serde::{Deserialize, Deserializer};

/// A limit, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OrOff<T>(pub(crate) Option<T>);

impl<T: FromStr> FromStr for OrOff<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(OrOff(None)),
            _ => text.parse().map(|limit| OrOff(Some(limit))),
        }
    }
}

impl<'de> Deserialize<'de> for OrOff<RateLimit> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

impl<'de> Deserialize<'de> for OrOff<Span> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

impl<'de> Deserialize<'de> for OrOff<NonZeroU32> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a number from 1, or \"off\"")]
        enum Given {
            Number(NonZeroU32),
            Off(Off),
        }
        #[derive(Deserialize)]
        enum Off {
            #[serde(rename = "off")]
            Off,
        }
        Ok(OrOff(match Given::deserialize(deserializer)? {
            Given::Number(number) => Some(number),
            Given::Off(Off::Off) => None,
        }))
    }
}

/// A span of time in whole seconds, written as `90d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(Duration);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a duration is a number from 1 and a unit (s, m, h, d), such as 90d; at most 36500d")]
pub(crate) struct InvalidSpan;

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const LONGEST: u64 = 36_500 * 86_400;
        let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
        let found =
            units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, seconds)));
        let (number, seconds) = found.ok_or(InvalidSpan)?;
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidSpan);
        }
        let number: u64 = number.parse().map_err(|_| InvalidSpan)?;
        let span = number.checked_mul(*seconds).filter(|span| (1..=LONGEST).contains(span));
        span.map(|span| Span(Duration::from_secs(span))).ok_or(InvalidSpan)
    }
}

impl Span {
    /// Returns the length of the span.
    pub(crate) const fn get(self) -> Duration {
        self.0
    }

    /// Returns the time that is this span after `start`.
    pub(crate) fn after(self, start: Timestamp) -> Timestamp {
        let span = i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX);
        let end = start.unix_seconds().saturating_add(span);
        Timestamp::from_unix_seconds(end).unwrap_or(Timestamp::MAX)
    }
}

/// Parses a string of the file.
pub(super) fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests;
