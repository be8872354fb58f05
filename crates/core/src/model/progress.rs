use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// The progress of a training, in whole percent: 0 to 100 (READ-4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Progress(u8);

/// The error for a number above 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a progress is an integer from 0 to 100")]
pub struct InvalidProgress;

impl Progress {
    /// No progress: 0 percent.
    pub const NONE: Progress = Progress(0);

    /// Full progress: 100 percent.
    pub const ALL: Progress = Progress(100);

    /// Accepts a whole percentage.
    pub const fn new(percent: u8) -> Result<Self, InvalidProgress> {
        if percent <= Self::ALL.0 { Ok(Progress(percent)) } else { Err(InvalidProgress) }
    }

    /// Returns the number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Progress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Progress::new(u8::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
