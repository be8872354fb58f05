use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The name of a metric: 1 to 64 characters of `a-z`, `0-9` and `_` (TRAIN-3).
///
/// Names are ordered as in READ-4: the five named metrics first, in their order, then all others in ascending
/// order.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct MetricName(Cow<'static, str>);

/// The error for a text that is not the name of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of a metric is 1 to 64 characters of a-z, 0-9 and _")]
pub struct InvalidMetricName;

impl MetricName {
    /// The longest name, in characters.
    pub const MAX_CHARACTERS: usize = 64;

    /// Errors per word, on the training data.
    pub const WORD_ERROR_RATE: MetricName = MetricName(Cow::Borrowed("word_error_rate"));

    /// Errors per character.
    pub const CHARACTER_ERROR_RATE: MetricName = MetricName(Cow::Borrowed("character_error_rate"));

    /// The gain in accuracy over the base model.
    pub const ACCURACY_IMPROVEMENT: MetricName = MetricName(Cow::Borrowed("accuracy_improvement"));

    /// The hours that the training took.
    pub const TRAINING_HOURS: MetricName = MetricName(Cow::Borrowed("training_hours"));

    /// Errors per word, on the test data.
    pub const TEST_WORD_ERROR_RATE: MetricName = MetricName(Cow::Borrowed("test_word_error_rate"));

    /// The five metrics that READ-4 names, in their order.
    pub const NAMED: [MetricName; 5] = [
        MetricName::WORD_ERROR_RATE,
        MetricName::CHARACTER_ERROR_RATE,
        MetricName::ACCURACY_IMPROVEMENT,
        MetricName::TRAINING_HOURS,
        MetricName::TEST_WORD_ERROR_RATE,
    ];

    /// Validates a name.
    pub fn new(name: &str) -> Result<Self, InvalidMetricName> {
        if let Some(named) = MetricName::NAMED.into_iter().find(|named| named.as_str() == name) {
            return Ok(named);
        }
        let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        if (1..=Self::MAX_CHARACTERS).contains(&name.len()) && name.bytes().all(is_allowed) {
            Ok(MetricName(Cow::Owned(name.to_owned())))
        } else {
            Err(InvalidMetricName)
        }
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the position among the five named metrics, or 5 for any other name.
    fn place(&self) -> usize {
        let place = MetricName::NAMED.iter().position(|named| named == self);
        place.unwrap_or(MetricName::NAMED.len())
    }
}

impl Ord for MetricName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place()).then_with(|| self.as_str().cmp(other.as_str()))
    }
}

impl PartialOrd for MetricName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for MetricName {
    type Err = InvalidMetricName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        MetricName::new(name)
    }
}

impl fmt::Debug for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<'de> Deserialize<'de> for MetricName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = MetricName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a metric")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<MetricName, E> {
        MetricName::new(name).map_err(E::custom)
    }
}
