//! The interface to the models of a store.

use crate::model::{CustomModel, DataPair, EventPage, ModelId};
use crate::store::error::StoreError;
use crate::store::idempotency::{IdempotencyRecord, IdempotencyScope};
use crate::store::outcome::Outcome;
use crate::store::pending::PendingWrite;
use crate::store::purge::{Purge, Purged};
use crate::store::query::{Listing, Selection};
use crate::store::write::{Completion, Write};
use crate::tenant::Organisation;
use crate::time::UnixMillis;

/// A store of the models of many organisations, with their events, training data, idempotency records and
/// training queue.
///
/// Every method may be called from any number of threads at once. Reads do not wait for writes, and see every
/// write that was acknowledged before they began.
pub trait ModelStore: Send + Sync {
    /// Makes one change, or refuses it, and then calls `done` exactly once, from any thread.
    ///
    /// Returns without waiting for a disk or a network. `done` has to be short, must not panic and must not
    /// call the store.
    ///
    /// - Atomicity: the condition is judged and the change made in one step. No other change comes between,
    ///   from any thread, process or machine. A refused change ([`Outcome::LimitReached`],
    ///   [`Outcome::NotFound`], [`Outcome::Refused`], [`Outcome::Repeated`], [`Outcome::WindowFull`]) leaves
    ///   no event and no idempotency record; only the admission of its request stays ([`Outcome::Admitted`]).
    /// - Durability: `done` gets `Ok` only when the change would survive a power cut (MODEL-6), and for a
    ///   refusal when the state that it was judged by would. Reads that begin after that see the change.
    /// - Order: a change that is submitted after the completion of another one is made after it.
    /// - Errors: after [`StoreErrorKind::OutcomeUnknown`](crate::store::StoreErrorKind::OutcomeUnknown) the
    ///   change was made completely or not at all. After any other kind it was not made, and will not be.
    /// - A full queue yields [`StoreErrorKind::Busy`](crate::store::StoreErrorKind::Busy) at once.
    fn submit(&self, write: Write, done: Completion);

    /// Makes several changes, each as [`ModelStore::submit`] does, in this order. They are one group in a store that
    /// commits in groups, so that one sync makes all of them durable.
    ///
    /// The changes do not depend on each other: one is refused or made whatever becomes of the others.
    fn submit_all(&self, writes: Vec<(Write, Completion)>) {
        writes.into_iter().for_each(|(write, done)| self.submit(write, done));
    }

    /// Makes one change, or refuses it, and blocks until the outcome is known: [`ModelStore::submit`] for a
    /// caller that waits.
    ///
    /// The default body submits the change and blocks the thread until the completion. An adapter may
    /// override it to make the change on the calling thread, which is faster.
    fn apply(&self, write: Write) -> Result<Outcome, StoreError> {
        PendingWrite::new(|done| self.submit(write, done), |outcome| outcome).wait()
    }

    /// Returns the model with this id, if the organisation has it.
    ///
    /// Does not wait for writes.
    fn get(
        &self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError>;

    /// Lists models of an organisation in ascending order of their ids, from one consistent view of the
    /// store.
    ///
    /// Does not wait for writes. The cost does not depend on the models of other organisations. Without a
    /// filter it does not depend on the number of models before [`Selection::after`] either (READ-2).
    fn list(
        &self,
        organisation: &Organisation,
        selection: &Selection,
    ) -> Result<Listing, StoreError>;

    /// Returns at most `limit` events of an organisation after the position `after`, in order, with the first
    /// and last position of its history, from one consistent view of the store (LOG-1).
    ///
    /// The cost does not depend on the number of events before `after`.
    fn events(
        &self,
        organisation: &Organisation,
        after: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError>;

    /// Returns at most `limit` models whose training can be claimed at `at`, by
    /// [`TrainingState::claimable_at`](crate::model::TrainingState::claimable_at), longest waiting first.
    /// They belong to one organisation, or with `None` to any.
    ///
    /// The cost does not depend on the number of models without a waiting or expired training.
    fn claimable(
        &self,
        organisation: Option<&Organisation>,
        at: UnixMillis,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError>;

    /// Returns at most `limit` data pairs of a model with ids above `after`, in ascending order of their ids.
    /// An absent model has none.
    ///
    /// The cost does not depend on the number of pairs before `after`.
    fn data(
        &self,
        organisation: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError>;

    /// Returns the idempotency record of a key, expired or not (IDEM-1).
    fn idempotency_record(
        &self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError>;

    /// Deletes old events and idempotency records, and returns when the deletion is durable. Events are
    /// deleted from the beginning of each organisation's history, and their positions are not used again.
    fn purge(&self, purge: Purge) -> Result<Purged, StoreError>;

    /// Makes the changes submitted before, waits for their completions, then closes the store's files or
    /// connections. The store can be opened again even while handles to this one exist.
    ///
    /// From then on every method returns [`StoreErrorKind::Closed`](crate::store::StoreErrorKind::Closed).
    /// Closing again does nothing. Dropping the last handle closes the store too. If a completion drops it,
    /// the drop does not wait for the completions after that one.
    fn close(&self) -> Result<(), StoreError>;
}
