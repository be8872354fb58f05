mod row;
mod transition;

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::de::Error;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Deserializer, Serialize};

pub use self::row::{InvalidModelRow, ModelRow};
pub use self::transition::{Edit, EditRefusal, Expected, Transition, transition};
use crate::{
    BaseModel, Course, CreateModel, Description, Language, Name, Timestamp, TrainingMetrics,
    TrainingStatus,
};

/// The number of a model: positive, unique in its store, never given twice, at most 2^53 − 1
/// (MODEL-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ModelId(NonZeroU64);

/// A number or a text is not a model's id or key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a model: an integer from 1 to 2^53 - 1")]
pub struct InvalidModelId;

impl ModelId {
    /// The largest id: 2^53 − 1, so that a JavaScript `number` holds every id exactly (MODEL-1).
    pub const MAX: u64 = (1 << 53) - 1;

    /// Accepts a number from 1 to [`ModelId::MAX`].
    pub fn new(number: u64) -> Result<Self, InvalidModelId> {
        match NonZeroU64::new(number) {
            Some(id) if number <= Self::MAX => Ok(ModelId(id)),
            _ => Err(InvalidModelId),
        }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// The key of this model (MODEL-2).
    pub const fn key(self) -> ModelKey {
        ModelKey(self)
    }
}

impl TryFrom<u64> for ModelId {
    type Error = InvalidModelId;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        ModelId::new(number)
    }
}

impl TryFrom<i64> for ModelId {
    type Error = InvalidModelId;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        u64::try_from(number).map_err(|_| InvalidModelId).and_then(ModelId::new)
    }
}

impl From<ModelId> for u64 {
    fn from(id: ModelId) -> Self {
        id.get()
    }
}

/// Databases keep whole numbers as `i64`, which holds every id.
impl From<ModelId> for i64 {
    fn from(id: ModelId) -> Self {
        id.get().cast_signed()
    }
}

/// Takes decimal digits without a sign and without leading zeros, as ids are shown.
impl FromStr for ModelId {
    type Err = InvalidModelId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with(['+', '0']) {
            return Err(InvalidModelId);
        }
        text.parse().map_err(|_| InvalidModelId).and_then(ModelId::new)
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for ModelId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

/// The key of a model in transcription requests: `custom_model_{id}`, derived from the id and
/// nothing else (MODEL-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelKey(ModelId);

impl ModelKey {
    const PREFIX: &'static str = "custom_model_";

    /// The model that the key is of.
    pub const fn id(self) -> ModelId {
        self.0
    }
}

impl From<ModelId> for ModelKey {
    fn from(id: ModelId) -> Self {
        id.key()
    }
}

impl FromStr for ModelKey {
    type Err = InvalidModelId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix(Self::PREFIX).ok_or(InvalidModelId)?.parse().map(ModelKey)
    }
}

impl fmt::Display for ModelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.0)
    }
}

impl Serialize for ModelKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ModelKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The revision of a model: 1 when new, one more with each change. A write names the revision that it was
/// decided on (EDIT-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(NonZeroU64);

impl Revision {
    /// The revision of a new model.
    pub const FIRST: Revision = Revision(NonZeroU64::MIN);

    /// The revision with this number; `None` for zero.
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Revision(number)),
            None => None,
        }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// The revision after one more change.
    pub const fn next(self) -> Self {
        Revision(self.0.saturating_add(1))
    }
}

/// The number.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The version of a model: its revision, and the number of claims and heartbeats since, which change no revision
/// (TRAIN-3). Every write changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// The revision of the model.
    pub revision: Revision,
    /// The number of claims and heartbeats since that revision.
    pub beats: u32,
}

/// The stamp of a model right after a change.
impl From<Revision> for Stamp {
    fn from(revision: Revision) -> Self {
        Stamp { revision, beats: 0 }
    }
}

/// A model that is to be created: everything but the id, which the store gives.
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
    /// The time at which the model is created, and so last updated (MODEL-4).
    pub created_at: Timestamp,
}

impl NewModel {
    /// Makes the model that a request asks for, created at a moment.
    pub fn new(request: CreateModel<'_>, created_at: Timestamp) -> Self {
        let CreateModel { name, language, base_model, description } = request.into_owned();
        NewModel { name, description, language, base_model, created_at }
    }

    /// The model under the id that the store gave it.
    pub fn with_id(self, id: ModelId) -> CustomModel {
        CustomModel {
            id,
            name: self.name,
            description: self.description,
            language: self.language,
            base_model: self.base_model,
            course: Course::default(),
            created_at: self.created_at,
            updated_at: self.created_at,
            stamp: Revision::FIRST.into(),
        }
    }
}

/// A custom model, as it is stored.
///
/// Serialises as the ten fields of the wire in the specification's order (MODEL-5), and after them
/// those of READ-4 that have a value; what follows from other fields (`model_key`, `status_message`) is made there and kept nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomModel {
    /// The id.
    pub id: ModelId,
    /// The display name.
    pub name: Name<'static>,
    /// The description, if there is one; shown as `null` if not (DESC-1).
    pub description: Option<Description<'static>>,
    /// The language, fixed at creation (LANG-4).
    pub language: Language,
    /// The base model, fixed at creation (BASE-4).
    pub base_model: BaseModel,
    /// The state of the model's training, with the amount of its data.
    pub course: Course,
    /// The time at which the model was created.
    pub created_at: Timestamp,
    /// The time at which the model was last changed.
    pub updated_at: Timestamp,
    /// The version of the model. Not on the wire.
    pub stamp: Stamp,
}

impl CustomModel {
    /// The key for transcription requests (MODEL-2).
    pub const fn model_key(&self) -> ModelKey {
        self.id.key()
    }

    /// The revision, which every change but a heartbeat raises (EDIT-4).
    pub const fn revision(&self) -> Revision {
        self.stamp.revision
    }

    /// The training status of the model.
    pub const fn training_status(&self) -> TrainingStatus {
        self.course.status()
    }

    /// A text about the model's training, for people (MODEL-3).
    pub const fn status_message(&self) -> &'static str {
        self.course.message()
    }

    /// The time at which the training that runs or ran last began (READ-4).
    pub fn started_training_at(&self) -> Option<Timestamp> {
        let run = self.course.run().map(|run| run.started_at);
        let failure = self.course.failure().map(|failure| failure.started_at);
        run.or(failure).or(self.course.success().map(|success| success.started_at))
    }

    /// The time at which the last training ended, if it ended well and none runs (READ-4).
    pub fn finished_training_at(&self) -> Option<Timestamp> {
        self.shown_success().map(|success| success.finished_at)
    }

    /// The figures that were measured, if the last training ended well and none runs (READ-4).
    pub fn training_metrics(&self) -> Option<&TrainingMetrics> {
        self.shown_success().map(|success| &success.metrics).filter(|metrics| !metrics.is_empty())
    }

    fn shown_success(&self) -> Option<&crate::Success> {
        self.course.success().filter(|_| self.course.run().is_none())
    }
}

/// The fields of the wire: ten, and those of READ-4 that have a value.
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
        let failure = self.course.failure();
        push(&mut fields, "training_progress", self.course.progress())?;
        push(&mut fields, "started_training_at", self.started_training_at())?;
        push(&mut fields, "finished_training_at", self.finished_training_at())?;
        push(&mut fields, "failed_at", failure.map(|failure| failure.failed_at))?;
        push(&mut fields, "error", failure.map(|failure| &failure.error))?;
        push(&mut fields, "training_metrics", self.training_metrics())?;
        fields.end()
    }
}

/// Adds a field that has a value.
fn push<M: SerializeMap>(
    fields: &mut M,
    name: &'static str,
    value: Option<impl Serialize>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| fields.serialize_entry(name, &value))
}
