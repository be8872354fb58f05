//! Targets `store_…`: a store against the store in memory, every answer compared.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;

use custom_models_core::{
    BaseModel, Change, CreateModel, Description, Filter, Language, MemoryStore, ModelId,
    ModelStore, Name, NewModel, Organisation, Outcome, Revision, Selection, StoreError,
    StoreErrorKind, Timestamp, TrainingStatus, Write,
};
use tempfile::TempDir;

use crate::operations::{self, List, Model, Operation, Steps, Target};

/// Opens the store that lives in a folder.
pub type Open = fn(&Path) -> Result<Arc<dyn ModelStore>, StoreError>;

/// How many runs share a place, so that opening it costs little and it does not grow for ever.
const RUNS_A_PLACE: u32 = 500;

const ORGANISATIONS: usize = 3;

thread_local!(static ARENA: RefCell<Option<Arena>> = const { RefCell::new(None) });

/// A store in a temporary folder that many runs use one after the other, each with organisations of
/// its own.
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

/// Where temporary folders go: in memory where that is possible, since nothing here is about disks.
fn parent() -> PathBuf {
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
            Operation::Reopen { is_closed } => self.reopen(is_closed),
        }
    }

    fn selection(&self, list: &List) -> Selection {
        Selection {
            filter: Filter {
                status: list.status.map(|place| pick(&TrainingStatus::ALL, place)),
                language: list.language.map(|place| pick(&Language::ALL, place)),
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

    /// Submits the writes together and waits for all answers. A store judges what one thread
    /// submits in that order, so the store in memory can tell what each of them must be.
    fn write(&mut self, writes: &[operations::Write<'_>]) {
        let writes: Vec<Write> = writes
            .iter()
            .map(|write| Write::new(self.organisation(write.organisation), self.change(write)))
            .collect();
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
            if let Ok(Outcome::Created(model)) = &found {
                self.take_note_of(model.id);
            }
            assert_eq!(known(found), known(submit(&self.memory, write.clone())), "{write:?}");
        }
    }

    /// MODEL-1: larger than every id before, of all runs and organisations. Gaps are allowed, so
    /// the store in memory is told to make the same.
    fn take_note_of(&mut self, id: ModelId) {
        assert!(id.get() > self.arena.last_id, "{id} was given after {}", self.arena.last_id);
        self.arena.last_id = id.get();
        self.given.push(id);
        if let Ok(before) = ModelId::new(id.get() - 1) {
            self.memory.raise_last_id(before);
        }
    }

    fn change(&self, write: &operations::Write<'_>) -> Change {
        match write.change {
            operations::Change::Create { ref model, limit } => {
                Change::Create { model: new_model(model), limit }
            }
            operations::Change::Delete { target, revision } => {
                Change::Delete { id: self.id(target), revision: Revision::new(revision).unwrap() }
            }
        }
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

    fn check_everything(&self) {
        for organisation in &self.organisations {
            self.list(organisation, &Selection { limit: u32::MAX, ..Selection::default() });
            self.given.iter().for_each(|id| self.get(organisation, *id));
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
            }]);
            self.arena.store.close().unwrap();
        }
        // The old store must be gone before its place is opened again.
        self.arena.store = Arc::new(MemoryStore::new());
        self.arena.store = (self.arena.open)(self.arena.folder.path()).unwrap();
        self.memory = self.memory.reopen();
    }
}

/// An answer that can be compared: of a fault its kind.
fn known<T>(answer: Result<T, StoreError>) -> Result<T, StoreErrorKind> {
    answer.map_err(|error| error.kind())
}

fn submit(store: &dyn ModelStore, write: Write) -> Result<Outcome, StoreError> {
    let (sender, receiver) = channel();
    store.submit(write, Box::new(move |answer| sender.send(answer).unwrap()));
    receiver.recv().expect("a completion is called")
}

fn pick<T: Clone>(all: &[T], place: u8) -> T {
    all[usize::from(place) % all.len()].clone()
}

fn new_model(model: &Model<'_>) -> NewModel {
    let (first, last) = (Timestamp::MIN.unix_seconds(), Timestamp::MAX.unix_seconds());
    let created_at = Timestamp::from_unix_seconds(model.created_at.clamp(first, last)).unwrap();
    let name = Name::new(model.name).unwrap_or_else(|_| Name::new("x").unwrap());
    let description = model.description.and_then(|text| Description::new(text).ok());
    let language = pick(&Language::ALL, model.language);
    let base_model = pick(&BaseModel::ALL, model.base_model);
    NewModel::new(CreateModel { name, language, base_model, description }, created_at)
}
