//! A model, new or stored.

use serde::de::{Deserializer, Error};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::field::{BaseModel, Description, Language, Name};
use crate::model::id::{ModelId, ModelKey};
use crate::model::metrics::TrainingMetrics;
use crate::model::progress::Progress;
use crate::model::status::TrainingStatus;
use crate::model::training::{ShownTraining, TrainingState};
use crate::model::version::{Revision, Version};
use crate::time::Timestamp;

/// A model to create: every field but the id, which the store assigns.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewModel {
    /// The display name.
    pub name: Name<'static>,
    /// The description, if there is one.
    pub description: Option<Description<'static>>,
    /// The language.
    pub language: Language,
    /// The base model.
    pub base_model: BaseModel,
    /// The time of creation, which is the first time of change too (MODEL-4).
    pub created_at: Timestamp,
}

impl NewModel {
    /// Returns the model with the id that the store assigned.
    pub fn with_id(self, id: ModelId) -> CustomModel {
        CustomModel {
            id,
            name: self.name,
            description: self.description,
            language: self.language,
            base_model: self.base_model,
            training: TrainingState::default(),
            created_at: self.created_at,
            updated_at: self.created_at,
            version: Revision::FIRST.into(),
        }
    }
}

/// A stored custom model.
///
/// Serialises as the ten fields of the API in the specification's order (MODEL-5), then the fields of READ-4
/// that have a value. Derived fields (`model_key`, `status_message`) are computed there and not stored.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomModel {
    /// The id.
    pub id: ModelId,
    /// The display name.
    pub name: Name<'static>,
    /// The description, if there is one; `null` in JSON otherwise (DESC-1).
    pub description: Option<Description<'static>>,
    /// The language, fixed at creation (LANG-4).
    pub language: Language,
    /// The base model, fixed at creation (BASE-4).
    pub base_model: BaseModel,
    /// The state of the model's training, including the totals of its data.
    pub training: TrainingState,
    /// The time at which the model was created.
    pub created_at: Timestamp,
    /// The time at which the model was last changed.
    pub updated_at: Timestamp,
    /// The version of the model. Not in the API.
    pub version: Version,
}

impl CustomModel {
    /// Returns the key for transcription requests (MODEL-2).
    pub const fn model_key(&self) -> ModelKey {
        self.id.key()
    }

    /// Returns the revision, which every change but a heartbeat raises (EDIT-4).
    pub const fn revision(&self) -> Revision {
        self.version.revision
    }

    /// Returns the training status of the model.
    pub const fn training_status(&self) -> TrainingStatus {
        self.training.status()
    }

    /// Returns a text about the model's training, for people (MODEL-3).
    pub const fn status_message(&self) -> &'static str {
        self.training.message()
    }

    /// Returns the time at which the current or last training began (READ-4).
    pub fn started_training_at(&self) -> Option<Timestamp> {
        let run = self.training.run().map(|run| run.started_at);
        let failure = self.training.failure().map(|failure| failure.started_at);
        run.or(failure).or(self.training.success().map(|success| success.started_at))
    }

    /// Returns the time at which the last training ended, if it succeeded and none runs (READ-4).
    pub fn finished_training_at(&self) -> Option<Timestamp> {
        self.shown_success().map(|success| success.finished_at)
    }

    /// Returns the metrics of the last training, if it succeeded and none runs (READ-4).
    pub fn training_metrics(&self) -> Option<&TrainingMetrics> {
        self.shown_success().map(|success| &success.metrics).filter(|metrics| !metrics.is_empty())
    }

    fn shown_success(&self) -> Option<&crate::model::Success> {
        self.training.success().filter(|_| self.training.run().is_none())
    }
}

/// Ten fields, then the fields of READ-4 that have a value.
impl Serialize for CustomModel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("id", &self.id)?;
        fields.serialize_entry("model_key", &self.model_key())?;
        fields.serialize_entry("name", &self.name)?;
        fields.serialize_entry("description", &self.description)?;
        fields.serialize_entry("language", &self.language)?;
        fields.serialize_entry("base_model", &self.base_model)?;
        fields.serialize_entry("training_status", &self.training_status())?;
        fields.serialize_entry("status_message", self.status_message())?;
        fields.serialize_entry("created_at", &self.created_at)?;
        fields.serialize_entry("updated_at", &self.updated_at)?;
        let failure = self.training.failure();
        push(&mut fields, "training_progress", self.training.progress())?;
        push(&mut fields, "started_training_at", self.started_training_at())?;
        push(&mut fields, "finished_training_at", self.finished_training_at())?;
        push(&mut fields, "failed_at", failure.map(|failure| failure.failed_at))?;
        push(&mut fields, "error", failure.map(|failure| &failure.error))?;
        push(&mut fields, "training_metrics", self.training_metrics())?;
        fields.end()
    }
}

/// Adds a field if it has a value.
fn push<M: SerializeMap>(
    fields: &mut M,
    name: &'static str,
    value: Option<impl Serialize>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| fields.serialize_entry(name, &value))
}

/// The fields of a model on the wire.
#[derive(Deserialize)]
struct Fields {
    id: ModelId,
    model_key: ModelKey,
    name: Name<'static>,
    description: Option<Description<'static>>,
    language: Language,
    base_model: BaseModel,
    training_status: TrainingStatus,
    status_message: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    training_progress: Option<Progress>,
    started_training_at: Option<Timestamp>,
    finished_training_at: Option<Timestamp>,
    failed_at: Option<Timestamp>,
    error: Option<String>,
    training_metrics: Option<TrainingMetrics>,
}

/// Reads what [`Serialize`] writes, and refuses fields that contradict each other. What the API does not show is
/// that of a new model: the version, the lease, and the amount of data. Other fields are ignored.
impl<'de> Deserialize<'de> for CustomModel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        if fields.model_key != fields.id.key() {
            return Err(D::Error::custom("the key of a model is of its id"));
        }
        if fields.updated_at < fields.created_at {
            return Err(D::Error::custom("a model is not changed before it is created"));
        }
        let status = fields.training_status;
        let training = TrainingState::from_shown(ShownTraining {
            status,
            has_test_data: status == TrainingStatus::Running
                && fields.status_message == status.message(),
            progress: fields.training_progress,
            started_at: fields.started_training_at,
            finished_at: fields.finished_training_at,
            failed_at: fields.failed_at,
            error: fields.error,
            metrics: fields.training_metrics,
        });
        Ok(CustomModel {
            id: fields.id,
            name: fields.name,
            description: fields.description,
            language: fields.language,
            base_model: fields.base_model,
            training: training.ok_or(D::Error::custom("the training contradicts its status"))?,
            created_at: fields.created_at,
            updated_at: fields.updated_at,
            version: Revision::FIRST.into(),
        })
    }
}
