//! The interface between the engine and a store.
//!
//! A store keeps models and makes one conditional change at a time. It knows no plan, no rule and no message.
//! Each method documents the guarantees that an adapter has to give; the crate
//! `custom-models-store-conformance` tests them.

mod access;
mod access_change;
mod admit;
mod apply;
mod archive;
mod audit;
mod error;
mod idempotency;
mod identity;
mod job;
mod model_store;
mod outcome;
mod pending;
mod purge;
mod query;
mod rows;
mod write;

pub use self::access::{AccessStore, Store};
pub use self::access_change::{AccessChange, AccessOutcome, Grant, Registration};
pub use self::admit::{
    Admission, AdmissionRows, AdmissionRowsMut, WindowState, admit, window_state,
};
pub use self::apply::apply;
pub use self::archive::{
    AnswerLine, ArchiveChange, ArchiveStore, EventLine, KeyLine, MOST_FINDINGS, ModelLine, Record,
};
pub use self::audit::{Audit, Finding};
pub use self::error::{StoreError, StoreErrorKind};
pub use self::idempotency::{
    IdempotencyKey, IdempotencyRecord, IdempotencyScope, IdempotentRequest, InvalidIdempotencyKey,
    NewIdempotencyRecord,
};
pub use self::identity::{InvalidStoreIdentity, Lineage, OpenMode, StoreIdentity, StoreSummary};
pub use self::job::{Job, JobOutcome};
pub use self::model_store::ModelStore;
pub use self::outcome::Outcome;
pub(crate) use self::pending::Pending;
pub use self::purge::{Purge, Purged};
pub use self::query::{Filter, Listing, Selection};
pub use self::rows::{Counters, Rows};
pub use self::write::{AdmissionRequest, Change, Completion, Write};
