//! A store in memory, its folder, and the files in it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use custom_models_core::MemoryStore;
use custom_models_training_data::{Folder, FolderStanding};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) use crate::stores::*;

/// Returns a folder of a store that refers to a pair of model 1 in it.
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

/// Returns the mark of a folder.
pub(crate) fn mark(place: &TempDir) -> Value {
    let text = fs::read(root(place).join("custom-models.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Writes a mark as another process may have left it.
pub(crate) fn put_mark(place: &TempDir, mark: &Value) {
    fs::write(root(place).join("custom-models.json"), mark.to_string()).unwrap();
}

/// Returns the contents of a folder.
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
