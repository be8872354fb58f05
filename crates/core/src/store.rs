//! The interface between the engine and a store.
//!
//! A store keeps models and makes one conditional change at a time. It knows no plan, no rule and no message.
//! Each method documents the guarantees that an adapter has to give; the crate
//! `custom-models-store-conformance` tests them.
//!
//! # How to build a store
//!
//! A store implements three traits, with 18 required methods in all:
//!
//! | trait | required methods | for |
//! | --- | --- | --- |
//! | [`ModelStore`] | 9 | models, with their events, training data, idempotency records and training queue |
//! | [`AccessStore`] | 5 | organisations, API keys, rate limits |
//! | [`ArchiveStore`] | 4 | export, import, erasure, identity, self-check |
//!
//! A type with the three is a [`Store`]. Rate limits need two provided methods as well,
//! [`AccessStore::keeps_windows`] and [`AccessStore::window`].
//!
//! ## Writes
//!
//! There are four kinds of write: [`ModelStore::submit`], [`AccessStore::submit_access`],
//! [`ModelStore::purge`] and [`ArchiveStore::archive`]. The first two take a completion, `done`; the other two
//! block. [`Job`] is a write of any kind, for a store that commits all of them through one queue.
//!
//! - `submit` does not wait for a disk, a network or a lock that is held while a write waits for one. The
//!   engine calls it on threads of an async runtime.
//! - `done` may run before `submit` returns, on the caller's thread: for a full queue, a closed store, or a
//!   store that needs no waiting. It may also run later on any other thread. It runs exactly once, while
//!   the store holds no lock.
//! - `done` is short and calls no method of the store. It may drop the last handle to the store.
//! - Every other method may wait for a disk or a network. All methods may be called from any number of threads
//!   at once, and reads do not wait for writes.
//! - Durability comes before visibility: sync, then show the change to readers, then call `done`. A reader must
//!   not see a change that a power cut could take back. A refusal is an answer too: it waits for the sync of
//!   the changes that it was judged by.
//! - After an error other than [`StoreErrorKind::OutcomeUnknown`], the change was not made and never will be.
//!   After a failed sync nobody knows what the disk has; the store reports `OutcomeUnknown`, refuses further
//!   writes, and reads the disk again at its next opening. The opening syncs what it finds, since the process
//!   may have died between a write and its sync.
//! - One place has one open store at a time, or several that see each other's writes. A second opening of a
//!   store that cannot be shared fails with [`StoreErrorKind::Locked`].
//!
//! ## What the core does
//!
//! [`apply`] judges a [`Write`] and makes it, over the rows of a transaction that the store supplies as
//! [`Rows`] (15 required methods). [`apply_access`] does the same with an [`AccessChange`], over [`AccessRows`]
//! (6). Both read and judge everything before their first write. [`admit`] and [`window_state`] judge rate
//! limits, over [`AdmissionRows`] (3) and [`AdmissionRowsMut`] (2). The store itself makes the changes of
//! [`Purge`] and [`ArchiveChange`]; their documentation says under which condition.
//!
//! Rows have ready forms. A [`Record`] serialises every row that an export shows, keys and counters included,
//! and reads it back unchanged. [`ModelRow`](crate::model::ModelRow) is a model in columns, for a database
//! with tables. Beside the records a store keeps its identity and lineage, the number of events ever appended,
//! and the admissions of windows; [`AdmissionRun`] is eight of them in one row.
//!
//! [`Tables`](crate::memory::Tables) are all of these rows in memory, for a store whose records fit there: they
//! judge a [`Job`], give the changes of rows that it made, and replay such changes, which serialise both ways. A
//! [`MemoryStore`](crate::MemoryStore) then answers the reads: [`MemoryStore::replay`](crate::MemoryStore::replay)
//! shows it what is durable. By itself it makes a change visible at once.
//!
//! The crate `custom-models-group-commit` is the queue: it commits what has queued up as one group with one
//! sync, bounds the queue, keeps the order of answers, and closes in order.
//!
//! ## An example
//!
//! `crates/store-conformance/examples/own_store.rs` in the repository is a whole durable store over one file in
//! under 300 lines, built on this page alone: a log of changes with checksums, replayed at opening. It passes the
//! suite.

mod access;
mod access_change;
mod access_rows;
mod admission_run;
mod admit;
mod apply;
mod archive;
mod audit;
mod error;
mod form;
mod idempotency;
mod identity;
mod job;
mod model_store;
mod oneshot;
mod outcome;
mod pending;
mod purge;
mod query;
mod read_pool;
mod rows;
mod write;

pub use self::access::{AccessStore, Store};
pub use self::access_change::{AccessChange, AccessOutcome, Grant, Registration};
pub use self::access_rows::{AccessRows, apply_access};
pub use self::admission_run::AdmissionRun;
pub use self::admit::{
    Admission, AdmissionRows, AdmissionRowsMut, WindowState, admit, window_state,
};
pub use self::apply::apply;
pub use self::archive::{
    AnswerLine, ArchiveChange, ArchiveStore, EventLine, KeyLine, MOST_FINDINGS, ModelLine, Record,
};
pub use self::audit::{Audit, Finding};
pub use self::error::{StoreError, StoreErrorKind};
pub(crate) use self::form::{Form, blocking};
pub use self::idempotency::{
    IdempotencyKey, IdempotencyRecord, IdempotencyScope, IdempotentRequest, InvalidIdempotencyKey,
    NewIdempotencyRecord,
};
pub use self::identity::{InvalidStoreIdentity, Lineage, OpenMode, StoreIdentity, StoreSummary};
pub use self::job::{Job, JobOutcome};
pub use self::model_store::ModelStore;
pub use self::outcome::Outcome;
pub use self::pending::{PendingWrite, PendingWrites};
pub use self::purge::{Purge, Purged};
pub use self::query::{Listing, Selection};
pub(crate) use self::read_pool::Readers;
pub use self::read_pool::{PendingRead, ReadPool};
pub use self::rows::{Counters, Rows};
pub use self::write::{AdmissionRequest, Change, Completion, Write};
pub use crate::request::Filter;
