//! The training state of a model as the API shows it, read back.

use crate::model::data::DataTotals;
use crate::model::metrics::TrainingMetrics;
use crate::model::progress::Progress;
use crate::model::status::TrainingStatus;
use crate::model::training::{Failure, Run, State, Success, TrainingState};
use crate::time::Timestamp;

/// The fields of READ-4, and the status that says which of them there are.
pub(crate) struct ShownTraining {
    pub(crate) status: TrainingStatus,
    pub(crate) has_test_data: bool,
    pub(crate) progress: Option<Progress>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) failed_at: Option<Timestamp>,
    pub(crate) error: Option<String>,
    pub(crate) metrics: Option<TrainingMetrics>,
}

impl TrainingState {
    /// Returns the state that is shown like this; `None` if its fields contradict the status. Of the data
    /// it knows only whether a running training has test data.
    pub(crate) fn from_shown(shown: ShownTraining) -> Option<Self> {
        let ShownTraining { status, has_test_data, progress, error, .. } = shown;
        let is_failure = status == TrainingStatus::Failed;
        if shown.failed_at.is_some() != is_failure || error.is_some() != is_failure {
            return None;
        }
        let success = match (shown.started_at, shown.finished_at) {
            (Some(started_at), Some(finished_at)) => {
                let metrics = shown.metrics.unwrap_or_default();
                Some(Success { started_at, finished_at, metrics })
            }
            (_, None) if shown.metrics.is_none() => None,
            _ => return None,
        };
        let state = match (status, success, progress) {
            (TrainingStatus::NotRunning, earlier, None) => State::NotRunning { earlier },
            (TrainingStatus::ReadyToRun, earlier, None) => State::ReadyToRun { earlier },
            (TrainingStatus::Running, None, Some(progress)) => {
                let run = Run { started_at: shown.started_at?, progress, attempts: 0, lease: None };
                State::Running { run, earlier: None }
            }
            (TrainingStatus::Success, Some(success), Some(Progress::ALL)) => {
                State::Success(success)
            }
            (TrainingStatus::Failed, None, Some(progress)) => State::Failed(Failure {
                started_at: shown.started_at?,
                failed_at: shown.failed_at?,
                progress,
                error: error?,
            }),
            _ => return None,
        };
        let has_run = shown.started_at.is_some()
            == !matches!(
                &state,
                State::NotRunning { earlier: None } | State::ReadyToRun { earlier: None }
            );
        let data = DataTotals { test_pairs: has_test_data.into(), ..DataTotals::default() };
        let training = TrainingState { state, data, last_fence: Default::default() };
        (has_run && training.is_sound()).then_some(training)
    }
}
