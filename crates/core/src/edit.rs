//! What becomes of a model that is there: the rules of sections 8 to 10, as one pure decision.

use crate::{
    Actor, Change, Course, CustomModel, DataChange, DataPair, EventType, Fence, LeaseTime, Moment,
    NewEvent, NewPair, NoTransition, Progress, Refusal, Revision, Stamp, Timestamp, TrainingEvent,
    TrainingMetrics, UpdateModel,
};

/// What is asked for a model that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit {
    /// Another name, another description, or both (EDIT-1 to EDIT-3).
    Update(UpdateModel<'static>),
    /// That the model be gone, with its data (EDIT-5).
    Delete,
    /// One more pair of data (DATA-4, DATA-5).
    AddData(NewPair),
    /// That a pair of data be gone, which the model had when it was read (DATA-6).
    RemoveData(DataPair),
    /// Training (TRAIN-2).
    Run,
    /// No training after all (TRAIN-6).
    Cancel,
    /// The training, for the worker who asks (TRAIN-3).
    Claim {
        /// For how long.
        time: LeaseTime,
    },
    /// A longer lease, for a worker who says how far it is (TRAIN-3).
    Beat {
        /// The worker's claim.
        fence: Fence,
        /// How far it is.
        progress: Progress,
        /// For how long from now.
        time: LeaseTime,
    },
    /// That the training ended well (TRAIN-3).
    Succeed {
        /// The worker's claim.
        fence: Fence,
        /// What was measured.
        metrics: TrainingMetrics,
    },
    /// That the training failed (TRAIN-3).
    Fail {
        /// The worker's claim.
        fence: Fence,
        /// Why.
        error: String,
    },
    /// The end of a training whose workers all fell silent (TRAIN-5).
    Expire,
}

/// What a caller expects of a model that is to be changed (EDIT-4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// Nothing: what was changed by others in between is kept, and the change made upon it.
    #[default]
    Anything,
    /// That it is at one of these revisions.
    OneOf(Vec<Revision>),
}

impl Expected {
    /// Whether a model at this revision is what was expected.
    pub fn is_met_by(&self, revision: Revision) -> bool {
        match self {
            Expected::Anything => true,
            Expected::OneOf(revisions) => revisions.contains(&revision),
        }
    }
}

/// A change that was decided on a model as it was read.
pub(crate) struct Decision {
    pub(crate) change: Change,
    pub(crate) event: Option<NewEvent>,
    /// The model as it is then; `None` if it is gone.
    pub(crate) model: Option<CustomModel>,
}

/// Decides on a model as it was read. Its state is looked at before what the caller expects (ORDER).
pub(crate) fn decide(
    model: &CustomModel,
    edit: &Edit,
    expected: &Expected,
    actor: &Actor,
    now: Moment,
) -> Result<Decision, Refusal> {
    let next = next(model, edit, actor, now)?;
    if !expected.is_met_by(model.revision()) {
        return Err(Refusal::PreconditionFailed);
    }
    let event = next.event.map(|event_type| NewEvent {
        created_at: now.into(),
        actor: actor.clone(),
        event_type,
    });
    let stamp = model.stamp;
    let change = match &next.model {
        None => Change::Delete { id: model.id, stamp },
        Some(after) => Change::Update { model: Box::new(after.clone()), stamp, data: next.data },
    };
    Ok(Decision { change, event, model: next.model })
}

/// What an edit makes of a model.
struct Next {
    model: Option<CustomModel>,
    data: DataChange,
    event: Option<EventType>,
}

fn next(model: &CustomModel, edit: &Edit, actor: &Actor, now: Moment) -> Result<Next, Refusal> {
    let course = &model.course;
    let lost = Refusal::LeaseLost;
    match edit {
        Edit::Update(request) => {
            let mut model = changed(model, now);
            if let Some(name) = &request.name {
                model.name = name.clone();
            }
            if let Some(description) = &request.description {
                model.description = description.clone();
            }
            Ok(Next::new(model, EventType::Updated))
        }
        Edit::Delete if course.run().is_some() => Err(Refusal::TrainingInProgress),
        Edit::Delete => {
            Ok(Next { model: None, data: DataChange::Keep, event: Some(EventType::Deleted) })
        }
        Edit::AddData(pair) => added(model, pair, now),
        Edit::RemoveData(pair) => removed(model, pair, now),
        Edit::Run => {
            let begun = course.started(now.into()).map_err(|reason| refused(reason, course))?;
            Ok(Next::of_course(model, begun, EventType::TrainingStarted, now))
        }
        Edit::Cancel => {
            let ended = course.cancelled().map_err(|reason| refused(reason, course))?;
            Ok(Next::of_course(model, ended, EventType::TrainingCancelled, now))
        }
        Edit::Claim { time } => {
            let claimed = course.claimed(actor, *time, now).ok_or(lost)?;
            Ok(Next { model: Some(beat(model, claimed)), data: DataChange::Keep, event: None })
        }
        Edit::Beat { fence, progress, time } => {
            let advanced = course.advanced(*fence, *progress, *time, now).ok_or(lost)?;
            let event = (advanced.progress() != course.progress()).then(|| {
                let training_progress = advanced.progress().unwrap_or_default();
                EventType::TrainingProgressed { training_progress }
            });
            Ok(Next { model: Some(beat(model, advanced)), data: DataChange::Keep, event })
        }
        Edit::Succeed { fence, metrics } => {
            let ended = course.succeeded(*fence, metrics.clone(), now).ok_or(lost)?;
            Ok(Next::of_course(model, ended, EventType::TrainingSucceeded, now))
        }
        Edit::Fail { fence, error } => {
            failed(model, course.failed(*fence, error, now).ok_or(lost)?, now)
        }
        Edit::Expire => failed(model, course.expired(now).ok_or(lost)?, now),
    }
}

impl Next {
    fn new(model: CustomModel, event: EventType) -> Self {
        Next { model: Some(model), data: DataChange::Keep, event: Some(event) }
    }

    fn of_course(model: &CustomModel, course: Course, event: EventType, now: Moment) -> Self {
        Next::new(CustomModel { course, ..changed(model, now) }, event)
    }
}

/// The model after one more change. Its time never moves backwards (EDIT-3).
fn changed(model: &CustomModel, now: Moment) -> CustomModel {
    CustomModel {
        updated_at: model.updated_at.max(Timestamp::from(now)),
        stamp: model.revision().next().into(),
        ..model.clone()
    }
}

/// The model after one more word of its worker: neither its revision nor its time changes (TRAIN-3).
fn beat(model: &CustomModel, course: Course) -> CustomModel {
    let beats = model.stamp.beats.wrapping_add(1);
    CustomModel { course, stamp: Stamp { beats, ..model.stamp }, ..model.clone() }
}

fn added(model: &CustomModel, pair: &NewPair, now: Moment) -> Result<Next, Refusal> {
    let (data, id) = model.course.data().with(pair).ok_or_else(used_up)?;
    let event = TrainingEvent::DataAdded { is_enough: data.is_enough() };
    let course = model.course.with_data(data, event);
    let course = course.map_err(|reason| refused(reason, &model.course))?;
    let NewPair { data_type, audio, audio_millis, transcript } = pair.clone();
    let pair = DataPair { id, data_type, audio, audio_millis, transcript, created_at: now.into() };
    let next = Next::of_course(model, course, EventType::DataAdded { data_id: id }, now);
    Ok(Next { data: DataChange::Add(pair), ..next })
}

fn removed(model: &CustomModel, pair: &DataPair, now: Moment) -> Result<Next, Refusal> {
    let data = model.course.data().without(pair).ok_or(Refusal::DataNotFound)?;
    let event = TrainingEvent::DataRemoved { is_enough: data.is_enough() };
    let course = model.course.with_data(data, event);
    let course = course.map_err(|reason| refused(reason, &model.course))?;
    let next = Next::of_course(model, course, EventType::DataRemoved { data_id: pair.id }, now);
    Ok(Next { data: DataChange::Remove(pair.id), ..next })
}

fn failed(model: &CustomModel, course: Course, now: Moment) -> Result<Next, Refusal> {
    let error = course.failure().map(|failure| failure.error.clone()).unwrap_or_default();
    Ok(Next::of_course(model, course, EventType::TrainingFailed { error }, now))
}

fn refused(reason: NoTransition, course: &Course) -> Refusal {
    match reason {
        NoTransition::InProgress => Refusal::TrainingInProgress,
        NoTransition::NotRunning => Refusal::TrainingNotRunning,
        NoTransition::NotReady => {
            Refusal::ModelNotReady { missing_seconds: course.data().missing_seconds() }
        }
    }
}

/// A model that had 2^32 pairs, or millions of years of audio.
fn used_up() -> Refusal {
    Refusal::Internal { cause: "a model has more data than can be counted".into() }
}
