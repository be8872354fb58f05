//! The changes of rows that tables make, in a form that a store can keep.

use serde::{Deserialize, Serialize};

use crate::access::Window;
use crate::model::{DataId, ModelId};
use crate::store::Record;
use crate::tenant::Organisation;
use crate::time::UnixMillis;

/// A change of rows in [`Tables`](crate::memory::Tables). Nothing judges it: made again in the same order, on
/// tables as they were, it has the same effect.
///
/// Serialises both ways, for the log of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum RowChange {
    /// Stores a record, in place of the one with the same key. The last id never decreases.
    Put(Record),
    /// Deletes a model and its data pairs.
    RemoveModel {
        /// The organisation.
        organisation: Organisation,
        /// The model.
        model: ModelId,
    },
    /// Deletes a data pair.
    RemovePair {
        /// The organisation.
        organisation: Organisation,
        /// The model of the pair.
        model: ModelId,
        /// The pair.
        pair: DataId,
    },
    /// Deletes the beginning of a history.
    RemoveEvents {
        /// The organisation.
        organisation: Organisation,
        /// The position of the first event that stays.
        first: u64,
    },
    /// Deletes old idempotency records, in the order of an export.
    RemoveAnswers {
        /// The time of the newest record to delete.
        until: UnixMillis,
        /// The most records to delete.
        limit: u32,
    },
    /// Adds an admission to the end of a window.
    Admit {
        /// The window.
        window: Window,
        /// The number of the admission.
        number: u64,
        /// The time of the admission.
        at: UnixMillis,
    },
    /// Deletes the first admissions of a window.
    RemoveAdmissions {
        /// The window.
        window: Window,
        /// The number of admissions.
        count: usize,
    },
    /// Moves the admissions of all windows that are in the future.
    MoveAdmissions {
        /// The time to move them to.
        now: UnixMillis,
    },
    /// Erases everything of an organisation, with the admissions of its keys. Its events stay in the number of
    /// all.
    Erase(Organisation),
    /// Sets the identity and the lineage.
    Identify {
        /// The bytes of the identity.
        identity: [u8; 16],
        /// The number of the lineage.
        lineage: Option<u64>,
    },
}
