//! Targets `store_…`: a store compared with the store in memory, result by result.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;

use custom_models_core::model::{DataId, Edit, Expected, Fence, Revision, TrainingStatus};
use custom_models_core::store::{
    Change, Filter, IdempotencyScope, ModelStore, Outcome, Purge, Purged, Selection, StoreError,
    StoreErrorKind, Write,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{BaseModel, CustomModel, Language, MemoryStore, ModelId, Organisation};
use tempfile::TempDir;

use crate::made::{self, pick};
use crate::operations::{self, List, Model, Operation, Steps, Target};

/// A function that opens the store in a folder.
pub type Open = fn(&Path) -> Result<Arc<dyn ModelStore>, StoreError>;

/// The number of runs on one store, so that opening costs little and the store does not grow without bound.
const RUNS_A_PLACE: u32 = 500;

const ORGANISATIONS: usize = 3;

thread_local!(static ARENA: RefCell<Option<Arena>> = const { RefCell::new(None) });

/// A store in a temporary folder, used by many runs one after the other, each with its own organisations.
pub struct Arena {
    open: Open,
    store: Arc<dyn ModelStore>,
    folder: TempDir,
    runs: u32,
    last_id: u64,
}

impl Arena {
    /// Does one run on the shared store of this thread.
    pub fn check(Steps(operations): &Steps<'_>, open: Open) {
        ARENA.with_borrow_mut(|arena| {
            arena.take_if(|arena| arena.runs == RUNS_A_PLACE);
            let arena = arena.get_or_insert_with(|| Arena::new(open));
            arena.runs += 1;
            Run::new(arena).check(operations);
        });
    }

    fn new(open: Open) -> Arena {
        let folder = TempDir::with_prefix_in("custom-models-fuzz-", parent()).unwrap();
        let store = open(folder.path()).unwrap();
        Arena { open, store, folder, runs: 0, last_id: 0 }
    }
}

/// Returns the parent of temporary folders: in memory if possible, since disks are not tested here.
pub(crate) fn parent() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if std::env::var_os("TMPDIR").is_none() && memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    }
}

struct Run<'a> {
    arena: &'a mut Arena,
    memory: MemoryStore,
    organisations: [Organisation; ORGANISATIONS],
    given: Vec<ModelId>,
    pairs: u32,
    keys: BTreeSet<(Organisation, IdempotencyScope)>,
}

impl<'a> Run<'a> {
    fn new(arena: &'a mut Arena) -> Self {
        let run = arena.runs;
        let name = |place| Organisation::new(&format!("run-{run}_{place}")).unwrap();
        Run {
            arena,
            memory: MemoryStore::new(),
            organisations: std::array::from_fn(name),
            given: Vec::new(),
            pairs: 0,
            keys: BTreeSet::new(),
        }
    }

    fn check(mut self, operations: &[Operation<'_>]) {
        for operation in operations {
            self.step(operation);
        }
        self.check_everything();
    }

    fn step(&mut self, operation: &Operation<'_>) {
        match *operation {
            Operation::Write(ref writes) => self.write(writes),
            Operation::Get { organisation, target } => {
                let organisation = self.organisation(organisation);
                self.get(&organisation, self.id(target));
            }
            Operation::List(ref list) => {
                self.list(&self.organisation(list.organisation), &self.selection(list));
            }
            Operation::Events { organisation, after, limit } => {
                self.events(&self.organisation(organisation), after.into(), limit.into());
            }
            Operation::Data { organisation, target } => {
                self.data(&self.organisation(organisation), self.id(target));
            }
            Operation::Claimable { organisation, second, limit } => {
                let until = made::moment(i64::from(second) * 1000);
                match organisation {
                    Some(place) => self.claimable(&self.organisation(place), until, limit.into()),
                    None => self.claimable_of_all(until),
                }
            }
            Operation::Purge { before, half_days, limit } => self.purge(before, half_days, limit),
            Operation::Reopen { is_closed } => self.reopen(is_closed),
        }
    }

    fn selection(&self, list: &List) -> Selection {
        Selection {
            filter: Filter {
                status: list.status.map(|place| pick(&TrainingStatus::ALL, place)),
                language: list.language.map(|place| pick(Language::ALL, place)),
                base_model: list.base_model.map(|place| pick(&BaseModel::ALL, place)),
            },
            after: list.after.map(|target| self.id(target)),
            skip: list.skip,
            limit: list.limit,
        }
    }

    fn organisation(&self, place: u8) -> Organisation {
        pick(&self.organisations, place)
    }

    fn id(&self, target: Target) -> ModelId {
        let ahead = |by: u8| ModelId::new(self.arena.last_id + 1 + u64::from(by)).unwrap();
        match target {
            Target::Given(place) if !self.given.is_empty() => pick(&self.given, place),
            Target::Given(by) | Target::Ahead(by) => ahead(by),
            Target::Number(number) => ModelId::new(number % ModelId::MAX + 1).unwrap(),
        }
    }

    /// Submits the writes together and waits for all outcomes. A store judges the writes of one thread in
    /// order, so the store in memory predicts each outcome.
    fn write(&mut self, writes: &[operations::Write<'_>]) {
        let writes: Vec<Write> = writes.iter().flat_map(|write| self.whole(write)).collect();
        let receivers: Vec<_> = writes
            .iter()
            .map(|write| {
                let (sender, receiver) = channel();
                let done = move |answer| sender.send(answer).unwrap();
                self.arena.store.submit(write.clone(), Box::new(done));
                receiver
            })
            .collect();
        for (write, receiver) in writes.into_iter().zip(receivers) {
            let found = receiver.recv().expect("a completion is called");
            let of_the_change = match &found {
                Ok(Outcome::Admitted { outcome, .. }) => Some(&**outcome),
                found => found.as_ref().ok(),
            };
            if let Some(Outcome::Created(model)) = of_the_change {
                self.take_note_of(model.id);
            }
            assert_eq!(known(found), known(submit(&self.memory, write.clone())), "{write:?}");
        }
    }

    /// Checks MODEL-1: the id is larger than every earlier one, of all runs and organisations. Gaps are
    /// allowed, so the last id of the store in memory is raised to match.
    fn take_note_of(&mut self, id: ModelId) {
        assert!(id.get() > self.arena.last_id, "{id} was given after {}", self.arena.last_id);
        self.arena.last_id = id.get();
        self.given.push(id);
        if let Ok(before) = ModelId::new(id.get() - 1) {
            self.memory.raise_last_id(before);
        }
    }

    /// Returns a change with all its parts; for a training, all its steps.
    fn whole(&mut self, write: &operations::Write<'_>) -> Vec<Write> {
        let organisation = self.organisation(write.organisation);
        let at = match write.told {
            Some(told) => made::half_days(told.half_days),
            None => made::moment(i64::from(write.second) * 1000),
        };
        let mut writes = Vec::new();
        for change in self.changes(&organisation, &write.change) {
            let answer = write.told.map(|told| made::answer(told, &change));
            let keys = answer.iter().map(|answer| (organisation.clone(), answer.key.clone()));
            self.keys.extend(keys);
            let actor = made::actor(write.second);
            let admission = (write.second % 4 == 3).then(|| made::admission(&organisation));
            let organisation = organisation.clone();
            writes.push(Write { organisation, actor, at, change, idempotency: answer, admission });
        }
        writes
    }

    fn changes(&mut self, of: &Organisation, change: &operations::Change<'_>) -> Vec<Change> {
        match *change {
            operations::Change::Create { ref model, limit } => {
                vec![Change::Create { model: made::new_model(model), limit }]
            }
            operations::Change::Edit { target, ref edit, expects } => {
                let id = self.id(target);
                let stored = self.memory.get(of, id).ok().flatten();
                let revision = stored.as_ref().map_or(Revision::FIRST, CustomModel::revision);
                let expected = match expects {
                    0..=127 => Expected::Anything,
                    128..=191 => Expected::OneOf(vec![revision]),
                    _ => Expected::OneOf(vec![revision.next()]),
                };
                let edits = self.edits(of, id, stored.as_ref(), edit).into_iter();
                let change = |edit| {
                    let edit = Box::new(edit);
                    Change::Edit { id, edit, expected: expected.clone() }
                };
                edits.map(change).collect()
            }
        }
    }

    fn edits(
        &mut self,
        of: &Organisation,
        id: ModelId,
        stored: Option<&CustomModel>,
        edit: &operations::Edit<'_>,
    ) -> Vec<Edit> {
        let lease = stored.and_then(|model| model.training.run()?.lease.as_ref());
        // The first claim of a model has fence 1.
        let fence = lease.map_or(Fence::new(1), |lease| lease.fence);
        let there = self.memory.data(of, id, 0, u32::MAX).unwrap_or_default();
        let removed = match *edit {
            operations::Edit::Remove(place) if !there.is_empty() => pick(&there, place).id,
            _ => DataId::new(1).unwrap(),
        };
        self.pairs += 1;
        made::edits(edit, self.pairs, removed, fence)
    }

    fn get(&self, organisation: &Organisation, id: ModelId) {
        let found = self.arena.store.get(organisation, id);
        let expected = self.memory.get(organisation, id);
        assert_eq!(known(found), known(expected), "get {id} of {organisation}");
    }

    fn list(&self, organisation: &Organisation, selection: &Selection) {
        let found = self.arena.store.list(organisation, selection);
        let expected = self.memory.list(organisation, selection);
        assert_eq!(known(found), known(expected), "list {selection:?} of {organisation}");
    }

    fn events(&self, organisation: &Organisation, after: u64, limit: u32) {
        let found = self.arena.store.events(organisation, after, limit);
        let expected = self.memory.events(organisation, after, limit);
        assert_eq!(known(found), known(expected), "{limit} events of {organisation} after {after}");
    }

    fn data(&self, organisation: &Organisation, id: ModelId) {
        let found = self.arena.store.data(organisation, id, 0, u32::MAX);
        let expected = self.memory.data(organisation, id, 0, u32::MAX);
        assert_eq!(known(found), known(expected), "the data of {id} of {organisation}");
    }

    /// Compares the training queues. Trainings that have waited equally long may be in any order.
    fn claimable(&self, organisation: &Organisation, until: UnixMillis, limit: u32) {
        let found = known(self.arena.store.claimable(Some(organisation), until, limit));
        let all = known(self.memory.claimable(Some(organisation), until, u32::MAX));
        let (found, all) = match (found, all) {
            (Ok(found), Ok(all)) => (found, all),
            (found, all) => return assert_eq!(found, all, "what waits, of {organisation}"),
        };
        let since = |(_, model): &(Organisation, CustomModel)| model.training.claimable_at();
        let found_since: Vec<_> = found.iter().map(since).collect();
        let limit = usize::try_from(limit).unwrap();
        let expected: Vec<_> = all.iter().map(since).take(limit).collect();
        assert_eq!(found_since, expected, "{limit} that wait at {until}, of {organisation}");
        assert!(found.iter().all(|waiting| all.contains(waiting)), "{found:?} of {all:?}");
        let ids: BTreeSet<_> = found.iter().map(|(_, model)| model.id).collect();
        assert_eq!(ids.len(), found.len(), "one model twice in {found:?}");
    }

    /// Compares the queues of all organisations, without the trainings of earlier runs.
    fn claimable_of_all(&self, until: UnixMillis) {
        let sorted = |store: &dyn ModelStore| {
            let mut all = known(store.claimable(None, until, u32::MAX))?;
            all.retain(|(of, _)| self.organisations.contains(of));
            all.sort_by_key(|(_, model)| (model.training.claimable_at(), model.id));
            Ok::<_, StoreErrorKind>(all)
        };
        assert_eq!(sorted(&*self.arena.store), sorted(&self.memory), "what waits at {until}");
    }

    /// Purges until nothing is left to purge, including records of earlier runs.
    fn purge(&self, before: Option<u8>, half_days: u8, limit: u8) {
        let purge = Purge {
            events_before: before.map(|number| made::moment(i64::from(number) * 1000).into()),
            idempotency_until: made::half_days(half_days),
            limit: u32::from(limit).max(1),
        };
        let all = |store: &dyn ModelStore| {
            loop {
                let purged = store.purge(purge).unwrap();
                assert!(purged.events.max(purged.answers) <= purge.limit.into(), "{purged:?}");
                if purged == Purged::default() {
                    return;
                }
            }
        };
        all(&*self.arena.store);
        all(&self.memory);
        self.check_everything();
    }

    fn check_everything(&self) {
        for organisation in &self.organisations {
            self.list(organisation, &Selection { limit: u32::MAX, ..Selection::default() });
            self.events(organisation, 0, u32::MAX);
            self.claimable(organisation, UnixMillis::from_unix_millis(i64::MAX), u32::MAX);
            for id in &self.given {
                self.get(organisation, *id);
                self.data(organisation, *id);
            }
        }
        self.claimable_of_all(UnixMillis::from_unix_millis(i64::MAX));
        for (organisation, key) in &self.keys {
            let found = self.arena.store.idempotency_record(organisation, key);
            let expected = self.memory.idempotency_record(organisation, key);
            assert_eq!(known(found), known(expected), "{key:?} of {organisation}");
        }
    }

    fn reopen(&mut self, is_closed: bool) {
        if is_closed {
            self.arena.store.close().unwrap();
            self.memory.close().unwrap();
            self.check_everything();
            let model =
                Model { name: "", description: None, language: 0, base_model: 0, created_at: 0 };
            self.write(&[operations::Write {
                organisation: 0,
                change: operations::Change::Create { model, limit: None },
                second: 0,
                told: None,
            }]);
            self.arena.store.close().unwrap();
        }
        // The old store must be closed before its place is opened again.
        self.arena.store = Arc::new(MemoryStore::new());
        self.arena.store = (self.arena.open)(self.arena.folder.path()).unwrap();
        self.memory = self.memory.reopen();
    }
}

/// Converts a result to a comparable one: an error to its kind.
fn known<T>(answer: Result<T, StoreError>) -> Result<T, StoreErrorKind> {
    answer.map_err(|error| error.kind())
}

fn submit(store: &dyn ModelStore, write: Write) -> Result<Outcome, StoreError> {
    let (sender, receiver) = channel();
    store.submit(write, Box::new(move |answer| sender.send(answer).unwrap()));
    receiver.recv().expect("a completion is called")
}
