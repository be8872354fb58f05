use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where a model stands with its training (TRAIN-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrainingStatus {
    /// 1: created, not enough training data yet.
    NotRunning,
    /// 2: enough training data, training may start.
    ReadyToRun,
    /// 3: training runs.
    Running,
    /// 4: the last training succeeded.
    Success,
    /// 5: the last training failed.
    Failed,
}

impl TrainingStatus {
    /// All states, in the order of their numbers.
    pub const ALL: [TrainingStatus; 5] = [
        TrainingStatus::NotRunning,
        TrainingStatus::ReadyToRun,
        TrainingStatus::Running,
        TrainingStatus::Success,
        TrainingStatus::Failed,
    ];

    /// The number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            TrainingStatus::NotRunning => 1,
            TrainingStatus::ReadyToRun => 2,
            TrainingStatus::Running => 3,
            TrainingStatus::Success => 4,
            TrainingStatus::Failed => 5,
        }
    }

    /// The state with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.number() == number)
    }

    /// The `status_message` of a model in this state (MODEL-3).
    pub const fn message(self) -> &'static str {
        match self {
            TrainingStatus::NotRunning => "Model created. Upload training data to begin.",
            TrainingStatus::ReadyToRun => "Model is ready to be trained.",
            TrainingStatus::Running => "Training is running.",
            TrainingStatus::Success => "Training succeeded.",
            TrainingStatus::Failed => "Training failed.",
        }
    }
}

/// A number is not that of a training status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a training status: an integer from 1 to 5")]
pub struct InvalidTrainingStatus;

impl TryFrom<u8> for TrainingStatus {
    type Error = InvalidTrainingStatus;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        TrainingStatus::from_number(number).ok_or(InvalidTrainingStatus)
    }
}

impl fmt::Display for TrainingStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

impl<'de> Deserialize<'de> for TrainingStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

impl Serialize for TrainingStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}
