use std::sync::{Condvar, Mutex};
use std::time::Duration;

use custom_models_core::access::{KeyDigest, KeyRecord, RateLimit, Scopes, Window};
use custom_models_core::model::{DataPair, EventPage};
use custom_models_core::store::{
    AccessChange, AccessOutcome, AccessStore, ArchiveChange, ArchiveStore, Completion, Grant,
    IdempotencyRecord, IdempotencyScope, Listing, ModelStore, Purge, Purged, Record, Registration,
    Selection, StoreError, StoreErrorKind, StoreSummary, WindowState, Write,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, MemoryStore, ModelId, Organisation};

/// The way a [`FaultyStore`] store treats writes of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Works,
    /// Holds them back until it works again.
    Holds,
    /// Fails them with an error of this kind.
    Fails(StoreErrorKind),
    /// Panics, with the write in its message.
    Panics,
}

/// A store that holds writes back or fails, as its [`Behaviour`] says.
pub(crate) struct FaultyStore {
    store: MemoryStore,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    behaviour: Behaviour,
    waiting: Vec<(Write, Completion)>,
    reads_panic: bool,
    /// The number of reads of events.
    event_reads: usize,
    /// The numbers of writes of models and of separate admissions.
    writes: (usize, usize),
    /// A function to call before the next model is read.
    before_get: Option<Box<dyn FnOnce() + Send>>,
    scopes_are_lost: bool,
}

impl FaultyStore {
    pub(crate) fn new(store: MemoryStore) -> Self {
        let state = State {
            behaviour: Behaviour::Works,
            waiting: Vec::new(),
            reads_panic: false,
            event_reads: 0,
            writes: (0, 0),
            before_get: None,
            scopes_are_lost: false,
        };
        FaultyStore { store, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Sets the behaviour. If the store works again, it makes the writes that it held back.
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        let mut state = self.state.lock().unwrap();
        state.behaviour = behaviour;
        let released =
            if behaviour == Behaviour::Works { std::mem::take(&mut state.waiting) } else { vec![] };
        drop(state);
        released.into_iter().for_each(|(write, done)| self.store.submit(write, done));
    }

    /// Sets the behaviour for new writes alone.
    pub(crate) fn behave_for_new_writes(&self, behaviour: Behaviour) {
        self.state.lock().unwrap().behaviour = behaviour;
    }

    pub(crate) fn reads_panic(&self) {
        self.state.lock().unwrap().reads_panic = true;
    }

    /// Sets the function to call before the next model is read.
    pub(crate) fn before_get(&self, act: impl FnOnce() + Send + 'static) {
        self.state.lock().unwrap().before_get = Some(Box::new(act));
    }

    /// Waits until events were read so often.
    pub(crate) fn wait_for_event_reads(&self, event_reads: usize) {
        self.wait_until(|state| state.event_reads >= event_reads);
    }

    /// Returns the number of reads of events.
    pub(crate) fn event_reads(&self) -> usize {
        self.state.lock().unwrap().event_reads
    }

    /// Returns the numbers of submitted writes of models and of separate admissions.
    pub(crate) fn writes(&self) -> (usize, usize) {
        self.state.lock().unwrap().writes
    }

    /// Waits until so many separate admissions were submitted.
    pub(crate) fn wait_for_admissions(&self, alone: usize) {
        self.wait_until(|state| state.writes.1 >= alone);
    }

    /// Removes the scopes of every key from now on.
    pub(crate) fn lose_scopes(&self) {
        self.state.lock().unwrap().scopes_are_lost = true;
    }

    /// Waits until so many writes are held back.
    pub(crate) fn wait_for_held_writes(&self, writes: usize) {
        self.wait_until(|state| state.waiting.len() >= writes);
    }

    /// Waits until the state meets a condition. After a minute the test fails; no test depends on that length.
    fn wait_until(&self, is_so: impl Fn(&State) -> bool) {
        let state = self.state.lock().unwrap();
        let patience = Duration::from_secs(60);
        let waited = self.changed.wait_timeout_while(state, patience, |state| !is_so(state));
        let (state, end) = waited.unwrap();
        drop(state);
        assert!(!end.timed_out(), "what was waited for did not come");
    }
}

impl ModelStore for FaultyStore {
    fn submit(&self, write: Write, done: Completion) {
        let mut state = self.state.lock().unwrap();
        state.writes.0 += 1;
        match state.behaviour {
            Behaviour::Works => {
                drop(state);
                self.store.submit(write, done);
            }
            Behaviour::Holds => {
                state.waiting.push((write, done));
                drop(state);
                self.changed.notify_all();
            }
            Behaviour::Fails(kind) => {
                drop(state);
                done(Err(StoreError::new(kind, "the cause of the fault")));
            }
            Behaviour::Panics => {
                drop(state);
                panic!("a store that panics of {write:?}");
            }
        }
    }

    fn get(&self, of: &Organisation, id: ModelId) -> Result<Option<CustomModel>, StoreError> {
        let mut state = self.state.lock().unwrap();
        let (panics, act) = (state.reads_panic, state.before_get.take());
        drop(state);
        if panics {
            tracing::warn!("a read that logs");
            panic!("a read that panics");
        }
        if let Some(act) = act {
            act();
        }
        self.store.get(of, id)
    }

    fn list(&self, of: &Organisation, selection: &Selection) -> Result<Listing, StoreError> {
        self.store.list(of, selection)
    }

    fn events(&self, of: &Organisation, after: u64, limit: u32) -> Result<EventPage, StoreError> {
        let page = self.store.events(of, after, limit);
        self.state.lock().unwrap().event_reads += 1;
        self.changed.notify_all();
        page
    }

    fn claimable(
        &self,
        of: Option<&Organisation>,
        at: UnixMillis,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError> {
        self.store.claimable(of, at, limit)
    }

    fn data(
        &self,
        of: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        self.store.data(of, model, after, limit)
    }

    fn idempotency_record(
        &self,
        of: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.store.idempotency_record(of, key)
    }

    fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        self.store.purge(purge)
    }

    fn close(&self) -> Result<(), StoreError> {
        self.store.close()
    }
}

impl AccessStore for FaultyStore {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        let is_admission = matches!(change, AccessChange::Admit { .. });
        self.store.submit_access(change, done);
        self.state.lock().unwrap().writes.1 += usize::from(is_admission);
        self.changed.notify_all();
    }

    fn registration(&self, of: &Organisation) -> Result<Option<Registration>, StoreError> {
        self.store.registration(of)
    }

    fn registrations(&self) -> Result<Vec<Registration>, StoreError> {
        self.store.registrations()
    }

    fn key(&self, digest: &KeyDigest) -> Result<Option<Grant>, StoreError> {
        let mut grant = self.store.key(digest)?;
        if let (Some(grant), true) = (&mut grant, self.state.lock().unwrap().scopes_are_lost) {
            grant.key.scopes = Scopes::default();
        }
        Ok(grant)
    }

    fn keys(&self, of: &Organisation) -> Result<Vec<KeyRecord>, StoreError> {
        self.store.keys(of)
    }

    fn keeps_windows(&self) -> bool {
        true
    }

    fn window(
        &self,
        window: &Window,
        limit: RateLimit,
        now: UnixMillis,
    ) -> Result<WindowState, StoreError> {
        self.store.window(window, limit, now)
    }
}

impl ArchiveStore for FaultyStore {
    fn export(
        &self,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.export(each)
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        self.store.archive(change)
    }

    fn summary(&self) -> Result<StoreSummary, StoreError> {
        self.store.summary()
    }

    fn verify(&self) -> Result<Vec<String>, StoreError> {
        self.store.verify()
    }
}
