//! The history of an organisation: one event per change, at consecutive positions (LOG-1).

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
    /// A data pair was added.
    DataAdded {
        /// The pair.
        data_id: DataId,
    },
    /// A data pair was removed.
    DataRemoved {
        /// The pair.
        data_id: DataId,
    },
    /// Training began.
    TrainingStarted,
    /// The progress of the training grew by at least one percent (TRAIN-3).
    TrainingProgressed {
        /// The progress of the training.
        training_progress: Progress,
    },
    /// Training succeeded.
    TrainingSucceeded,
    /// Training failed.
    TrainingFailed {
        /// The reason for the failure.
        error: String,
    },
    /// Training was cancelled.
    TrainingCancelled,
}

/// An event to append with its change. The change tells its organisation and model, the store assigns its
/// position.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// The time at which the change was judged.
    pub created_at: Timestamp,
    /// The actor who made the change.
    pub actor: Actor,
    /// The kind of the change, with its details.
    pub event_type: EventType,
}

impl NewEvent {
    /// Returns the event of a model at a position.
    pub fn at(self, position: u64, model_id: ModelId) -> Event {
        let NewEvent { created_at, actor, event_type } = self;
        Event { position, created_at, model_id, actor, event_type }
    }
}

/// A change, as the history shows it.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The position in the history of its organisation: 1, 2, 3 …, without gaps.
    pub position: u64,
    /// The time at which the change was judged.
    pub created_at: Timestamp,
    /// The model that was changed.
    pub model_id: ModelId,
    /// The actor who made the change.
    pub actor: Actor,
    /// The kind of the change, with its details.
    #[serde(flatten)]
    pub event_type: EventType,
}

/// A part of an organisation's history.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    /// The events, in the order of their positions.
    pub events: Vec<Event>,
    /// The position of the organisation's last event; 0 if it has none.
    pub last: u64,
    /// The position of the first stored event; the position after the last one if no event is stored.
    pub first: u64,
}
