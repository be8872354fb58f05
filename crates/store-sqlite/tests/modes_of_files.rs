//! Files are created for their owner alone (PLACE-5).
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use custom_models_core::store::ModelStore;
use custom_models_store_sqlite::SqliteStore;

use common::{NOW, acme, create_at, place};

fn modes(folder: &Path) -> Vec<u32> {
    let files = fs::read_dir(folder).unwrap().map(|it| it.unwrap().metadata().unwrap());
    files.map(|file| file.permissions().mode() & 0o777).collect()
}

#[test]
fn place_5_what_is_made_is_for_its_owner_alone() {
    let (folder, path) = place();
    let store = SqliteStore::open(&path).unwrap();
    store.apply(create_at(&acme(), NOW)).unwrap();
    let (copy, restored) = (folder.path().join("copy.db"), folder.path().join("restored.db"));
    store.backup(&copy).unwrap();
    // A copy that was made readable for others is not restored as one.
    fs::set_permissions(&copy, Permissions::from_mode(0o644)).unwrap();
    SqliteStore::restore(&copy, &restored).unwrap();
    fs::set_permissions(&copy, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(modes(folder.path()), [0o600; 5]);
}

#[test]
fn place_5_a_file_that_is_there_keeps_its_mode() {
    let (folder, path) = place();
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    store.apply(create_at(&acme(), NOW)).unwrap();
    assert_eq!(modes(folder.path()), [0o640; 3]);
}
