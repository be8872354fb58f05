//! What the tests of this store share.
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
use std::sync::mpsc;

use custom_models_core::{
    Change, Description, Language, Listing, ModelStore, Name, NewModel, Organisation, Outcome,
    Selection, StoreError, Timestamp, Write,
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

/// Submits a write and waits for its answer; dropping the completion is an answer too.
pub(crate) fn submit(
    store: &dyn ModelStore,
    change: Change,
) -> Option<Result<Outcome, StoreError>> {
    let (answer, answered) = mpsc::channel();
    let done = Box::new(move |outcome| answer.send(outcome).unwrap());
    store.submit(Write::new(acme(), change), done);
    answered.recv().ok()
}

pub(crate) fn create(store: &dyn ModelStore, name: &str) -> Result<Outcome, StoreError> {
    let model = new_model(name);
    submit(store, Change::Create { model, limit: None }).unwrap()
}

pub(crate) fn list(store: &dyn ModelStore) -> Result<Listing, StoreError> {
    let selection = Selection { limit: u32::MAX, ..Selection::default() };
    store.list(&acme(), &selection)
}

/// Makes a store with some models, and closes it. It was opened more than once, so that sled has
/// written all the files that it ever writes.
pub(crate) fn make_store(folder: &Path, models: usize) {
    let store = SledStore::open(folder).unwrap();
    for number in 0..models {
        create(&store, &format!("model {number}")).unwrap();
    }
    store.close().unwrap();
    SledStore::open(folder).unwrap().close().unwrap();
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
