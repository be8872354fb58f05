//! A store in memory, a folder of its own, and the files in it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use custom_models_core::model::{ContentDigest, DataFile, DataId, DataPair, DataType};
use custom_models_core::store::{
    ArchiveChange, ArchiveStore, Record, StoreError, StoreErrorKind, StoreIdentity, StoreSummary,
};
use custom_models_core::time::Timestamp;
use custom_models_core::{MemoryStore, ModelId, Organisation};
use custom_models_training_data::{ContentStore, ContentSweep, Folder, FolderStanding, KeptBack};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) fn acme() -> Organisation {
    "acme".parse().unwrap()
}

pub(crate) fn model(number: u64) -> ModelId {
    ModelId::new(number).unwrap()
}

pub(crate) fn store(number: u8) -> MemoryStore {
    MemoryStore::with_identity(StoreIdentity::from_bytes([number; 16]))
}

/// A copy of a store, as `cp` makes one.
pub(crate) fn copy(store: &MemoryStore) -> MemoryStore {
    let StoreSummary { identity, lineage, .. } = store.summary().unwrap();
    let copy = MemoryStore::with_identity(identity);
    let mut records = Vec::new();
    let read = store.export(&mut |record| {
        records.push(record);
        Ok(())
    });
    read.unwrap();
    copy.archive(ArchiveChange::Import(records)).unwrap();
    if let Some(lineage) = lineage {
        let (expected, new) = ((identity, None), (identity, lineage));
        copy.archive(ArchiveChange::ReplaceIdentity { expected, new }).unwrap();
    }
    copy
}

/// Has the store give ids away up to one.
pub(crate) fn at(store: &MemoryStore, last_id: u64) {
    store.archive(ArchiveChange::Import(vec![Record::Start { last_id }])).unwrap();
}

/// Writes a content and lets go of it.
pub(crate) fn keep(folder: &Folder, model: ModelId) -> String {
    let mut content = folder.begin(&acme(), model).unwrap();
    content.write_all(b"seven b").unwrap();
    content.keep().unwrap().name().to_owned()
}

/// Has the store refer to two contents, in a pair.
pub(crate) fn refer(store: &MemoryStore, model: ModelId, id: u32, contents: [&str; 2]) {
    let file = |content: &str| DataFile {
        filename: "tone".to_owned(),
        bytes: 7,
        sha256: ContentDigest::from_bytes([7; 32]),
        content: content.to_owned(),
    };
    let pair = DataPair {
        id: DataId::new(id).unwrap(),
        data_type: DataType::Train,
        audio: file(contents[0]),
        audio_millis: 1000,
        transcript: file(contents[1]),
        created_at: Timestamp::from_unix_seconds(1).unwrap(),
    };
    let record = Record::Data { organisation: acme(), model, pair };
    store.archive(ArchiveChange::Import(vec![record])).unwrap();
}

/// A folder of a store that refers to a pair of model 1 in it.
pub(crate) fn owned(store: &MemoryStore) -> (TempDir, Folder, [String; 2]) {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(root(&place), store).unwrap();
    assert_eq!(folder.standing(), FolderStanding::New);
    let contents = [keep(&folder, model(1)), keep(&folder, model(1))];
    refer(store, model(1), 1, [&contents[0], &contents[1]]);
    (place, folder, contents)
}

pub(crate) fn root(place: &TempDir) -> PathBuf {
    place.path().join("data")
}

pub(crate) fn unmark(place: &TempDir) {
    fs::remove_file(root(place).join("custom-models.json")).unwrap();
}

/// The mark of a folder.
pub(crate) fn mark(place: &TempDir) -> Value {
    let text = fs::read(root(place).join("custom-models.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Writes a mark as it may have been left.
pub(crate) fn put_mark(place: &TempDir, mark: &Value) {
    fs::write(root(place).join("custom-models.json"), mark.to_string()).unwrap();
}

/// The contents in a folder.
pub(crate) fn contents(place: &TempDir) -> BTreeSet<String> {
    fn below(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                below(&path, found);
            } else if !name.starts_with("custom-models") {
                found.insert(name);
            }
        }
    }
    let mut found = BTreeSet::new();
    below(&root(place), &mut found);
    found
}

/// Makes a content older than the age from which it is removed.
pub(crate) fn age(place: &TempDir, model: u64, content: &str) {
    let path = root(place).join("acme").join(model.to_string()).join(content);
    let then = SystemTime::now() - Folder::MIN_AGE - Duration::from_secs(1);
    File::options().append(true).open(path).unwrap().set_modified(then).unwrap();
}

pub(crate) fn removed(files: u64) -> ContentSweep {
    ContentSweep { files, bytes: 7 * files, kept_back: None }
}

pub(crate) fn kept_back(reason: KeptBack) -> ContentSweep {
    ContentSweep { kept_back: Some(reason), ..ContentSweep::default() }
}

pub(crate) fn kind<T>(done: Result<T, StoreError>) -> StoreErrorKind {
    done.err().unwrap().kind()
}
