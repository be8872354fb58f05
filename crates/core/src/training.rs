use serde::{Serialize, Serializer};

/// Where a model stands with its training; there are five states and no other (TRAIN-1).
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

impl Serialize for TrainingStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}
