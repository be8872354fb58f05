//! The interface to the models of a store.

use crate::model::{CustomModel, DataPair, EventPage, ModelId};
use crate::store::error::StoreError;
use crate::store::idempotency::{IdempotencyRecord, IdempotencyScope};
use crate::store::outcome::Outcome;
use crate::store::pending::Pending;
use crate::store::purge::{Purge, Purged};
use crate::store::query::{Listing, Selection};
use crate::store::write::{Completion, Write};
use crate::tenant::Organisation;
use crate::time::UnixMillis;

/// Keeps the models of many organisations, with their history, their data, the answers to requests that
/// may be repeated, and the trainings that wait for a worker.
///
/// Every method may be called from any thread, and any number of threads at a time; reads wait for no
/// write, and see whatever was acknowledged before they began.
pub trait ModelStore: Send + Sync {
    /// Makes one change, or refuses it, and then calls `done` exactly once, from any thread.
    ///
    /// Returns without waiting for a disk or a network. `done` is short, does not panic and does not
    /// call the store again.
    ///
    /// - Atomicity: the condition of the change is judged, and the change made, in one step that no
    ///   other change comes between, whatever thread, process or machine it comes from. A change
    ///   that is refused ([`Outcome::LimitReached`], [`Outcome::NotFound`], [`Outcome::Refused`],
    ///   [`Outcome::Repeated`], [`Outcome::WindowFull`]) leaves no trace: no event, no kept answer. The
    ///   admission of its request stays, if there is one ([`Outcome::Admitted`]).
    /// - Durability: `done` hears `Ok` only when the change, or what a refusal rests on, would
    ///   survive a power cut (MODEL-6), and reads that begin from then on see it.
    /// - Order: a change that is submitted after `done` heard of another one is made after it.
    /// - Errors: after [`StoreErrorKind::OutcomeUnknown`](crate::store::StoreErrorKind::OutcomeUnknown) the change was made, whole, or was not
    ///   made. After any other kind it was not made, and will not be.
    /// - A store whose queue is full answers [`StoreErrorKind::Busy`](crate::store::StoreErrorKind::Busy) at once.
    fn submit(&self, write: Write, done: Completion);

    /// [`ModelStore::submit`] for a caller that waits: makes one change, or refuses it, and returns
    /// what `done` would have heard.
    ///
    /// Without an adapter's own way the calling thread sleeps until the completion is called. An
    /// adapter that may work on that thread answers sooner.
    fn apply(&self, write: Write) -> Result<Outcome, StoreError> {
        Pending::new(|done| self.submit(write, done)).wait()
    }

    /// The model with this id, if this organisation has it.
    ///
    /// Does not wait for writes.
    fn get(
        &self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError>;

    /// A part of an organisation's models, in ascending order of their ids, from one consistent
    /// view of the store.
    ///
    /// Does not wait for writes. Its cost does not grow with the models of other organisations, nor,
    /// without a filter, with the number of models before [`Selection::after`] (READ-2).
    fn list(
        &self,
        organisation: &Organisation,
        selection: &Selection,
    ) -> Result<Listing, StoreError>;

    /// The events of an organisation behind a position, in order, `limit` at most, with the ends of
    /// its history, all from one consistent view of the store (LOG-1).
    ///
    /// Its cost does not grow with the events before `after`.
    fn events(
        &self,
        organisation: &Organisation,
        after: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError>;

    /// Models whose training is claimable at `at` or was before, by
    /// [`TrainingState::claimable_at`](crate::model::TrainingState::claimable_at): those that have waited longest first,
    /// `limit` at most, of one organisation or of all.
    ///
    /// Its cost does not grow with the models that are not trained.
    fn claimable(
        &self,
        organisation: Option<&Organisation>,
        at: UnixMillis,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError>;

    /// The pairs of a model's data with larger numbers than `after`, in the order of their numbers, `limit` at
    /// most; none where there is no such model.
    ///
    /// Its cost does not grow with the pairs before `after`.
    fn data(
        &self,
        organisation: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError>;

    /// The answer that is kept under a key, live or not (IDEM-1).
    fn idempotency_record(
        &self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError>;

    /// Deletes old events and answers, and returns when that is durable. The deleted events of an organisation
    /// are the beginning of its history, and their positions are not given again.
    fn purge(&self, purge: Purge) -> Result<Purged, StoreError>;

    /// Makes the changes that were submitted before, waits until they are answered, then closes the store's
    /// files or connections. The store can be opened anew even while handles on this one are still there.
    ///
    /// From then on every method answers [`StoreErrorKind::Closed`](crate::store::StoreErrorKind::Closed). Closing again does nothing.
    /// Dropping the last handle does the same, except that a completion which drops it does not wait
    /// for the completions after it.
    fn close(&self) -> Result<(), StoreError>;
}
