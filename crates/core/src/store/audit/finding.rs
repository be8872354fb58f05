//! The findings of an audit, with their texts.

use std::fmt;

use crate::access::KeyId;
use crate::model::{DataId, ModelId};
use crate::tenant::{Organisation, PlanName};

/// A contradiction between records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A repeated record: of a model, or a registration or counters.
    Repeated(Organisation, Option<ModelId>),
    /// An unknown plan, which locks its organisation out (QUOTA-2).
    UnknownPlan(Organisation, PlanName),
    /// A key whose organisation is not registered (AUTH-2).
    KeyOfNobody(Organisation),
    /// A key with the id or the digest of another key (AUTH-1).
    KeyLikeAnother(Organisation, KeyId),
    /// An organisation with records but without counters.
    NotCounted(Organisation),
    /// A counter of models that differs from their number (QUOTA-2).
    ModelsMiscounted {
        /// The organisation.
        organisation: Organisation,
        /// The number in the counter.
        counted: u64,
        /// The number of models found.
        found: u64,
    },
    /// An id above the last assigned id (MODEL-1).
    IdBeyondTheLast(Organisation, ModelId),
    /// An id that another organisation has too (MODEL-1).
    IdOfTwo(Organisation, ModelId),
    /// A model that was created, trained or given data after its last change, or with training times out of
    /// order (MODEL-4, EDIT-3).
    TimesOutOfOrder(Organisation, ModelId),
    /// A training status that contradicts the amount of data (DATA-5, DATA-6).
    StatusNotOfData(Organisation, ModelId),
    /// An event at a wrong position (LOG-1).
    HistoryWithAGap {
        /// The organisation.
        organisation: Organisation,
        /// The next position, or the position after the last.
        expected: u64,
        /// The position found, or the end.
        found: u64,
    },
    /// The first event of a model that cannot follow the events before it (TRAIN-1, LOG-1).
    EventOutOfPlace {
        /// The organisation.
        organisation: Organisation,
        /// The position of the event.
        position: u64,
        /// The model of the event.
        model: ModelId,
    },
    /// A model without a creation event, though the history has the creation of an earlier model. Ids and
    /// positions grow together within an organisation (MODEL-1, LOG-1).
    CreationMissing(Organisation, ModelId),
    /// A data pair without a model (EDIT-5).
    DataOfNobody(Organisation, ModelId, DataId),
    /// Data sums that differ from the pairs, or pairs that differ from the history (DATA-6).
    DataMiscounted(Organisation, ModelId),
    /// A deleted model that exists, or a model that is missing without a deletion.
    NotAsTold(Organisation, ModelId),
    /// A training status, time or progress that differs from the history.
    StatusNotAsTold(Organisation, ModelId),
    /// A revision or time of a model that differs from its history (LOG-1).
    ChangesNotAsTold(Organisation, ModelId),
    /// An idempotency record with a revision that its model has not reached (IDEM-1).
    AnswerAhead(Organisation, ModelId),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Repeated(of, None) => write!(f, "{of}: a record of it is there twice"),
            Finding::Repeated(of, Some(id)) => write!(f, "{of}: model {id} is there twice"),
            Finding::UnknownPlan(of, plan) => write!(
                f,
                "{of}: the plan '{plan}' is not known; name the file of plans with --config, or set \
                 another plan"
            ),
            Finding::KeyOfNobody(of) => write!(f, "{of}: a key, but no registration"),
            Finding::KeyLikeAnother(of, key) => {
                write!(f, "{of}: key {key} has the id or the digest of another key")
            }
            Finding::NotCounted(of) => write!(f, "{of}: it has records, but no counters"),
            Finding::ModelsMiscounted { organisation, counted, found } => {
                write!(f, "{organisation}: {counted} models are counted, {found} are there")
            }
            Finding::IdBeyondTheLast(of, id) => {
                write!(f, "{of}: the id of model {id} was never given away")
            }
            Finding::IdOfTwo(of, id) => {
                write!(f, "{of}: another organisation has a model {id} too")
            }
            Finding::TimesOutOfOrder(of, id) => {
                write!(f, "{of}: the times of model {id} are not in an order that can be")
            }
            Finding::StatusNotOfData(of, id) => {
                write!(f, "{of}: model {id} cannot have its status with the data that it has")
            }
            Finding::HistoryWithAGap { organisation, expected, found } => {
                write!(f, "{organisation}: event {expected} is missing, {found} is there")
            }
            Finding::EventOutOfPlace { organisation, position, model } => write!(
                f,
                "{organisation}: event {position} cannot have happened to model {model} after the \
                 events before it"
            ),
            Finding::CreationMissing(of, id) => {
                write!(f, "{of}: the event of the creation of model {id} is missing")
            }
            Finding::DataOfNobody(of, model, pair) => {
                write!(f, "{of}: pair {pair} belongs to model {model}, which is not there")
            }
            Finding::DataMiscounted(of, id) => {
                write!(f, "{of}: the data of model {id} is not what it is said to be")
            }
            Finding::NotAsTold(of, id) => {
                write!(f, "{of}: model {id} is there, or not, against its history")
            }
            Finding::StatusNotAsTold(of, id) => {
                write!(f, "{of}: the training of model {id} is not as its history says")
            }
            Finding::ChangesNotAsTold(of, id) => {
                write!(f, "{of}: model {id} was not changed as often or when its history says")
            }
            Finding::AnswerAhead(of, id) => {
                write!(f, "{of}: a kept answer knows a later revision of model {id} than there is")
            }
        }
    }
}
