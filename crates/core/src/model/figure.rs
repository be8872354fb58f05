use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// A finite number: what a trainer measures is one, or is not told (TRAIN-3).
#[derive(Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Figure(f64);

/// A number is infinite or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a figure is a finite number")]
pub struct InvalidFigure;

impl Figure {
    /// Accepts a finite number.
    pub fn new(number: f64) -> Result<Self, InvalidFigure> {
        if number.is_finite() { Ok(Figure(number)) } else { Err(InvalidFigure) }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// Finite numbers are equal to themselves.
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
