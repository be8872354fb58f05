//! Helpers that the tests of this store share.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, and not every one uses all of this"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, UNIX_EPOCH};

use custom_models_core::access::Operation;
use custom_models_core::field::{Description, Name};
use custom_models_core::model::{
    ContentDigest, DataFile, DataType, Edit, Expected, LeaseTime, NewModel, NewPair,
};
use custom_models_core::store::{
    ArchiveStore, Change, IdempotencyKey, IdempotencyScope, Listing, ModelStore,
    NewIdempotencyRecord, Outcome, Selection, StoreError, Write,
};
use custom_models_core::tenant::Actor;
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_core::{
    Caller, CustomModel, Engine, Language, ModelId, Organisation, Plan, UpdateModel,
};
use custom_models_store_sled::SledStore;

pub(crate) fn acme() -> Organisation {
    "acme".parse().unwrap()
}

pub(crate) fn new_model(name: &str) -> NewModel {
    NewModel {
        name: Name::new(name.to_owned()).unwrap(),
        description: Some(Description::new("twelve hours of dictation").unwrap()),
        language: Language::Nl,
        base_model: Default::default(),
        created_at: Timestamp::MIN,
    }
}

/// Submits a write and waits for its answer. A dropped completion counts as an answer.
pub(crate) fn submit(
    store: &dyn ModelStore,
    change: Change,
) -> Option<Result<Outcome, StoreError>> {
    let (answer, answered) = mpsc::channel();
    let done = Box::new(move |outcome| answer.send(outcome).unwrap());
    store.submit(write(change), done);
    answered.recv().ok()
}

/// A write at the Unix epoch.
pub(crate) fn write(change: Change) -> Write {
    Write::new(acme(), Actor::HOST, UnixMillis::from_unix_millis(0), change)
}

/// A delete of a model at any revision.
pub(crate) fn delete(id: ModelId) -> Change {
    Change::Edit { id, edit: Box::new(Edit::Delete), expected: Expected::Anything }
}

pub(crate) fn create(store: &dyn ModelStore, name: &str) -> Result<Outcome, StoreError> {
    let model = new_model(name);
    submit(store, Change::Create { model, limit: None }).unwrap()
}

pub(crate) fn list(store: &dyn ModelStore) -> Result<Listing, StoreError> {
    let selection = Selection { limit: u32::MAX, ..Selection::default() };
    store.list(&acme(), &selection)
}

/// Creates a store with some models, and closes it. Opens it more than once, so that sled has
/// written all its files.
pub(crate) fn make_store(folder: &Path, models: usize) {
    let store = SledStore::open(folder).unwrap();
    for number in 0..models {
        create(&store, &format!("model {number}")).unwrap();
    }
    store.close().unwrap();
    SledStore::open(folder).unwrap().close().unwrap();
}

/// All records, a line each.
pub(crate) fn export(store: &SledStore) -> String {
    let mut lines = String::new();
    let each = &mut |record| {
        lines.push_str(&serde_json::to_string(&record).unwrap());
        lines.push('\n');
        Ok(())
    };
    store.export(each).unwrap();
    lines
}

/// Every file below a folder with its bytes; folders are empty.
pub(crate) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut contents(&path));
            found.insert(path, Vec::new());
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Writes to the database behind the store's back.
pub(crate) fn tamper(folder: &Path, tamper: impl FnOnce(&sled::Db)) {
    // One of sled's threads releases the lock, some time after the database is dropped.
    if let Ok(log) = fs::File::open(folder.join("db")) {
        log.lock().unwrap();
    }
    let db = sled::open(folder).unwrap();
    tamper(&db);
    db.flush().unwrap();
}

pub(crate) fn id(number: u64) -> ModelId {
    ModelId::new(number).unwrap()
}

/// A client of a store with a settable clock.
pub(crate) struct Life {
    pub(crate) store: Arc<SledStore>,
    pub(crate) engine: Engine,
    pub(crate) caller: Caller,
    seconds: Arc<AtomicU64>,
}

impl Life {
    pub(crate) fn open(folder: &Path) -> Self {
        let store = Arc::new(SledStore::open(folder).unwrap());
        let seconds = Arc::new(AtomicU64::new(1_000_000));
        let clock = Arc::clone(&seconds);
        let now = move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed));
        let engine = Engine::new(store.clone(), now);
        Life { store, engine, caller: Caller::new(acme(), Plan::enterprise()), seconds }
    }

    pub(crate) fn now(&self) -> UnixMillis {
        let seconds = Duration::from_secs(self.seconds.load(Ordering::Relaxed));
        UnixMillis::from(UNIX_EPOCH + seconds)
    }

    pub(crate) fn wait(&self, span: Duration) {
        self.seconds.fetch_add(span.as_secs(), Ordering::Relaxed);
    }

    pub(crate) fn get(&self, number: u64) -> CustomModel {
        self.engine.get(&self.caller, id(number)).unwrap()
    }

    pub(crate) fn edit(&self, number: u64, edit: &Edit) {
        self.engine.edit(&self.caller, id(number), edit.clone(), &Expected::Anything).unwrap();
    }

    /// Gives a model enough data, and has its training claimed. The longest-waiting one is claimed
    /// first.
    pub(crate) fn train(&self, number: u64) {
        self.edit(number, &Edit::AddData(pair("a.wav")));
        self.edit(number, &Edit::Run);
        self.edit(number, &Edit::Claim { time: LeaseTime::default() });
    }

    /// Fails a claimed training.
    pub(crate) fn fail(&self, number: u64, error: &str) {
        let model = self.get(number);
        let lease = model.training.run().unwrap().lease.clone().unwrap();
        self.edit(number, &Edit::Fail { fence: lease.fence, error: error.to_owned() });
    }

    /// Changes only the revision of a model, under an idempotency key.
    pub(crate) fn touch(&self, number: u64, key: &IdempotencyScope) -> Result<Outcome, StoreError> {
        let answer = NewIdempotencyRecord {
            key: key.clone(),
            request: NewIdempotencyRecord::digest(b"touch"),
        };
        let (edit, expected) = (Edit::from(UpdateModel::default()), Expected::Anything);
        let change = Change::Edit { id: id(number), edit: Box::new(edit), expected };
        self.store.apply(Write { at: self.now(), idempotency: Some(answer), ..write(change) })
    }
}

pub(crate) fn answer_key(number: u64, key: &str) -> IdempotencyScope {
    let key = IdempotencyKey::new(key.to_owned()).unwrap();
    IdempotencyScope { operation: Operation::Update, target: Some(id(number)), key }
}

/// Enough data for a training.
pub(crate) fn pair(filename: &str) -> NewPair {
    let file = |filename: &str| DataFile {
        filename: filename.to_owned(),
        bytes: 1,
        sha256: ContentDigest::from_bytes([7; 32]),
        content: "content".to_owned(),
    };
    NewPair {
        data_type: DataType::Train,
        audio: file(filename),
        audio_millis: 5 * 60 * 60 * 1000,
        transcript: file("a.txt"),
    }
}
