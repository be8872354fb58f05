//! The id of a model, and the key derived from it.

use serde::de::Error;
use serde::ser::Serializer;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

/// The id of a model: positive, unique in its store, never used twice, at most 2^53 − 1 (MODEL-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ModelId(NonZeroU64);

impl ModelId {
    /// The largest id: 2^53 − 1, so that a JavaScript `number` holds every id exactly (MODEL-1).
    pub const MAX: u64 = (1 << 53) - 1;

    /// Accepts a number from 1 to [`ModelId::MAX`].
    pub fn new(number: u64) -> Result<Self, InvalidModelId> {
        match NonZeroU64::new(number) {
            Some(id) if number <= Self::MAX => Ok(ModelId(id)),
            _ => Err(InvalidModelId),
        }
    }

    /// Returns the number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// Returns the key of the model (MODEL-2).
    pub const fn key(self) -> ModelKey {
        ModelKey(self)
    }
}

impl TryFrom<u64> for ModelId {
    type Error = InvalidModelId;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        ModelId::new(number)
    }
}

impl TryFrom<i64> for ModelId {
    type Error = InvalidModelId;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        u64::try_from(number).map_err(|_| InvalidModelId).and_then(ModelId::new)
    }
}

impl From<ModelId> for u64 {
    fn from(id: ModelId) -> Self {
        id.get()
    }
}

/// Databases store integers as `i64`, which holds every id.
impl From<ModelId> for i64 {
    fn from(id: ModelId) -> Self {
        id.get().cast_signed()
    }
}

/// Parses decimal digits without a sign and without leading zeros, as ids are displayed.
impl FromStr for ModelId {
    type Err = InvalidModelId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with(['+', '0']) {
            return Err(InvalidModelId);
        }
        text.parse().map_err(|_| InvalidModelId).and_then(ModelId::new)
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for ModelId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

/// The error for a number or a text that is not a model's id or key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a model: an integer from 1 to 2^53 - 1")]
pub struct InvalidModelId;

/// The key of a model in transcription requests: `custom_model_{id}`, derived from the id alone (MODEL-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelKey(ModelId);

impl ModelKey {
    const PREFIX: &'static str = "custom_model_";

    /// Returns the id of the model.
    pub const fn id(self) -> ModelId {
        self.0
    }
}

impl From<ModelId> for ModelKey {
    fn from(id: ModelId) -> Self {
        id.key()
    }
}

impl FromStr for ModelKey {
    type Err = InvalidModelId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix(Self::PREFIX).ok_or(InvalidModelId)?.parse().map(ModelKey)
    }
}

impl fmt::Display for ModelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.0)
    }
}

impl Serialize for ModelKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ModelKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
