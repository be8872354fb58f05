use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, ThreadId};

use custom_models_core::access::{KeyDigest, KeyRecord, Operation, RateLimit, Window};
use custom_models_core::model::{DataPair, EventPage};
use custom_models_core::store::{
    AccessChange, AccessOutcome, AccessStore, Completion, Grant, IdempotencyRecord,
    IdempotencyScope, Listing, ModelStore, Outcome, Purge, Purged, Registration, Selection,
    StoreError, StoreErrorKind, WindowState, Write,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};

use super::Disk;
use super::mutant::Mutant;
use super::state::{State, is_made};

enum Job {
    Model(Box<Write>, ThreadId, Completion),
    Access(AccessChange, ThreadId, Completion<AccessOutcome>),
}

/// A store that hands writes to a thread, which makes, saves and answers them.
pub(crate) struct QueuedStore {
    pub(super) mutant: Option<Mutant>,
    pub(super) shared: Arc<Shared>,
    queue: Mutex<Queue>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Held by exports, and by submits of a mutant.
    pub(super) exporting: Mutex<()>,
    /// The lock of the place, until the store is closed.
    lock: Mutex<Option<Arc<()>>>,
}

struct Queue {
    sender: Option<Sender<Job>>,
    submitted: usize,
    /// The completions that a mutant leaves unanswered.
    left: Vec<Completion>,
}

pub(super) struct Shared {
    mutant: Option<Mutant>,
    disk: Arc<Mutex<Disk>>,
    pub(super) memory: Mutex<Memory>,
}

#[derive(Default)]
pub(super) struct Memory {
    pub(super) now: State,
    pub(super) before: State,
    late: Option<(Write, ThreadId)>,
    pub(super) is_closed: bool,
}

/// The number of writes before a mutant of the queue shows.
const WORKS_UNTIL: usize = 20;

impl QueuedStore {
    pub(super) fn open(
        mutant: Option<Mutant>,
        disk: Arc<Mutex<Disk>>,
        lock: Arc<()>,
    ) -> Result<QueuedStore, StoreError> {
        let now = disk.lock().unwrap().state.clone().opened(mutant)?;
        let memory = Memory { before: now.clone(), now, ..Memory::default() };
        let shared = Arc::new(Shared { mutant, disk, memory: Mutex::new(memory) });
        let (sender, jobs) = channel::<Job>();
        let writer = {
            let shared = shared.clone();
            thread::spawn(move || jobs.into_iter().for_each(|job| shared.perform(job)))
        };
        Ok(QueuedStore {
            mutant,
            shared,
            queue: Mutex::new(Queue { sender: Some(sender), submitted: 0, left: Vec::new() }),
            writer: Mutex::new(Some(writer)),
            exporting: Mutex::new(()),
            lock: Mutex::new(Some(lock)),
        })
    }

    fn finish(&self) {
        let mut writer = self.writer.lock().unwrap();
        drop(self.queue.lock().unwrap().sender.take());
        if let Some(writer) = writer.take() {
            writer.join().unwrap();
        }
    }
}

impl Shared {
    fn perform(&self, job: Job) {
        let (write, thread, done) = match job {
            Job::Model(write, thread, done) => (*write, thread, done),
            Job::Access(change, thread, done) => {
                let answer = {
                    let mut memory = self.memory.lock().unwrap();
                    memory.before = memory.now.clone();
                    memory.now.access.apply(self.mutant, change, thread)
                };
                return done(self.save_after_a_write().map(|()| answer));
            }
        };
        let answer = self.memory.lock().unwrap().write(self.mutant, write, thread);
        let answer = self.save_after_a_write().and(answer);
        let is_refusal = !answer.as_ref().is_ok_and(is_made);
        if self.mutant == Some(Mutant::RefusalsUnanswered) && is_refusal {
            return;
        }
        done(answer);
    }

    pub(super) fn save_after_a_write(&self) -> Result<(), StoreError> {
        let saved = self.save(|memory| match self.mutant {
            Some(Mutant::SavesOnlyWhenClosed) => None,
            Some(Mutant::SavesWithTheNextWrite) => Some(memory.before.clone()),
            _ => Some(memory.now.clone()),
        });
        match self.mutant {
            Some(Mutant::AcknowledgesWhatIsNotSaved) => return Ok(()),
            Some(Mutant::FailuresStayInMemory) => {}
            _ if saved.is_err() => {
                let mut memory = self.memory.lock().unwrap();
                memory.now = memory.before.clone();
            }
            _ => {}
        }
        saved
    }

    fn save(&self, what: impl FnOnce(&Memory) -> Option<State>) -> Result<(), StoreError> {
        let memory = self.memory.lock().unwrap();
        let Some(state) = what(&memory) else { return Ok(()) };
        let mut disk = self.disk.lock().unwrap();
        if disk.fails {
            disk.state.take_a_part(self.mutant, &state);
            return Err(StoreErrorKind::Failed.into());
        }
        disk.state = state;
        Ok(())
    }

    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.read_lagging(self.mutant == Some(Mutant::ReadsLagBehind), read)
    }

    fn read_lagging<T>(
        &self,
        lags: bool,
        read: impl FnOnce(&State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let memory = self.memory.lock().unwrap();
        if memory.is_closed && self.mutant != Some(Mutant::ReadsAfterClose) {
            return Err(StoreErrorKind::Closed.into());
        }
        read(if lags { &memory.before } else { &memory.now })
    }
}

impl Memory {
    fn write(
        &mut self,
        mutant: Option<Mutant>,
        write: Write,
        thread: ThreadId,
    ) -> Result<Outcome, StoreError> {
        self.before = self.now.clone();
        if mutant != Some(Mutant::WritesLagBehind) {
            return self.now.apply(mutant, write, thread);
        }
        let answer = self.now.clone().apply(mutant, write.clone(), thread);
        if let Some((late, thread)) = self.late.replace((write, thread)) {
            self.now.apply(mutant, late, thread).ok();
        }
        answer
    }
}

impl ModelStore for QueuedStore {
    fn submit(&self, write: Write, done: Completion) {
        let _waits = (self.mutant == Some(Mutant::SubmitWaitsForExports))
            .then(|| self.exporting.lock().unwrap());
        let mut queue = self.queue.lock().unwrap();
        queue.submitted += 1;
        let is_left = queue.submitted > WORKS_UNTIL
            && matches!(
                self.mutant,
                Some(Mutant::ClosesBeforeTheQueue | Mutant::ForgetsTheQueueWhenDropped)
            );
        match &queue.sender {
            Some(_) if is_left => queue.left.push(done),
            Some(sender) => {
                sender.send(Job::Model(Box::new(write), thread::current().id(), done)).unwrap();
            }
            None => {
                drop(queue);
                done(Err(StoreErrorKind::Closed.into()));
            }
        }
    }

    fn get(
        &self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError> {
        self.shared.read(|state| Ok(state.get(self.mutant, organisation, id)))
    }

    fn list(
        &self,
        organisation: &Organisation,
        selection: &Selection,
    ) -> Result<Listing, StoreError> {
        self.shared.read(|state| state.list(self.mutant, organisation, selection))
    }

    fn events(
        &self,
        organisation: &Organisation,
        after: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        let lags = self.mutant == Some(Mutant::EventsLagBehind);
        self.shared.read_lagging(lags, |state| {
            Ok(state.life.events(self.mutant, organisation, after, limit))
        })
    }

    fn claimable(
        &self,
        organisation: Option<&Organisation>,
        at: UnixMillis,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError> {
        self.shared.read(|state| Ok(state.claimable(self.mutant, organisation, at, limit)))
    }

    fn data(
        &self,
        organisation: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        let lags = self.mutant == Some(Mutant::DataLagsBehind);
        self.shared.read_lagging(lags, |state| {
            Ok(state.life.data(self.mutant, organisation, model, after, limit))
        })
    }

    fn idempotency_record(
        &self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.shared.read(|state| Ok(state.life.idempotency_record(self.mutant, organisation, key)))
    }

    fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        let purged = {
            let mut memory = self.shared.memory.lock().unwrap();
            if memory.is_closed {
                return Err(StoreErrorKind::Closed.into());
            }
            memory.before = memory.now.clone();
            memory.now.life.purge(self.mutant, purge)
        };
        self.shared.save_after_a_write()?;
        Ok(purged)
    }

    fn close(&self) -> Result<(), StoreError> {
        self.finish();
        let saved = self.shared.save(|memory| match self.mutant {
            _ if memory.is_closed => None,
            Some(Mutant::ForgetsTheLastWriteWhenClosed) => Some(memory.before.clone()),
            Some(Mutant::SavesOnlyWhenClosed) => Some(memory.now.clone()),
            _ => None,
        });
        self.shared.memory.lock().unwrap().is_closed = true;
        self.lock.lock().unwrap().take();
        saved
    }
}

impl AccessStore for QueuedStore {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        let queue = self.queue.lock().unwrap();
        match &queue.sender {
            Some(sender) => {
                sender.send(Job::Access(change, thread::current().id(), done)).unwrap();
            }
            None => {
                drop(queue);
                done(Err(StoreErrorKind::Closed.into()));
            }
        }
    }

    fn registration(&self, of: &Organisation) -> Result<Option<Registration>, StoreError> {
        let mut all = self.registrations()?;
        all.retain(|registration| registration.organisation == *of);
        Ok(all.pop())
    }

    fn registrations(&self) -> Result<Vec<Registration>, StoreError> {
        self.shared.read(|state| Ok(state.access.registrations()))
    }

    fn key(&self, digest: &KeyDigest) -> Result<Option<Grant>, StoreError> {
        self.shared.read(|state| Ok(state.access.grant(self.mutant, digest)))
    }

    fn key_with_window(
        &self,
        digest: &KeyDigest,
        operation: Operation,
        limit: RateLimit,
        now: UnixMillis,
    ) -> Result<Option<(Grant, WindowState)>, StoreError> {
        let Some(grant) = self.key(digest)? else { return Ok(None) };
        let operation = match self.mutant {
            Some(Mutant::KeysComeWithTheWindowOfCreates) => Operation::Create,
            _ => operation,
        };
        let state = self.window(&Window { key: grant.key.id.into(), operation }, limit, now)?;
        Ok(Some((grant, state)))
    }

    fn keys(&self, of: &Organisation) -> Result<Vec<KeyRecord>, StoreError> {
        self.shared.read(|state| Ok(state.access.keys(self.mutant, of)))
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
        self.shared.read(|state| Ok(state.access.window(self.mutant, window, limit, now)))
    }
}

impl Drop for QueuedStore {
    fn drop(&mut self) {
        self.finish();
    }
}
