//! Each way in which records contradict each other, with its text.

use std::fmt;

use crate::access::KeyId;
use crate::model::{DataId, ModelId};
use crate::tenant::{Organisation, PlanName};

/// Something that contradicts something else.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A record that comes a second time: of a model, or else a registration or the counters.
    Repeated(Organisation, Option<ModelId>),
    /// A plan that the host does not know, so that its organisation cannot do anything (QUOTA-1).
    UnknownPlan(Organisation, PlanName),
    /// A key of an organisation that is not registered (AUTH-2).
    KeyOfNobody(Organisation),
    /// A key with the id or the digest of another one (AUTH-1).
    KeyLikeAnother(Organisation, KeyId),
    /// Records of an organisation that has no counters.
    NotCounted(Organisation),
    /// The counter of an organisation's models is not their number (QUOTA-1).
    ModelsMiscounted {
        /// The organisation.
        organisation: Organisation,
        /// The number that the counter says.
        counted: u64,
        /// The number of models that are there.
        found: u64,
    },
    /// A record names an id beyond the last one that was given away (MODEL-1).
    IdBeyondTheLast(Organisation, ModelId),
    /// An id that another organisation has too (MODEL-1).
    IdOfTwo(Organisation, ModelId),
    /// A model was created, trained or given data after its last change, or was trained otherwise than in the
    /// order of time (MODEL-4, EDIT-3).
    TimesOutOfOrder(Organisation, ModelId),
    /// The status of a model is not one that the amount of its data allows (DATA-5, DATA-6).
    StatusNotOfData(Organisation, ModelId),
    /// An event is not where it has to be (LOG-1).
    HistoryWithAGap {
        /// The organisation.
        organisation: Organisation,
        /// The position that comes next, or that behind the last one.
        expected: u64,
        /// The position that is there, or the end.
        found: u64,
    },
    /// An event that cannot happen to its model after those before it: the first of them (TRAIN-1, LOG-1).
    EventOutOfPlace {
        /// The organisation.
        organisation: Organisation,
        /// The position of the event.
        position: u64,
        /// The model that the event names.
        model: ModelId,
    },
    /// No event tells of the creation of a model, though one tells of an earlier one: ids and positions grow
    /// together within an organisation (MODEL-1, LOG-1).
    CreationMissing(Organisation, ModelId),
    /// A pair of data belongs to no model (EDIT-5).
    DataOfNobody(Organisation, ModelId, DataId),
    /// The sums of a model's data are not those of its pairs, or its pairs not those of its history (DATA-6).
    DataMiscounted(Organisation, ModelId),
    /// A model is there that was deleted, or is not there and was not.
    NotAsTold(Organisation, ModelId),
    /// The status, the times or the progress of a training are not those that the history says.
    StatusNotAsTold(Organisation, ModelId),
    /// The revision or the times of a model are not those that its history says (LOG-1).
    ChangesNotAsTold(Organisation, ModelId),
    /// A kept answer is of a revision that its model has not reached (IDEM-1).
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
