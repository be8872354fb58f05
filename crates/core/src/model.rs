use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::de::Error;
use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{BaseModel, CreateModel, Description, Language, Name, Timestamp, TrainingStatus};

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

/// How often a model was changed, 1 when new: a write names the revision that it was decided on
/// (EDIT-4).
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
    /// When the model is created, and so when it was last updated (MODEL-4).
    pub created_at: Timestamp,
}

impl NewModel {
    /// What a request asks for, at a moment.
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
            training_status: TrainingStatus::NotRunning,
            created_at: self.created_at,
            updated_at: self.created_at,
            revision: Revision::FIRST,
        }
    }
}

/// A custom model, as it is stored.
///
/// Serialises as the ten fields of the wire in the specification's order (MODEL-5); what follows
/// from other fields (`model_key`, `status_message`) is made there and kept nowhere.
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
    /// Where the model stands with its training.
    pub training_status: TrainingStatus,
    /// When the model was created.
    pub created_at: Timestamp,
    /// When the model was last changed.
    pub updated_at: Timestamp,
    /// How often the model was changed. Not on the wire.
    pub revision: Revision,
}

impl CustomModel {
    /// The key for transcription requests (MODEL-2).
    pub const fn model_key(&self) -> ModelKey {
        self.id.key()
    }

    /// Where the model stands with its training, for people (MODEL-3).
    pub const fn status_message(&self) -> &'static str {
        self.training_status.message()
    }
}

impl Serialize for CustomModel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("CustomModel", 10)?;
        fields.serialize_field("id", &self.id)?;
        fields.serialize_field("model_key", &self.model_key())?;
        fields.serialize_field("name", &self.name)?;
        fields.serialize_field("description", &self.description)?;
        fields.serialize_field("language", &self.language)?;
        fields.serialize_field("base_model", &self.base_model)?;
        fields.serialize_field("training_status", &self.training_status)?;
        fields.serialize_field("status_message", self.status_message())?;
        fields.serialize_field("created_at", &self.created_at)?;
        fields.serialize_field("updated_at", &self.updated_at)?;
        fields.end()
    }
}
