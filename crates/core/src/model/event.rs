//! The history of an organisation: one event a change, in one row of positions (LOG-1).

use serde::{Deserialize, Serialize};

use crate::model::data::DataId;
use crate::model::id::ModelId;
use crate::model::progress::Progress;
use crate::tenant::Actor;
use crate::time::Timestamp;

/// The kind of a change, with its details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum EventType {
    /// The model was created.
    Created,
    /// The model's name or description was changed.
    Updated,
    /// The model was deleted, with its data.
    Deleted,
    /// A pair of data was added.
    DataAdded {
        /// The pair.
        data_id: DataId,
    },
    /// A pair of data was removed.
    DataRemoved {
        /// The pair.
        data_id: DataId,
    },
    /// Training began.
    TrainingStarted,
    /// Training went on by at least one percent (TRAIN-3).
    TrainingProgressed {
        /// The progress of the training.
        training_progress: Progress,
    },
    /// Training ended well.
    TrainingSucceeded,
    /// Training failed.
    TrainingFailed {
        /// The reason of the failure.
        error: String,
    },
    /// Training was called off.
    TrainingCancelled,
}

/// An event that is to be kept with its change, which says whose and of which model it is; the store
/// gives its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// The time at which the change was decided.
    pub created_at: Timestamp,
    /// The actor who made the change.
    pub actor: Actor,
    /// The kind of the change, with its details.
    pub event_type: EventType,
}

impl NewEvent {
    /// The event of a model, at its position.
    pub fn at(self, position: u64, model_id: ModelId) -> Event {
        let NewEvent { created_at, actor, event_type } = self;
        Event { position, created_at, model_id, actor, event_type }
    }
}

/// A change that was made, as the history shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The position in the history of its organisation: 1, 2, 3 …, without gaps.
    pub position: u64,
    /// The time at which the change was decided.
    pub created_at: Timestamp,
    /// The model that was changed.
    pub model_id: ModelId,
    /// The actor who made the change.
    pub actor: Actor,
    /// The kind of the change, with its details.
    #[serde(flatten)]
    pub event_type: EventType,
}

/// A part of the history of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    /// The events, in the order of their positions.
    pub events: Vec<Event>,
    /// The position of the last event there is; 0 if there was none.
    pub last: u64,
    /// The position of the first event that is still kept; the one behind the last if none is.
    pub first: u64,
}
