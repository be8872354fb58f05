//! The state of a model's training. No sequence of changes makes it contradict itself.

#[cfg(feature = "engine")]
mod record;
mod shown;

#[cfg(feature = "engine")]
pub use self::record::InvalidTrainingState;
pub(crate) use self::shown::ShownTraining;

use serde::{Deserialize, Serialize};

use crate::model::data::DataTotals;
use crate::model::lease::{Fence, Lease, LeaseTime};
use crate::model::metrics::TrainingMetrics;
use crate::model::progress::Progress;
use crate::model::status::{NoTransition, TrainingEvent, TrainingStatus};
use crate::tenant::Actor;
use crate::time::{Timestamp, UnixMillis};

/// The most claims of a training before it fails (TRAIN-5).
pub(crate) const ATTEMPTS: u8 = 3;

/// The training state of a model: the totals of its data, and its last trainings.
///
/// A finished training has a start, only a running one has a lease, and a failed one has a reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingState {
    state: State,
    /// The totals of the model's data.
    data: DataTotals,
    /// INVARIANT: at least the fence of every claim so far.
    last_fence: Fence,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    NotRunning {
        /// The last training that ended, if it succeeded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        earlier: Option<Success>,
    },
    ReadyToRun {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        earlier: Option<Success>,
    },
    Running {
        run: Run,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        earlier: Option<Success>,
    },
    Success(Success),
    Failed(Failure),
}

impl Default for State {
    fn default() -> Self {
        State::NotRunning { earlier: None }
    }
}

/// A training that succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Success {
    /// The time at which it began.
    pub started_at: Timestamp,
    /// The time at which it ended, not before it began.
    pub finished_at: Timestamp,
    /// The metrics of the model.
    pub metrics: TrainingMetrics,
}

/// A training that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Failure {
    /// The time at which it began.
    pub started_at: Timestamp,
    /// The time at which it failed, not before it began.
    pub failed_at: Timestamp,
    /// The progress that was reached.
    pub progress: Progress,
    /// The reason for the failure.
    pub error: String,
}

/// A running training.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Run {
    /// The time at which it began.
    pub started_at: Timestamp,
    /// The progress of the last attempt.
    pub progress: Progress,
    /// The number of claims so far.
    pub attempts: u8,
    /// The last lease, live or expired.
    pub lease: Option<Lease>,
}

impl TrainingState {
    /// The most characters of a failure's reason; the rest is cut off.
    pub const MAX_ERROR_CHARACTERS: usize = 1000;

    /// Returns the training status of the model.
    pub const fn status(&self) -> TrainingStatus {
        match self.state {
            State::NotRunning { .. } => TrainingStatus::NotRunning,
            State::ReadyToRun { .. } => TrainingStatus::ReadyToRun,
            State::Running { .. } => TrainingStatus::Running,
            State::Success(_) => TrainingStatus::Success,
            State::Failed(_) => TrainingStatus::Failed,
        }
    }

    /// Returns the totals of the model's data.
    pub const fn data(&self) -> &DataTotals {
        &self.data
    }

    /// Returns the running training, if there is one.
    pub const fn run(&self) -> Option<&Run> {
        match &self.state {
            State::Running { run, .. } => Some(run),
            _ => None,
        }
    }

    /// Returns the last training that ended, if it succeeded: transcription uses its result (READ-5).
    pub const fn success(&self) -> Option<&Success> {
        match &self.state {
            State::NotRunning { earlier }
            | State::ReadyToRun { earlier }
            | State::Running { earlier, .. } => earlier.as_ref(),
            State::Success(success) => Some(success),
            State::Failed(_) => None,
        }
    }

    /// Returns the last training that ended, if it failed and none runs.
    pub const fn failure(&self) -> Option<&Failure> {
        match &self.state {
            State::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// Returns the progress of the current or last training (READ-4).
    pub const fn progress(&self) -> Option<Progress> {
        match &self.state {
            State::NotRunning { .. } | State::ReadyToRun { .. } => None,
            State::Running { run, .. } => Some(run.progress),
            State::Success(_) => Some(Progress::ALL),
            State::Failed(failure) => Some(failure.progress),
        }
    }

    /// Returns the time from which a worker may claim the training: its start before the first claim, later
    /// the end of the last lease. `None` if no training runs.
    pub fn claimable_at(&self) -> Option<UnixMillis> {
        self.run().map(|run| match &run.lease {
            Some(lease) => lease.expires_at,
            None => {
                UnixMillis::from_unix_millis(run.started_at.unix_seconds().saturating_mul(1000))
            }
        })
    }

    /// Returns a text about the model's training, for people (MODEL-3, TRAIN-2).
    pub const fn message(&self) -> &'static str {
        match &self.state {
            State::Running { .. } if self.data.test_pairs == 0 => {
                "Training is running. The model has no test data."
            }
            _ => self.status().message(),
        }
    }

    /// Returns the state after a data pair was added or removed.
    pub(crate) fn with_data(
        &self,
        data: DataTotals,
        event: TrainingEvent,
    ) -> Result<Self, NoTransition> {
        let state = match (self.status().after(event)?, &self.state) {
            (status, state) if status == self.status() => state.clone(),
            (TrainingStatus::NotRunning, _) => {
                State::NotRunning { earlier: self.success().cloned() }
            }
            _ => State::ReadyToRun { earlier: self.success().cloned() },
        };
        Ok(TrainingState { state, data, last_fence: self.last_fence })
    }

    /// Returns the state after training started (TRAIN-2).
    pub(crate) fn started(&self, now: Timestamp) -> Result<Self, NoTransition> {
        self.status().after(TrainingEvent::Start)?;
        if !self.data.is_enough() {
            return Err(NoTransition::NotReady);
        }
        let run = Run { started_at: now, progress: Progress::NONE, attempts: 0, lease: None };
        Ok(self.with(State::Running { run, earlier: self.success().cloned() }))
    }

    /// Returns the state after training was cancelled (TRAIN-6).
    pub(crate) fn cancelled(&self) -> Result<Self, NoTransition> {
        self.status().after(TrainingEvent::Cancel)?;
        Ok(self.with(State::ReadyToRun { earlier: self.success().cloned() }))
    }

    /// Returns the state after a worker claimed the training; `None` if another worker holds the lease, or
    /// the training was claimed as often as allowed (TRAIN-3, TRAIN-5).
    pub(crate) fn claimed(&self, worker: &Actor, time: LeaseTime, now: UnixMillis) -> Option<Self> {
        let State::Running { run, earlier } = &self.state else { return None };
        if !run.is_claimable_at(now) || run.attempts >= ATTEMPTS {
            return None;
        }
        let fence = Fence::new(self.last_fence.get().checked_add(1)?);
        let expires_at = now.later(time.get());
        let lease = Lease { fence, expires_at, worker: worker.clone() };
        let run = Run {
            started_at: run.started_at,
            progress: Progress::NONE,
            attempts: run.attempts.saturating_add(1),
            lease: Some(lease),
        };
        let state = State::Running { run, earlier: earlier.clone() };
        Some(TrainingState { state, data: self.data, last_fence: fence })
    }

    /// Returns the state after a heartbeat: the lease is extended, and the progress never decreases within an
    /// attempt (TRAIN-3). `None` if the worker does not hold the lease.
    pub(crate) fn advanced(
        &self,
        fence: Fence,
        progress: Progress,
        time: LeaseTime,
        now: UnixMillis,
    ) -> Option<Self> {
        let State::Running { run, earlier } = &self.state else { return None };
        let lease = run.held(fence, now)?;
        let expires_at = lease.expires_at.max(now.later(time.get()));
        let run = Run {
            progress: run.progress.max(progress),
            lease: Some(Lease { expires_at, ..lease.clone() }),
            ..run.clone()
        };
        Some(self.with(State::Running { run, earlier: earlier.clone() }))
    }

    /// Returns the state after the training succeeded; `None` if the worker does not hold the lease.
    pub(crate) fn succeeded(
        &self,
        fence: Fence,
        metrics: TrainingMetrics,
        now: UnixMillis,
    ) -> Option<Self> {
        self.status().after(TrainingEvent::Succeed).ok()?;
        let run = self.run()?;
        run.held(fence, now)?;
        let finished_at = run.started_at.max(now.into());
        let success = Success { started_at: run.started_at, finished_at, metrics };
        Some(self.with(State::Success(success)))
    }

    /// Returns the state after the training failed; `None` if the worker does not hold the lease.
    pub(crate) fn failed(&self, fence: Fence, error: &str, now: UnixMillis) -> Option<Self> {
        self.run()?.held(fence, now)?;
        self.ended(error, now)
    }

    /// Returns the state after the last lease ran out, which is a failure; `None` if a worker holds the
    /// training or may still claim it (TRAIN-5).
    pub fn expired(&self, now: UnixMillis) -> Option<Self> {
        let run = self.run()?;
        if !run.is_claimable_at(now) || run.attempts < ATTEMPTS {
            return None;
        }
        self.ended("The training was claimed three times, and every worker fell silent.", now)
    }

    fn ended(&self, error: &str, now: UnixMillis) -> Option<Self> {
        self.status().after(TrainingEvent::Fail).ok()?;
        let run = self.run()?;
        Some(self.with(State::Failed(Failure {
            started_at: run.started_at,
            failed_at: run.started_at.max(now.into()),
            progress: run.progress,
            error: error.chars().take(Self::MAX_ERROR_CHARACTERS).collect(),
        })))
    }

    fn with(&self, state: State) -> Self {
        TrainingState { state, data: self.data, last_fence: self.last_fence }
    }
}

impl Run {
    /// Returns true if no worker holds a lease at `now`.
    pub fn is_claimable_at(&self, now: UnixMillis) -> bool {
        !self.lease.as_ref().is_some_and(|lease| lease.is_live_at(now))
    }

    /// Returns the lease if it has this fence and is live (TRAIN-4).
    pub(crate) fn held(&self, fence: Fence, now: UnixMillis) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| lease.fence == fence && lease.is_live_at(now))
    }
}

impl TrainingState {
    /// Returns true if the fields do not contradict each other where their types allow it.
    pub(crate) fn is_sound(&self) -> bool {
        let is_in_order = self.success().is_none_or(|it| it.started_at <= it.finished_at)
            && self.failure().is_none_or(|it| it.started_at <= it.failed_at);
        let is_run = self.run().is_none_or(|run| {
            run.attempts <= ATTEMPTS
                && run.lease.is_some() == (run.attempts > 0)
                && run.lease.as_ref().is_none_or(|lease| lease.fence <= self.last_fence)
        });
        is_in_order && is_run
    }
}
