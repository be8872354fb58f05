//! A store in layout 4, the last one without a lineage, keeps its identity and can get a lineage.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::PathBuf;

use custom_models_core::store::{
    ArchiveChange, ArchiveStore, Lineage, ModelStore, OpenMode, StoreErrorKind, StoreIdentity,
    StoreSummary,
};
use custom_models_store_sqlite::SqliteStore;
use rusqlite::Connection;
use tempfile::TempDir;

use common::{findings, place, records};

/// A copy of the file, and the identity in it.
fn copy() -> (TempDir, PathBuf, StoreIdentity) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/fourth-layout.db");
    let (folder, path) = place();
    fs::copy(file, &path).unwrap();
    let file = Connection::open(&path).unwrap();
    let row = file.query_row(
        "SELECT identity, user_version FROM store, pragma_user_version",
        [],
        |row| Ok((row.get(0)?, row.get::<_, u32>(1)?)),
    );
    let (identity, version) = row.unwrap();
    assert_eq!(version, 4);
    (folder, path, StoreIdentity::from_bytes(identity))
}

#[test]
fn place_2_a_store_without_a_lineage_keeps_its_identity_and_gets_one() {
    let (_folder, path, identity) = copy();
    let reading = SqliteStore::open_as(&path, OpenMode::ReadOnly).unwrap();
    let expected = StoreSummary { identity, lineage: None, last_id: 2, events: 4, has_data: true };
    assert_eq!(reading.summary().unwrap(), expected);
    assert_eq!(reading.verify().unwrap(), [""; 0]);
    let (expected_now, new) = ((identity, None), (identity, Lineage::new(u64::MAX)));
    let change = || ArchiveChange::ReplaceIdentity { expected: expected_now, new };
    let refused = reading.archive(change()).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::ReadOnly);
    drop(reading);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.summary().unwrap(), expected);
    assert_eq!(store.archive(change()).unwrap(), 1);
    store.close().unwrap();
    let store = SqliteStore::open_as(&path, OpenMode::Current).unwrap();
    let lineage = Some(Lineage::new(u64::MAX));
    assert_eq!(store.summary().unwrap(), StoreSummary { lineage, ..expected });
    assert_eq!(store.verify().unwrap(), [""; 0]);
    assert_eq!(findings(&store), [""; 0]);
    assert_eq!(records(&store).len(), 8);
}
