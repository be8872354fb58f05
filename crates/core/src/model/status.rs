use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The training status of a model (TRAIN-1).
///
/// Not `#[non_exhaustive]`: the wire has these five alone, and an adapter numbers them.
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
    /// All statuses, in the order of their numbers.
    pub const ALL: [TrainingStatus; 5] = [
        TrainingStatus::NotRunning,
        TrainingStatus::ReadyToRun,
        TrainingStatus::Running,
        TrainingStatus::Success,
        TrainingStatus::Failed,
    ];

    /// Returns the number in the API.
    pub const fn number(self) -> u8 {
        match self {
            TrainingStatus::NotRunning => 1,
            TrainingStatus::ReadyToRun => 2,
            TrainingStatus::Running => 3,
            TrainingStatus::Success => 4,
            TrainingStatus::Failed => 5,
        }
    }

    /// Returns the status with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.number() == number)
    }

    /// Returns the `status_message` of a model in this status (MODEL-3).
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

/// The error for a number that is not a training status.
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

/// An event in a model's training.
///
/// Not `#[non_exhaustive]`: the table of transitions has each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrainingEvent {
    /// Data was added (DATA-5).
    DataAdded {
        /// True if the model then has at least 5 hours of audio to train with.
        is_enough: bool,
    },
    /// Data was removed (DATA-6).
    DataRemoved {
        /// True if the model then has at least 5 hours of audio to train with.
        is_enough: bool,
    },
    /// Training is requested (TRAIN-2).
    Start,
    /// A worker reports success (TRAIN-3).
    Succeed,
    /// A worker reports failure, or the last lease has run out (TRAIN-3, TRAIN-5).
    Fail,
    /// Training is cancelled (TRAIN-6).
    Cancel,
}

impl TrainingEvent {
    /// Every event.
    pub const ALL: [TrainingEvent; 8] = [
        TrainingEvent::DataAdded { is_enough: false },
        TrainingEvent::DataAdded { is_enough: true },
        TrainingEvent::DataRemoved { is_enough: false },
        TrainingEvent::DataRemoved { is_enough: true },
        TrainingEvent::Start,
        TrainingEvent::Succeed,
        TrainingEvent::Fail,
        TrainingEvent::Cancel,
    ];
}

/// The reason why an event is not allowed in a status; nothing changes then (TRAIN-1).
///
/// Not `#[non_exhaustive]`: the table of transitions has each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoTransition {
    /// A training runs, and the event has to wait for its end.
    InProgress,
    /// Training cannot start in this status (TRAIN-2).
    NotReady,
    /// No training runs.
    NotRunning,
}

impl TrainingStatus {
    /// Returns the status after an event. Every combination of status and event is decided here (TRAIN-1).
    ///
    /// # Errors
    ///
    /// The reason why the event is not allowed in this status.
    pub const fn after(self, event: TrainingEvent) -> Result<TrainingStatus, NoTransition> {
        use TrainingEvent::{Cancel, DataAdded, DataRemoved, Fail, Start, Succeed};
        use TrainingStatus::{Failed, NotRunning, ReadyToRun, Running, Success};
        match (self, event) {
            (NotRunning | ReadyToRun | Success | Failed, DataAdded { is_enough: true }) => {
                Ok(ReadyToRun)
            }
            (
                NotRunning | ReadyToRun | Success | Failed,
                DataAdded { is_enough: false } | DataRemoved { is_enough: true },
            )
            | (NotRunning | Success | Failed, DataRemoved { is_enough: false }) => Ok(self),
            (ReadyToRun, DataRemoved { is_enough: false }) => Ok(NotRunning),
            (ReadyToRun | Failed, Start) => Ok(Running),
            (Running, Succeed) => Ok(Success),
            (Running, Fail) => Ok(Failed),
            (Running, Cancel) => Ok(ReadyToRun),
            (Running, DataAdded { .. } | DataRemoved { .. } | Start) => {
                Err(NoTransition::InProgress)
            }
            (NotRunning | Success, Start) => Err(NoTransition::NotReady),
            (NotRunning | ReadyToRun | Success | Failed, Succeed | Fail | Cancel) => {
                Err(NoTransition::NotRunning)
            }
        }
    }
}
