use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// A finite number: the value of a metric (TRAIN-3).
#[derive(Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Figure(f64);

/// The error for an infinite number or NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a figure is a finite number")]
pub struct InvalidFigure;

impl Figure {
    /// Accepts a finite number.
    pub fn new(number: f64) -> Result<Self, InvalidFigure> {
        if number.is_finite() { Ok(Figure(number)) } else { Err(InvalidFigure) }
    }

    /// Returns the number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// Never NaN, so every value equals itself.
impl Eq for Figure {}

impl fmt::Debug for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Figure::new(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
