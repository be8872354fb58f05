//! Helpers that the tests of this store share.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests, and not every one uses all of this"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use custom_models_core::access::Operation;
use custom_models_core::model::{
    ContentDigest, DataFile, DataTotals, DataType, Edit, Expected, NewPair, Revision,
};
use custom_models_core::store::{
    ArchiveStore, Audit, Change, IdempotencyKey, IdempotencyScope, NewIdempotencyRecord, Record,
    StoreErrorKind, Write,
};
use custom_models_core::tenant::Actor;
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_core::{
    Caller, CreateModel, CustomModel, Engine, ModelId, Organisation, Plan, Refusal,
};
use custom_models_store_sqlite::SqliteStore;
use rusqlite::Connection;
use tempfile::TempDir;

/// The default time of tests, in seconds.
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("custom-models.db");
    (folder, path)
}

pub(crate) fn acme() -> Organisation {
    "acme".parse().unwrap()
}

pub(crate) fn caller() -> Caller {
    Caller::new(acme(), Plan::enterprise())
}

pub(crate) fn engine(path: &Path) -> Engine {
    Engine::new(Arc::new(SqliteStore::open(path).unwrap()), SystemTime::now)
}

/// An engine whose clock stands at [`NOW`], with a long busy timeout.
pub(crate) fn engine_at_now(path: &Path) -> Engine {
    let store = SqliteStore::open_with_busy_timeout(path, Duration::from_secs(600)).unwrap();
    Engine::new(Arc::new(store), || UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs()))
}

pub(crate) fn request() -> CreateModel<'static> {
    CreateModel::builder().name("Legal-NL-v2").language("nl").build().unwrap()
}

pub(crate) fn kind(refusal: Refusal) -> StoreErrorKind {
    match refusal {
        Refusal::Store(fault) => fault.kind(),
        other => panic!("{other}"),
    }
}

pub(crate) fn sql(path: &Path, statements: &str) {
    Connection::open(path).unwrap().execute_batch(statements).unwrap();
}

pub(crate) fn id(number: u64) -> ModelId {
    ModelId::new(number).unwrap()
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}

pub(crate) fn moment(seconds: i64) -> UnixMillis {
    UnixMillis::from_unix_millis(seconds * 1000)
}

/// A create of a model within a limit.
pub(crate) fn create(limit: Option<u64>) -> Change {
    Change::Create { model: request().into_new_model(at(NOW)), limit }
}

pub(crate) fn answer_key(key: &'static str) -> IdempotencyScope {
    let key = IdempotencyKey::new(key).unwrap();
    IdempotencyScope { operation: Operation::Create, target: None, key }
}

pub(crate) fn answer(key: &'static str) -> Option<NewIdempotencyRecord> {
    Some(NewIdempotencyRecord {
        key: answer_key(key),
        request: NewIdempotencyRecord::digest(b"{}"),
    })
}

/// A write at [`NOW`].
pub(crate) fn write(organisation: &Organisation, change: Change) -> Write {
    Write::new(organisation.clone(), Actor::HOST, moment(NOW), change)
}

/// A create at a number of seconds since the Unix epoch.
pub(crate) fn create_at(organisation: &Organisation, seconds: i64) -> Write {
    let change = Change::Create { model: request().into_new_model(at(seconds)), limit: None };
    Write { at: moment(seconds), ..write(organisation, change) }
}

/// A change of a model, expected at this revision.
pub(crate) fn edit_at(id: ModelId, revision: Revision, edit: Edit) -> Change {
    Change::Edit { id, edit: Box::new(edit), expected: Expected::OneOf(vec![revision]) }
}

/// Enough data for a training.
pub(crate) fn pair(data_type: DataType) -> NewPair {
    let file = |filename: &str| DataFile {
        filename: filename.to_owned(),
        bytes: 7,
        sha256: ContentDigest::from_bytes([7; 32]),
        content: "content-7".to_owned(),
    };
    NewPair {
        data_type,
        audio: file("Aufnahme \"1\".wav"),
        audio_millis: u64::try_from(DataTotals::ENOUGH.as_millis()).unwrap(),
        transcript: file("a.txt"),
    }
}

/// A model whose training waits for a worker.
pub(crate) fn running(engine: &Engine, caller: &Caller) -> CustomModel {
    let id = engine.create(caller, request()).unwrap().id;
    engine.add_data(caller, id, pair(DataType::Train), &Expected::Anything).unwrap();
    engine.run(caller, id, &Expected::Anything).unwrap()
}

/// All records of the store.
pub(crate) fn records(store: &SqliteStore) -> Vec<Record> {
    let mut records = Vec::new();
    store
        .export(&mut |record| {
            records.push(record);
            Ok(())
        })
        .unwrap();
    records
}

/// The contradictions in the records of a store.
pub(crate) fn findings(store: &SqliteStore) -> Vec<String> {
    let mut audit = Audit::default();
    records(store).iter().for_each(|record| audit.look(record));
    audit.findings().iter().map(ToString::to_string).collect()
}
