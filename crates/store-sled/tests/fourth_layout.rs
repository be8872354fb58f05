//! A folder in layout 4, which had one row for each admission, can be read and used on.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;
#[path = "../../store-sqlite/tests/support/one_row_each.rs"]
mod one_row_each;

use std::fs;
use std::path::{Path, PathBuf};

use custom_models_core::access::Operation;
use custom_models_core::store::{ArchiveStore, ModelStore, OpenMode, StoreErrorKind};
use custom_models_store_sled::SledStore;
use tempfile::TempDir;

use common::{create, tamper};
use one_row_each::{WINDOWS, are_used_on, at, count_as_before};

const FOURTH: &str = "custom-models in sled, layout 4\n";

fn old_row(key: &[u8], operation: Operation, number: u64) -> Vec<u8> {
    let at = (at(number) ^ i64::MIN).to_be_bytes();
    let length = [u8::try_from(key.len()).unwrap()];
    let operation = operation.as_str().as_bytes();
    [b"w", &length[..], key, operation, b"\0", &at, &number.to_be_bytes()].concat()
}

fn fourth_layout() -> (TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    let store = SledStore::open(&folder).unwrap();
    create(&store, "first").unwrap();
    store.close().unwrap();
    tamper(&folder, |db| {
        for (key, operation, first, last) in WINDOWS {
            (first..=last)
                .for_each(|number| drop(db.insert(old_row(key, operation, number), &[]).unwrap()));
        }
        db.insert("f", FOURTH).unwrap();
    });
    fs::write(folder.join("custom-models-sled"), FOURTH).unwrap();
    (temporary, folder)
}

fn is_as_it_was(store: &SledStore) {
    count_as_before(store);
    assert_eq!(store.summary().unwrap().last_id, 1);
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

/// The numbers of rows in layout 4, of newest admissions, and of the runs before them.
fn rows(folder: &Path) -> [usize; 3] {
    let mut rows = [0; 3];
    tamper(folder, |db| rows = ["w", "n", "p"].map(|kind| db.scan_prefix(kind).count()));
    rows
}

#[test]
fn rate_4_the_admissions_of_layout_4_count_as_before() {
    let (_temporary, folder) = fourth_layout();
    let refused = SledStore::open_as(&folder, OpenMode::Current).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Older);
    let reading = SledStore::open_as(&folder, OpenMode::ReadOnly).unwrap();
    is_as_it_was(&reading);
    drop(reading);
    assert_eq!(rows(&folder), [41 + 7 + 8 + 1 + 18, 0, 0]);
    let store = SledStore::open(&folder).unwrap();
    is_as_it_was(&store);
    store.close().unwrap();
    // The runs begin at 5, 8, 16, 24, 32, 40; at 1; at 1, 8; at 16; and at 1 000 007, ..08, ..16, ..24.
    assert_eq!(rows(&folder), [0, 5, 5 + 1 + 3]);
    is_as_it_was(&SledStore::open(&folder).unwrap());
}

#[test]
fn rate_1_a_folder_of_layout_4_is_used_on() {
    let (_temporary, folder) = fourth_layout();
    let store = SledStore::open(&folder).unwrap();
    are_used_on(&store);
    store.close().unwrap();
    assert_eq!(rows(&folder), [0; 3]);
}

/// An interrupted migration is repeated, however far it had come.
#[test]
fn a_step_from_layout_4_that_was_cut_short_is_made_again() {
    let (_temporary, whole) = fourth_layout();
    SledStore::open(&whole).unwrap().close().unwrap();
    let mut new = Vec::new();
    tamper(&whole, |db| {
        let rows = db.scan_prefix("n").chain(db.scan_prefix("p"));
        new = rows.map(Result::unwrap).collect();
    });
    assert_eq!(new.len(), 14);
    for made in [1, 7, 14] {
        let (_temporary, folder) = fourth_layout();
        tamper(&folder, |db| {
            let made = new.iter().take(made);
            made.for_each(|(key, row)| drop(db.insert(key, row).unwrap()));
            // A row of a window that an older version has swept since.
            db.insert("n\u{1}kget\0", [7; 16].as_slice()).unwrap();
        });
        let store = SledStore::open(&folder).unwrap();
        is_as_it_was(&store);
        store.close().unwrap();
        assert_eq!(rows(&folder), [0, 5, 9], "after {made} rows");
    }
    // With the new rows, their name, and some of the old rows.
    let (_temporary, folder) = fourth_layout();
    tamper(&folder, |db| {
        new.iter().for_each(|(key, row)| drop(db.insert(key, row).unwrap()));
        db.insert("f", "custom-models in sled, layout 5\n").unwrap();
        db.remove(old_row(b"many", Operation::Create, 5)).unwrap();
    });
    let store = SledStore::open(&folder).unwrap();
    is_as_it_was(&store);
    store.close().unwrap();
    assert_eq!(rows(&folder), [0, 5, 9]);
}
