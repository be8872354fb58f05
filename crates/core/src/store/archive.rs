//! Every record of a store: to move it to a store of another kind, to check it, and to erase an organisation.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::access::{KeyDigest, KeyRecord};
use crate::model::{
    CustomModel, DataPair, Event, EventType, ModelId, NewEvent, Revision, TrainingState,
    TrainingStatus, Version, digest_bytes,
};
use crate::store::access_change::Registration;
use crate::store::error::StoreError;
use crate::store::idempotency::{IdempotencyRecord, IdempotencyScope};
use crate::store::identity::{Lineage, StoreIdentity, StoreSummary};
use crate::store::model_store::ModelStore;
use crate::tenant::Organisation;
use crate::time::Timestamp;

/// The most findings that [`ArchiveStore::verify`] returns.
pub const MOST_FINDINGS: usize = 100;

/// A store that can export all its records, import records and check itself.
///
/// Rate-limit admissions (RATE-1) are not among the records: they last as long as their window, and windows are empty
/// after an import.
pub trait ArchiveStore: ModelStore {
    /// Calls `each` with every record, from one consistent view of the store. [`Record::Start`] comes first,
    /// then the other kinds in the order of [`Record`], each kind ordered by organisation and number. Stops
    /// at the first error of `each`.
    ///
    /// Memory does not grow with the store. In a store that has a single view, writes may wait for the
    /// export.
    fn export(
        &self,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Imports records, erases an organisation, or replaces the identity of the store: durably, and
    /// completely or not at all.
    ///
    /// Returns the number of records that were imported or erased, or 1 for a replaced identity. An imported
    /// record replaces the one with the same key. Records are not checked: the counters of a
    /// [`Record::Organisation`] are stored as they are. The last id never decreases.
    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError>;

    /// Returns the summary that a folder of training data compares the store with, from one consistent view
    /// (PLACE-2).
    ///
    /// The view includes every write that was acknowledged before the call. The cost does not depend on the
    /// number of models or of data pairs.
    fn summary(&self) -> Result<StoreSummary, StoreError>;

    /// Looks for damage below the records, such as a broken page, a missing index or an altered table.
    /// Returns one sentence per finding, [`MOST_FINDINGS`] at most.
    ///
    /// Reads as much as an export does, and writes nothing.
    fn verify(&self) -> Result<Vec<String>, StoreError>;
}

/// A change to the records of a store that no rule judges.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveChange {
    /// Imports records.
    Import(Vec<Record>),
    /// Imports records into an empty store, of which an export would show only a start at 0. Into any other
    /// store it imports none and returns 0. The check and the import are one step: of two imports that begin
    /// at once, the second one finds the records of the first.
    Begin(Vec<Record>),
    /// Erases the records of an organisation, about `limit` at a time. The registration and the keys go
    /// first, so that the organisation is locked out; then idempotency records, data, models and events; the
    /// counters last. Returns 0 once nothing is left. The ids of the models are not used again (MODEL-1).
    Erase {
        /// The organisation to erase.
        organisation: Organisation,
        /// The number of records that one write erases, at least 1, so that other writes do not wait long. A
        /// store may erase more where that takes no longer. The admissions of an erased key go with it, and
        /// do not count.
        limit: u32,
    },
    /// Replaces the identity and the lineage of the store, if they equal `expected`; otherwise changes
    /// nothing and returns 0 (PLACE-2). Appends no event. Of two replacements that expect the same values,
    /// one is made.
    ReplaceIdentity {
        /// The identity and the lineage that the store must have.
        expected: (StoreIdentity, Option<Lineage>),
        /// The new identity and lineage.
        new: (StoreIdentity, Lineage),
    },
}

/// A record of a store. Serialises as a line of an export, with its kind under `record`.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// The first record.
    Start {
        /// The highest id that was ever assigned, or a higher number (MODEL-1).
        last_id: u64,
    },
    /// A registered organisation.
    Registration {
        /// The organisation.
        organisation: Organisation,
        /// The name of its plan.
        plan: crate::tenant::PlanName,
    },
    /// A key, by its digest.
    Key(KeyLine),
    /// The counters of an organisation.
    Organisation {
        /// The organisation.
        organisation: Organisation,
        /// The number of its models (QUOTA-2).
        models: u64,
        /// The position of its last event; 0 if there was none (LOG-1).
        last_event: u64,
        /// The position of the first stored event; the position after the last one if no event is stored.
        first_event: u64,
    },
    /// A model.
    Model(ModelLine),
    /// A data pair of a model.
    Data {
        /// The organisation.
        organisation: Organisation,
        /// The model that the pair belongs to.
        model: ModelId,
        /// The pair.
        pair: DataPair,
    },
    /// An event.
    Event(EventLine),
    /// An idempotency record (IDEM-1).
    Answer(AnswerLine),
}

/// A key as a line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyLine {
    #[serde(with = "text")]
    id: crate::access::KeyId,
    #[serde(with = "text")]
    digest: DigestText,
    organisation: Organisation,
    #[serde(with = "text")]
    scopes: crate::access::Scopes,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl KeyLine {
    /// Returns the organisation of the key.
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }
}

impl From<KeyRecord> for Record {
    fn from(key: KeyRecord) -> Self {
        let KeyRecord { id, digest, organisation, scopes, created_at, expires_at, revoked_at } =
            key;
        let digest = DigestText(digest);
        Record::Key(KeyLine {
            id,
            digest,
            organisation,
            scopes,
            created_at,
            expires_at,
            revoked_at,
        })
    }
}

impl From<KeyLine> for KeyRecord {
    fn from(line: KeyLine) -> Self {
        let KeyLine { id, digest, organisation, scopes, created_at, expires_at, revoked_at } = line;
        let digest = digest.0;
        KeyRecord { id, digest, organisation, scopes, created_at, expires_at, revoked_at }
    }
}

impl From<Registration> for Record {
    fn from(Registration { organisation, plan }: Registration) -> Self {
        Record::Registration { organisation, plan }
    }
}

/// A model as a line of an export.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "ModelFields", into = "ModelFields")]
pub struct ModelLine {
    /// The organisation of the model.
    pub organisation: Organisation,
    /// The model.
    pub model: CustomModel,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelFields {
    organisation: Organisation,
    id: ModelId,
    revision: Revision,
    #[serde(rename = "beats")]
    heartbeats: u32,
    name: String,
    description: Option<String>,
    language: crate::field::Language,
    base_model: crate::field::BaseModel,
    training_status: TrainingStatus,
    #[serde(rename = "course")]
    training: TrainingState,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<ModelLine> for ModelFields {
    fn from(ModelLine { organisation, model }: ModelLine) -> Self {
        ModelFields {
            organisation,
            id: model.id,
            revision: model.version.revision,
            heartbeats: model.version.heartbeats,
            name: model.name.as_str().to_owned(),
            description: model.description.as_ref().map(|it| it.as_str().to_owned()),
            language: model.language,
            base_model: model.base_model,
            training_status: model.training.status(),
            training: model.training,
            created_at: model.created_at,
            updated_at: model.updated_at,
        }
    }
}

impl TryFrom<ModelFields> for ModelLine {
    type Error = &'static str;

    fn try_from(fields: ModelFields) -> Result<Self, Self::Error> {
        let description = fields.description.map(crate::field::Description::try_from).transpose();
        if fields.training.status() != fields.training_status || !fields.training.is_sound() {
            return Err("a training state of another status");
        }
        let model = CustomModel {
            id: fields.id,
            name: fields.name.try_into().map_err(|_| "a name against the rules")?,
            description: description.map_err(|_| "a description against the rules")?,
            language: fields.language,
            base_model: fields.base_model,
            training: fields.training,
            created_at: fields.created_at,
            updated_at: fields.updated_at,
            version: Version { revision: fields.revision, heartbeats: fields.heartbeats },
        };
        Ok(ModelLine { organisation: fields.organisation, model })
    }
}

/// An event as a line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventLine {
    organisation: Organisation,
    position: u64,
    model: ModelId,
    created_at: Timestamp,
    actor: crate::tenant::Actor,
    event: EventType,
}

impl EventLine {
    /// Creates the line of an event.
    pub fn new(organisation: Organisation, event: Event) -> Self {
        let Event { position, created_at, model_id: model, actor, event_type: event } = event;
        EventLine { organisation, position, model, created_at, actor, event }
    }

    /// Returns the organisation of the event.
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// Splits the line into the organisation, the position, the model and the event.
    pub fn into_parts(self) -> (Organisation, u64, ModelId, NewEvent) {
        let EventLine { organisation, position, model, created_at, actor, event } = self;
        (organisation, position, model, NewEvent { created_at, actor, event_type: event })
    }
}

/// An idempotency record as a line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerLine {
    organisation: Organisation,
    operation: crate::access::Operation,
    target: Option<ModelId>,
    #[serde(with = "text")]
    key: crate::store::IdempotencyKey,
    kept: IdempotencyRecord,
}

impl AnswerLine {
    /// Creates the line of an idempotency record.
    pub fn new(organisation: Organisation, key: IdempotencyScope, kept: IdempotencyRecord) -> Self {
        let IdempotencyScope { operation, target, key } = key;
        AnswerLine { organisation, operation, target, key, kept }
    }

    /// Returns the organisation of the record, its model, and the model's revision.
    pub(crate) fn about(&self) -> (&Organisation, Option<ModelId>, Revision) {
        (&self.organisation, self.target, self.kept.revision)
    }

    /// Splits the line into the organisation, the scope and the idempotency record.
    pub fn into_parts(self) -> (Organisation, IdempotencyScope, IdempotencyRecord) {
        let AnswerLine { organisation, operation, target, key, kept } = self;
        (organisation, IdempotencyScope { operation, target, key }, kept)
    }
}

/// A digest in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
struct DigestText(KeyDigest);

impl fmt::Display for DigestText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for DigestText {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = digest_bytes(&text.to_ascii_lowercase());
        let bytes = bytes.ok_or("64 hexadecimal digits are a digest")?;
        Ok(DigestText(KeyDigest::from_bytes(bytes)))
    }
}

/// Serialises values as text.
mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
