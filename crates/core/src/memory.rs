//! The store in memory, which is the reference for every other store, and its tables, which a durable store can
//! be built on.

mod draft;
mod judge;
mod reads;
mod row_change;
mod tables;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::row_change::RowChange;
pub use self::tables::Tables;
use crate::access::{KeyDigest, KeyRecord, RateLimit, Window};
use crate::model::{CustomModel, DataPair, EventPage, ModelId};
use crate::store::{
    AccessChange, AccessOutcome, AccessStore, ArchiveChange, ArchiveStore, Completion, Grant,
    IdempotencyRecord, IdempotencyScope, Job, JobOutcome, Listing, ModelStore, Purge, Purged,
    Record, Registration, Selection, StoreError, StoreErrorKind, StoreIdentity, StoreSummary,
    WindowState, Write,
};
use crate::tenant::Organisation;
use crate::time::UnixMillis;

type Result<T> = std::result::Result<T, StoreError>;

/// A store in memory: for tests, and as the reference for every other store.
///
/// Its records are lost with the last clone (MODEL-6 does not hold). It meets the rest of the contract.
///
/// A durable store may use it as what its readers see: [`MemoryStore::replay`] shows what is synced.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    is_closed: bool,
    /// Shared with an export that runs.
    tables: Arc<Tables>,
}

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        MemoryStore::default()
    }

    /// Creates an empty store with an identity, for a host with a folder of training data that another store
    /// may own (PLACE-2). [`MemoryStore::new`] draws no random bytes: the identity of its stores is all
    /// zeros.
    pub fn with_identity(identity: StoreIdentity) -> Self {
        Tables::with_identity(identity).into()
    }

    /// Returns a store with the same records, open even if this one was closed.
    pub fn reopen(&self) -> Self {
        let mut state = self.state();
        let reopened = State { is_closed: false, ..std::mem::take(&mut *state) };
        state.is_closed = true;
        MemoryStore { state: Arc::new(Mutex::new(reopened)) }
    }

    /// Assigns ids larger than `to` from now on, so that a test can approach the last one (MODEL-1).
    ///
    /// The last id never decreases: a smaller `to` changes nothing.
    pub fn raise_last_id(&self, to: ModelId) {
        self.replay([RowChange::Put(Record::Start { last_id: to.get() })]);
    }

    /// Makes changes that were judged in other tables, all at once for a reader.
    pub fn replay(&self, changes: impl IntoIterator<Item = RowChange>) {
        let mut state = self.state();
        let tables = Arc::make_mut(&mut state.tables);
        changes.into_iter().for_each(|change| tables.replay(change));
    }

    /// Returns the tables as they are now.
    pub fn tables(&self) -> Arc<Tables> {
        Arc::clone(&self.state().tables)
    }

    /// Locks the state. Nothing that can panic runs under the lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the tables, unless the store is closed.
    fn read<T>(&self, read: impl FnOnce(&Arc<Tables>) -> T) -> Result<T> {
        let state = self.state();
        if state.is_closed { Err(StoreErrorKind::Closed.into()) } else { Ok(read(&state.tables)) }
    }

    fn judge(&self, job: &Job) -> Result<JobOutcome> {
        let mut state = self.state();
        if state.is_closed {
            return Err(StoreErrorKind::Closed.into());
        }
        Arc::make_mut(&mut state.tables).judge_unlogged(job)
    }
}

impl From<Tables> for MemoryStore {
    fn from(tables: Tables) -> Self {
        let state = State { is_closed: false, tables: Arc::new(tables) };
        MemoryStore { state: Arc::new(Mutex::new(state)) }
    }
}

impl ModelStore for MemoryStore {
    fn submit(&self, write: Write, done: Completion) {
        done(self.judge(&Job::Model(write)).and_then(JobOutcome::model));
    }

    fn get(&self, of: &Organisation, id: ModelId) -> Result<Option<CustomModel>> {
        self.read(|tables| tables.get(of, id))
    }

    fn list(&self, of: &Organisation, selection: &Selection) -> Result<Listing> {
        self.read(|tables| tables.list(of, selection))
    }

    fn events(&self, of: &Organisation, after: u64, limit: u32) -> Result<EventPage> {
        self.read(|tables| tables.events(of, after, limit))
    }

    fn claimable(
        &self,
        of: Option<&Organisation>,
        at: UnixMillis,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>> {
        self.read(|tables| tables.claimable(of, at, limit))
    }

    fn data(
        &self,
        of: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>> {
        self.read(|tables| tables.data(of, model, after, limit))
    }

    fn idempotency_record(
        &self,
        of: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>> {
        self.read(|tables| tables.idempotency_record(of, key))
    }

    fn purge(&self, purge: Purge) -> Result<Purged> {
        self.judge(&Job::Purge(purge))?.purged()
    }

    fn close(&self) -> Result<()> {
        self.state().is_closed = true;
        Ok(())
    }
}

impl AccessStore for MemoryStore {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        done(self.judge(&Job::Access(change)).and_then(JobOutcome::access));
    }

    fn registration(&self, of: &Organisation) -> Result<Option<Registration>> {
        self.read(|tables| tables.registration(of))
    }

    fn registrations(&self) -> Result<Vec<Registration>> {
        self.read(|tables| tables.registrations())
    }

    fn key(&self, digest: &KeyDigest) -> Result<Option<Grant>> {
        self.read(|tables| tables.key(digest))
    }

    fn keys(&self, of: &Organisation) -> Result<Vec<KeyRecord>> {
        self.read(|tables| tables.keys(of))
    }

    fn keeps_windows(&self) -> bool {
        true
    }

    fn window(&self, window: &Window, limit: RateLimit, now: UnixMillis) -> Result<WindowState> {
        self.read(|tables| tables.window(window, limit, now))?
    }
}

impl ArchiveStore for MemoryStore {
    /// Exports without the lock, so that no reader waits.
    fn export(&self, each: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
        self.read(Arc::clone)?.export().try_for_each(each)
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64> {
        self.judge(&Job::Archive(change))?.archived()
    }

    fn summary(&self) -> Result<StoreSummary> {
        self.read(|tables| tables.summary())
    }

    fn verify(&self) -> Result<Vec<String>> {
        self.read(|_| Vec::new())
    }
}
