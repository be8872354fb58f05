//! The edits of an existing model, as one pure function (EDIT, DATA, TRAIN).

use crate::field::{Description, Name};
use crate::model::custom_model::CustomModel;
use crate::model::data::{DataId, DataPair, NewPair};
use crate::model::event::{EventType, NewEvent};
use crate::model::lease::{Fence, LeaseTime};
use crate::model::metrics::TrainingMetrics;
use crate::model::progress::Progress;
use crate::model::status::{NoTransition, TrainingEvent};
use crate::model::training::TrainingState;
use crate::model::version::{Revision, Version};
use crate::tenant::Actor;
use crate::time::{Timestamp, UnixMillis};

/// An edit of an existing model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit {
    /// Changes the name, the description, or both (EDIT-1 to EDIT-3).
    Update {
        /// The new name, if it changes.
        name: Option<Name<'static>>,
        /// The new description, if it changes; `Some(None)` removes it.
        description: Option<Option<Description<'static>>>,
    },
    /// Deletes the model, with its data (EDIT-5).
    Delete,
    /// Adds a data pair (DATA-4, DATA-5).
    AddData(NewPair),
    /// Removes the data pair with this id (DATA-6).
    RemoveData(DataId),
    /// Starts training (TRAIN-2).
    Run,
    /// Cancels the training (TRAIN-6).
    Cancel,
    /// Claims the training for the calling worker (TRAIN-3).
    Claim {
        /// The length of the lease.
        time: LeaseTime,
    },
    /// Extends the lease of a worker and records its progress (TRAIN-3).
    Heartbeat {
        /// The fence of the worker's claim.
        fence: Fence,
        /// The progress of the training.
        progress: Progress,
        /// The length of the lease from now on.
        time: LeaseTime,
    },
    /// Ends the training with success (TRAIN-3).
    Succeed {
        /// The fence of the worker's claim.
        fence: Fence,
        /// The metrics of the model.
        metrics: TrainingMetrics,
    },
    /// Ends the training with a failure (TRAIN-3).
    Fail {
        /// The fence of the worker's claim.
        fence: Fence,
        /// The reason for the failure.
        error: String,
    },
    /// Fails a training whose last lease has run out (TRAIN-5).
    Expire,
}

impl Edit {
    /// Returns the id of the data pair that the edit removes.
    pub const fn removed_pair(&self) -> Option<DataId> {
        match self {
            Edit::RemoveData(id) => Some(*id),
            _ => None,
        }
    }
}

/// The revisions that a caller expects a model to have (EDIT-4).
///
/// Not `#[non_exhaustive]`: a caller writes it as a literal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// Any revision. Changes that others made in between are kept, and the edit applies to their result.
    #[default]
    Anything,
    /// One of these revisions.
    OneOf(Vec<Revision>),
}

impl Expected {
    /// Returns true if a model at this revision is expected.
    pub fn is_met_by(&self, revision: Revision) -> bool {
        match self {
            Expected::Anything => true,
            Expected::OneOf(revisions) => revisions.contains(&revision),
        }
    }
}

/// The reason why an edit is refused.
///
/// Not `#[non_exhaustive]`: a host has to take each case into account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditRefusal {
    /// A training runs, and the edit has to wait for its end (EDIT-5).
    #[error("the model is being trained")]
    TrainingInProgress,
    /// Training cannot start in the state of the model (TRAIN-2).
    #[error("the model is not ready to be trained")]
    ModelNotReady {
        /// The seconds of training audio that are missing.
        missing_seconds: u64,
    },
    /// No training runs that could be cancelled (TRAIN-6).
    #[error("no training runs")]
    TrainingNotRunning,
    /// The worker does not hold the lease of the training, or not any more (TRAIN-4).
    #[error("the lease is lost")]
    LeaseLost,
    /// The model has no data pair with this id (DATA-6).
    #[error("the model has no such pair of data")]
    DataNotFound,
    /// The ids of the model's pairs, or the totals of its data, would overflow.
    #[error("the model has more data than can be counted")]
    DataUncountable,
    /// The revision of the model is not an expected one (EDIT-4).
    #[error("the model is at another revision")]
    PreconditionFailed,
}

/// The change of an edit to a model's data (DATA-4, DATA-6).
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DataChange {
    /// Changes no data.
    #[default]
    Keep,
    /// Adds a pair with an id that the model never used.
    Add(DataPair),
    /// Removes a pair.
    Remove(DataId),
}

/// The result of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transition {
    /// The model after the edit; `None` if it was deleted.
    pub model: Option<CustomModel>,
    /// The change to its data.
    pub data: DataChange,
    /// The event to append. Claims and most heartbeats have none.
    pub event: Option<NewEvent>,
}

/// Judges an edit of a model. The state of the model is judged before its revision (ORDER).
///
/// `pair` is the data pair that [`Edit::RemoveData`] names, if the model has it. A pure function: it reads
/// and writes nothing.
///
/// # Errors
///
/// The reason why the edit is refused.
pub fn transition(
    model: &CustomModel,
    edit: &Edit,
    pair: Option<&DataPair>,
    expected: &Expected,
    actor: &Actor,
    at: UnixMillis,
) -> Result<Transition, EditRefusal> {
    let Next { model: after, data, event } = next(model, edit, pair, actor, at)?;
    if !expected.is_met_by(model.revision()) {
        return Err(EditRefusal::PreconditionFailed);
    }
    let event = event.map(|event_type| NewEvent {
        created_at: at.into(),
        actor: actor.clone(),
        event_type,
    });
    Ok(Transition { model: after, data, event })
}

struct Next {
    model: Option<CustomModel>,
    data: DataChange,
    event: Option<EventType>,
}

fn next(
    model: &CustomModel,
    edit: &Edit,
    pair: Option<&DataPair>,
    actor: &Actor,
    now: UnixMillis,
) -> Result<Next, EditRefusal> {
    let training = &model.training;
    let lost = EditRefusal::LeaseLost;
    match edit {
        Edit::Update { name, description } => {
            let mut model = changed(model, now);
            if let Some(name) = name {
                model.name = name.clone();
            }
            if let Some(description) = description {
                model.description = description.clone();
            }
            Ok(Next::new(model, EventType::Updated))
        }
        Edit::Delete if training.run().is_some() => Err(EditRefusal::TrainingInProgress),
        Edit::Delete => {
            Ok(Next { model: None, data: DataChange::Keep, event: Some(EventType::Deleted) })
        }
        Edit::AddData(pair) => added(model, pair, now),
        Edit::RemoveData(_) => removed(model, pair.ok_or(EditRefusal::DataNotFound)?, now),
        Edit::Run => {
            let begun = training.started(now.into()).map_err(|reason| refused(reason, training))?;
            Ok(Next::of_course(model, begun, EventType::TrainingStarted, now))
        }
        Edit::Cancel => {
            let ended = training.cancelled().map_err(|reason| refused(reason, training))?;
            Ok(Next::of_course(model, ended, EventType::TrainingCancelled, now))
        }
        Edit::Claim { time } => {
            let claimed = training.claimed(actor, *time, now).ok_or(lost)?;
            Ok(Next { model: Some(beat(model, claimed)), data: DataChange::Keep, event: None })
        }
        Edit::Heartbeat { fence, progress, time } => {
            let advanced = training.advanced(*fence, *progress, *time, now).ok_or(lost)?;
            let event = (advanced.progress() != training.progress()).then(|| {
                let training_progress = advanced.progress().unwrap_or_default();
                EventType::TrainingProgressed { training_progress }
            });
            Ok(Next { model: Some(beat(model, advanced)), data: DataChange::Keep, event })
        }
        Edit::Succeed { fence, metrics } => {
            let ended = training.succeeded(*fence, metrics.clone(), now).ok_or(lost)?;
            Ok(Next::of_course(model, ended, EventType::TrainingSucceeded, now))
        }
        Edit::Fail { fence, error } => {
            failed(model, training.failed(*fence, error, now).ok_or(lost)?, now)
        }
        Edit::Expire => failed(model, training.expired(now).ok_or(lost)?, now),
    }
}

impl Next {
    fn new(model: CustomModel, event: EventType) -> Self {
        Next { model: Some(model), data: DataChange::Keep, event: Some(event) }
    }

    fn of_course(
        model: &CustomModel,
        training: TrainingState,
        event: EventType,
        now: UnixMillis,
    ) -> Self {
        Next::new(CustomModel { training, ..changed(model, now) }, event)
    }
}

/// Returns the model with the next revision. Its time of change never decreases (EDIT-3).
fn changed(model: &CustomModel, now: UnixMillis) -> CustomModel {
    CustomModel {
        updated_at: model.updated_at.max(Timestamp::from(now)),
        version: model.revision().next().into(),
        ..model.clone()
    }
}

/// Returns the model after a claim or a heartbeat, which changes neither its revision nor its time (TRAIN-3).
fn beat(model: &CustomModel, training: TrainingState) -> CustomModel {
    let heartbeats = model.version.heartbeats.wrapping_add(1);
    CustomModel { training, version: Version { heartbeats, ..model.version }, ..model.clone() }
}

fn added(model: &CustomModel, pair: &NewPair, now: UnixMillis) -> Result<Next, EditRefusal> {
    let (data, id) = model.training.data().with(pair).ok_or(EditRefusal::DataUncountable)?;
    let event = TrainingEvent::DataAdded { is_enough: data.is_enough() };
    let training = model.training.with_data(data, event);
    let training = training.map_err(|reason| refused(reason, &model.training))?;
    let NewPair { data_type, audio, audio_millis, transcript } = pair.clone();
    let pair = DataPair { id, data_type, audio, audio_millis, transcript, created_at: now.into() };
    let next = Next::of_course(model, training, EventType::DataAdded { data_id: id }, now);
    Ok(Next { data: DataChange::Add(pair), ..next })
}

fn removed(model: &CustomModel, pair: &DataPair, now: UnixMillis) -> Result<Next, EditRefusal> {
    let data = model.training.data().without(pair).ok_or(EditRefusal::DataNotFound)?;
    let event = TrainingEvent::DataRemoved { is_enough: data.is_enough() };
    let training = model.training.with_data(data, event);
    let training = training.map_err(|reason| refused(reason, &model.training))?;
    let next = Next::of_course(model, training, EventType::DataRemoved { data_id: pair.id }, now);
    Ok(Next { data: DataChange::Remove(pair.id), ..next })
}

fn failed(
    model: &CustomModel,
    training: TrainingState,
    now: UnixMillis,
) -> Result<Next, EditRefusal> {
    let error = training.failure().map(|failure| failure.error.clone()).unwrap_or_default();
    Ok(Next::of_course(model, training, EventType::TrainingFailed { error }, now))
}

fn refused(reason: NoTransition, training: &TrainingState) -> EditRefusal {
    match reason {
        NoTransition::InProgress => EditRefusal::TrainingInProgress,
        NoTransition::NotRunning => EditRefusal::TrainingNotRunning,
        NoTransition::NotReady => {
            EditRefusal::ModelNotReady { missing_seconds: training.data().missing_seconds() }
        }
    }
}
