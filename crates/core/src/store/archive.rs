//! All that a store holds, record by record: to move it to a store of another kind, to look whether it is
//! whole, and to remove an organisation.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::access::{KeyDigest, KeyRecord};
use crate::model::{
    CustomModel, DataPair, Event, EventType, ModelId, NewEvent, Revision, TrainingState,
    TrainingStatus, Version,
};
use crate::store::access::Registration;
use crate::store::error::StoreError;
use crate::store::idempotency::{IdempotencyRecord, IdempotencyScope};
use crate::store::identity::{Lineage, StoreIdentity, StoreSummary};
use crate::store::model_store::ModelStore;
use crate::tenant::Organisation;
use crate::time::Timestamp;

/// The most findings that [`ArchiveStore::verify`] returns.
pub const MOST_FINDINGS: usize = 100;

/// Shows everything that a store holds, and takes it from elsewhere.
///
/// What a window has admitted (RATE-1) is not among the records: it is of an hour or less, and windows begin
/// empty where records are brought.
pub trait ArchiveStore: ModelStore {
    /// Calls `each` with every record, from one consistent view of the store: first [`Record::Start`], then
    /// those of the other kinds in the order in which [`Record`] has them, each kind in the order of its
    /// organisations and numbers. Ends with the first error of `each`.
    ///
    /// Memory does not grow with the store. Writes may wait for it, in stores that have one view alone.
    fn export(
        &self,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Puts records into the store, in their order and durably, all or none of them, each in the place of
    /// what is there under the same name; or erases; or replaces the identity. Says how many records were put or
    /// erased, or 1 for an identity that was replaced.
    ///
    /// Records are taken as they are: what an organisation's [`Record::Organisation`] counts is not counted
    /// again. The last id never falls.
    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError>;

    /// The summary by which a folder of training data knows the store, from one consistent view (PLACE-2).
    ///
    /// The view includes every write that was acknowledged before the call. The cost does not grow with the
    /// models, nor with their data.
    fn summary(&self) -> Result<StoreSummary, StoreError>;

    /// Looks for damage that no record shows, such as a page that is broken, a missing index or a table that is
    /// not as it was made, and returns a sentence a finding, [`MOST_FINDINGS`] at most.
    ///
    /// Reads as much as an export does, and writes nothing.
    fn verify(&self) -> Result<Vec<String>, StoreError>;
}

/// A change of what a store holds that no rule is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveChange {
    /// Puts records.
    Import(Vec<Record>),
    /// Puts records into a store that holds nothing, so that an export would show a start at 0 alone. Otherwise
    /// puts none, and 0 are put. No other write comes between the look and the records: of two that begin at
    /// once one finds what the other has put.
    Begin(Vec<Record>),
    /// Removes the records of an organisation, at most `limit` of a kind: its registration and keys first, so
    /// that nobody uses it any more, then answers, data, models and events, and its counters in the end. Erases
    /// 0 records if nothing is left. The ids of its models are not given again (MODEL-1).
    Erase {
        /// The organisation to erase.
        organisation: Organisation,
        /// The most records of a kind that one write removes, at least 1, so that other writes need not wait
        /// for long.
        limit: u32,
    },
    /// Replaces the identity and the lineage of the store if it has those that are expected; otherwise nothing
    /// changes, and the answer is 0 (PLACE-2). It is no event, and of two that expect the same one is made.
    ReplaceIdentity {
        /// The identity and the lineage that the store has to have.
        expected: (StoreIdentity, Option<Lineage>),
        /// The identity and the lineage that the store gets.
        new: (StoreIdentity, Lineage),
    },
}

/// Something that a store holds. As JSON, with its kind under `record`, it is a line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// The beginning.
    Start {
        /// At least every id that was ever given (MODEL-1).
        last_id: u64,
    },
    /// A registered organisation.
    Registration {
        /// The organisation.
        organisation: Organisation,
        /// The name of its plan.
        #[serde(with = "text")]
        plan: crate::tenant::PlanName,
    },
    /// A key, as its digest.
    Key(KeyLine),
    /// The counters of an organisation.
    Organisation {
        /// The organisation.
        organisation: Organisation,
        /// The number of models that it has (QUOTA-1).
        models: u64,
        /// The position of its last event; 0 if there was none (LOG-1).
        last_event: u64,
        /// The position of the first event that is kept; the one behind the last if none is.
        first_event: u64,
    },
    /// A model.
    Model(ModelLine),
    /// A pair of a model's data.
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
    /// An answer that is kept (IDEM-1).
    Answer(AnswerLine),
}

/// A key, as a line has it.
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
    /// The organisation that the key belongs to.
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

/// A model, as a line has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "ModelFields", into = "ModelFields")]
pub struct ModelLine {
    /// The organisation that the model belongs to.
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
    #[serde(with = "text")]
    language: crate::field::Language,
    #[serde(with = "text")]
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
            return Err("a course of another status");
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

/// An event, as a line has it.
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
    /// The event of an organisation.
    pub fn new(organisation: Organisation, event: Event) -> Self {
        let Event { position, created_at, model_id: model, actor, event_type: event } = event;
        EventLine { organisation, position, model, created_at, actor, event }
    }

    /// The organisation whose history holds the event.
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// The event, and what a store was told of it.
    pub fn into_parts(self) -> (Organisation, u64, ModelId, NewEvent) {
        let EventLine { organisation, position, model, created_at, actor, event } = self;
        (organisation, position, model, NewEvent { created_at, actor, event_type: event })
    }
}

/// A kept answer, as a line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerLine {
    organisation: Organisation,
    #[serde(with = "text")]
    operation: crate::access::Operation,
    target: Option<ModelId>,
    #[serde(with = "text")]
    key: crate::store::IdempotencyKey,
    kept: IdempotencyRecord,
}

impl AnswerLine {
    /// Makes the line of an answer that an organisation keeps under a key.
    pub fn new(organisation: Organisation, key: IdempotencyScope, kept: IdempotencyRecord) -> Self {
        let IdempotencyScope { operation, target, key } = key;
        AnswerLine { organisation, operation, target, key, kept }
    }

    /// The organisation and the model that the answer is about, and the revision of the model.
    pub(crate) fn about(&self) -> (&Organisation, Option<ModelId>, Revision) {
        (&self.organisation, self.target, self.kept.revision)
    }

    /// Returns the organisation, the key, and the kept answer.
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
        let invalid = "64 hexadecimal digits are a digest";
        let mut bytes = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(invalid);
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let digits = str::from_utf8(pair).ok().filter(|it| !it.starts_with('+'));
            *byte = digits.and_then(|it| u8::from_str_radix(it, 16).ok()).ok_or(invalid)?;
        }
        Ok(DigestText(KeyDigest::from_bytes(bytes)))
    }
}

/// Values that are texts on a line.
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
