//! The state of a model as its events describe it.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use crate::model::{
    DataId, DataTotals, EventType, NewEvent, Progress, TrainingState, TrainingStatus,
};
use crate::time::Timestamp;

/// The state of a model that its stored events describe.
#[derive(Debug, Default)]
pub(super) struct Replay {
    is_seen: bool,
    /// True if the creation is among the events.
    is_whole: bool,
    is_deleted: bool,
    phase: Phase,
    /// True if data was added since the phase began.
    has_new_data: bool,
    /// The number of events that raise the revision, including the creation.
    changes: u64,
    created_at: Option<Timestamp>,
    /// The latest time of an event that raises the revision.
    changed_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    progress: Option<Progress>,
    last_added: u32,
    pub(super) pairs: Pairs,
}

/// The training of a model without its texts and metrics. The times and the progress belong to a running
/// training, or to an ended one after which nothing happened.
#[derive(Debug)]
pub(super) struct Training {
    pub(super) status: TrainingStatus,
    pub(super) data: DataTotals,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    progress: Option<Progress>,
}

impl From<&TrainingState> for Training {
    fn from(training: &TrainingState) -> Self {
        let status = training.status();
        let success = training.success().filter(|_| status == TrainingStatus::Success);
        let of_run = training.run().map(|run| (run.started_at, None, run.progress));
        let of_success = success.map(|it| (it.started_at, Some(it.finished_at), Progress::NONE));
        let of_failure =
            training.failure().map(|it| (it.started_at, Some(it.failed_at), it.progress));
        let last = of_run.or(of_success).or(of_failure);
        Training {
            status,
            data: *training.data(),
            started_at: last.map(|(started, ..)| started),
            ended_at: last.and_then(|(_, ended, _)| ended),
            progress: last.map(|(.., progress)| progress),
        }
    }
}

/// The phase of a model's training after its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// No event tells the phase.
    #[default]
    Unknown,
    /// No training runs; the result of the last one is not known.
    Resting,
    New,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

/// A set of pairs: their number, and a sum that other sets rarely have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pairs {
    count: u32,
    sum: u64,
}

impl Pairs {
    pub(super) fn add(&mut self, id: DataId) {
        self.count = self.count.wrapping_add(1);
        self.sum = self.sum.wrapping_add(mixed(id));
    }

    fn remove(&mut self, id: DataId) {
        self.count = self.count.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(mixed(id));
    }
}

/// Spreads a number over all bits, so that sums of a few of them differ.
fn mixed(id: DataId) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(id.get())
}

impl Replay {
    /// Takes the next event; returns false if it cannot follow those before it.
    pub(super) fn take(&mut self, event: &NewEvent) -> bool {
        let NewEvent { created_at: at, actor: _, event_type } = event;
        let is_first = !self.is_seen;
        self.is_seen = true;
        let can_be = !self.is_deleted && self.can_follow(event_type, is_first);
        if !matches!(event_type, EventType::TrainingProgressed { .. } | EventType::Deleted) {
            self.changes += 1;
            self.changed_at = self.changed_at.max(Some(*at));
        }
        match event_type {
            EventType::Created => {
                self.is_whole |= is_first;
                self.created_at = Some(*at);
                self.begin(Phase::New);
            }
            EventType::Updated => {}
            EventType::Deleted => self.is_deleted = true,
            EventType::DataAdded { data_id } => {
                self.pairs.add(*data_id);
                self.last_added = data_id.get();
                self.rest();
                self.has_new_data = true;
            }
            EventType::DataRemoved { data_id } => {
                self.pairs.remove(*data_id);
                self.rest();
            }
            EventType::TrainingStarted => {
                self.begin(Phase::Running);
                (self.started_at, self.ended_at) = (Some(*at), None);
                self.progress = Some(Progress::NONE);
            }
            EventType::TrainingProgressed { training_progress } => {
                self.phase = Phase::Running;
                self.progress = Some(*training_progress);
            }
            EventType::TrainingSucceeded => self.end(Phase::Succeeded, *at),
            EventType::TrainingFailed { .. } => self.end(Phase::Failed, *at),
            EventType::TrainingCancelled => self.end(Phase::Cancelled, *at),
        }
        can_be
    }

    fn can_follow(&self, event: &EventType, is_first: bool) -> bool {
        let may_rest = self.phase != Phase::Running;
        match event {
            EventType::Created => is_first,
            EventType::Updated => true,
            EventType::Deleted => may_rest,
            EventType::DataAdded { data_id } => {
                let is_next = data_id.get() == self.last_added.wrapping_add(1);
                may_rest && (is_next || self.last_added == 0 && !self.is_whole)
            }
            EventType::DataRemoved { data_id } => {
                let is_known = data_id.get() <= self.last_added;
                may_rest && (is_known || self.last_added == 0 && !self.is_whole)
            }
            EventType::TrainingStarted => match self.phase {
                Phase::Unknown | Phase::Resting | Phase::Failed | Phase::Cancelled => true,
                Phase::New | Phase::Succeeded => self.has_new_data,
                Phase::Running => false,
            },
            EventType::TrainingProgressed { .. }
            | EventType::TrainingSucceeded
            | EventType::TrainingFailed { .. }
            | EventType::TrainingCancelled => {
                matches!(self.phase, Phase::Unknown | Phase::Running)
            }
        }
    }

    fn begin(&mut self, phase: Phase) {
        self.phase = phase;
        self.has_new_data = false;
    }

    fn end(&mut self, phase: Phase, at: Timestamp) {
        self.begin(phase);
        self.ended_at = Some(at);
    }

    /// Records that data was added or removed, so no training runs.
    fn rest(&mut self) {
        if self.phase == Phase::Unknown {
            self.phase = Phase::Resting;
        }
    }

    /// Returns true if the creation is among the events.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Returns true if the model must exist, false if it must not; `None` if no event tells.
    pub(super) fn exists(&self) -> Option<bool> {
        self.is_seen.then_some(!self.is_deleted)
    }

    /// Returns true if the revision and the times agree with the events.
    pub(super) fn is_of_changes(
        &self,
        revision: u64,
        created_at: Timestamp,
        updated_at: Timestamp,
    ) -> bool {
        if self.is_whole {
            revision == self.changes
                && self.created_at == Some(created_at)
                && self.changed_at == Some(updated_at)
        } else {
            let least = self.changes + u64::from(self.is_seen);
            revision >= least && self.changed_at.is_none_or(|changed| changed <= updated_at)
        }
    }

    /// Returns true if the pairs and the last id agree with the events.
    pub(super) fn is_of_pairs(&self, pairs: Pairs, last_id: u32) -> bool {
        let is_last = self.last_added == last_id || self.last_added == 0 && !self.is_whole;
        is_last && (!self.is_whole || self.pairs == pairs)
    }

    /// Returns true if the training agrees with the events.
    pub(super) fn is_of_training(&self, training: &Training) -> bool {
        self.is_of_status(training.status, training.data.is_enough())
            && self.is_of_times(training)
            && self.is_of_progress(training.progress)
    }

    fn is_of_status(&self, status: TrainingStatus, is_enough: bool) -> bool {
        use TrainingStatus::{Failed, NotRunning, ReadyToRun, Running, Success};
        let by_data = if is_enough { ReadyToRun } else { NotRunning };
        let after = |end| match (self.has_new_data, is_enough) {
            (false, _) => status == end,
            (true, true) => status == ReadyToRun,
            // The model may have been ready in between.
            (true, false) => status == NotRunning || status == end,
        };
        match self.phase {
            Phase::Unknown => true,
            Phase::Resting if self.has_new_data && is_enough => status == ReadyToRun,
            Phase::Resting => status != Running,
            Phase::New | Phase::Cancelled => status == by_data,
            Phase::Running => status == Running,
            Phase::Succeeded => after(Success),
            Phase::Failed => after(Failed),
        }
    }

    fn is_of_times(&self, training: &Training) -> bool {
        let Some(started) = training.started_at else { return true };
        let is_of = |replay: Option<Timestamp>, stored: Timestamp| {
            replay.is_none_or(|replay| replay == stored)
        };
        // Even if a clock was set back in between, a training does not end before it began.
        let ended_at = self.ended_at.map(|ended| ended.max(started));
        is_of(self.started_at, started)
            && training.ended_at.is_none_or(|ended| is_of(ended_at, ended))
    }

    /// Returns true if the progress agrees with the events. A claim resets it to zero without an event.
    fn is_of_progress(&self, progress: Option<Progress>) -> bool {
        progress.is_none_or(|stored| {
            stored == Progress::NONE || self.progress.is_none_or(|replay| replay == stored)
        })
    }
}

#[cfg(test)]
mod tests;
