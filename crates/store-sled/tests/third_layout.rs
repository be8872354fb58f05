//! A folder in layout 3, which had other rows of admissions, can be read and used on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use custom_models_core::access::{KeyId, Operation, RateLimit, Window};
use custom_models_core::store::{
    AccessChange, AccessOutcome, AccessStore, ArchiveStore, ModelStore,
};
use custom_models_core::time::UnixMillis;
use custom_models_store_sled::SledStore;
use tempfile::TempDir;

use common::{create, tamper};

const THIRD: &str = "custom-models in sled, layout 3\n";

const HOUR: i64 = 60 * 60 * 1000;

/// An admission of an API key in layout 3.
fn old_row(key: u8, operation: Operation, at: i64, number: u32) -> Vec<u8> {
    let at = (at ^ i64::MIN).to_be_bytes();
    let number = number.to_be_bytes();
    [b"a", &[key; 6][..], operation.as_str().as_bytes(), b"\0", &at, &number].concat()
}

fn old_rows() -> [Vec<u8>; 5] {
    [
        old_row(1, Operation::Create, 1000, 0),
        old_row(1, Operation::Create, 1000, 1),
        old_row(1, Operation::Create, 2000, 0),
        old_row(1, Operation::Get, 3000, 0),
        old_row(2, Operation::Create, 1500, 0),
    ]
}

fn third_layout() -> (TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    let store = SledStore::open(&folder).unwrap();
    create(&store, "first").unwrap();
    store.close().unwrap();
    tamper(&folder, |db| {
        old_rows().into_iter().for_each(|row| drop(db.insert(row, &[]).unwrap()));
        db.insert("f", THIRD).unwrap();
    });
    fs::write(folder.join("custom-models-sled"), THIRD).unwrap();
    (temporary, folder)
}

fn window(key: u8, operation: Operation) -> Window {
    Window { key: KeyId::from_bytes([key; 6]).into(), operation }
}

fn is_as_it_was(store: &SledStore) {
    for (key, operation, now, remaining) in [
        (1, Operation::Create, 3000, 7),
        (1, Operation::Create, HOUR + 1000, 9),
        (1, Operation::Create, HOUR + 2000, 10),
        (1, Operation::Get, 3000, 9),
        (2, Operation::Create, 3000, 9),
    ] {
        let now = UnixMillis::from_unix_millis(now);
        let state = store.window(&window(key, operation), RateLimit::CREATE, now).unwrap();
        assert_eq!(state.rate_limit.remaining, remaining, "{key} {operation} {now}");
    }
    assert_eq!(store.summary().unwrap().last_id, 1);
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

fn has_old_rows(folder: &Path) -> bool {
    let mut found = false;
    tamper(folder, |db| found = db.scan_prefix("a").next().is_some());
    found
}

#[test]
fn rate_4_admissions_of_layout_3_are_numbered_in_their_order_and_count() {
    let (_temporary, folder) = third_layout();
    let reading =
        SledStore::open_as(&folder, custom_models_core::store::OpenMode::ReadOnly).unwrap();
    is_as_it_was(&reading);
    drop(reading);
    assert!(has_old_rows(&folder), "who reads migrates nothing");
    let store = SledStore::open(&folder).unwrap();
    is_as_it_was(&store);
    let (limit, now) = (RateLimit::CREATE, UnixMillis::from_unix_millis(3000));
    for remaining in (0..7).rev() {
        let window = window(1, Operation::Create);
        match store.apply_access(AccessChange::Admit { window, limit, now }).unwrap() {
            AccessOutcome::Admitted(rate_limit) => assert_eq!(rate_limit.remaining, remaining),
            other => panic!("{other:?}"),
        }
    }
    store.close().unwrap();
    assert!(!has_old_rows(&folder));
    SledStore::open(&folder).unwrap();
}

/// An interrupted migration is repeated, however far it had come.
#[test]
fn a_step_from_layout_3_that_was_cut_short_is_made_again() {
    let (_temporary, whole) = third_layout();
    SledStore::open(&whole).unwrap().close().unwrap();
    let mut new = Vec::new();
    tamper(&whole, |db| new = db.scan_prefix("n").map(Result::unwrap).collect());
    assert_eq!(new.len(), 3);
    // With some of the new rows; with all of them and the name; and with rows that are left of
    // another migration.
    for step in 0..3 {
        let (_temporary, folder) = third_layout();
        tamper(&folder, |db| {
            let made = if step == 1 { 3 } else { 2 };
            new.iter().take(made).for_each(|(key, row)| drop(db.insert(key, row).unwrap()));
            match step {
                1 => drop(db.insert("f", "custom-models in sled, layout 5\n").unwrap()),
                2 => {
                    let (key, row) = new.first().unwrap();
                    let (window, at) = (key.get(1..).unwrap(), row.get(..8).unwrap());
                    db.insert([b"p", window, at, &[7; 8]].concat(), &[]).unwrap();
                }
                _ => {}
            }
        });
        let store = SledStore::open(&folder).unwrap();
        is_as_it_was(&store);
        store.close().unwrap();
        assert!(!has_old_rows(&folder));
    }
}
