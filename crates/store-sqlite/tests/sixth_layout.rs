//! A file in layout 6, which had one row for each admission, is read and used on.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;
#[path = "support/one_row_each.rs"]
mod one_row_each;

use std::path::{Path, PathBuf};

use custom_models_core::store::{ArchiveStore, ModelStore, OpenMode};
use custom_models_store_sqlite::SqliteStore;
use rusqlite::{Connection, params};
use tempfile::TempDir;

use common::place;
use one_row_each::{WINDOWS, are_used_on, at, count_as_before};

const TABLE: &str = "DROP TABLE windows;
    DROP TABLE admissions;
    CREATE TABLE admissions (
        key BLOB NOT NULL CHECK (length(key) BETWEEN 1 AND 64),
        operation TEXT NOT NULL,
        at INTEGER NOT NULL,
        number INTEGER NOT NULL CHECK (number > 0),
        PRIMARY KEY (key, operation, at, number)
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 6";

fn sixth_layout() -> (TempDir, PathBuf) {
    let (folder, path) = place();
    SqliteStore::open(&path).unwrap().close().unwrap();
    let file = Connection::open(&path).unwrap();
    file.execute_batch(TABLE).unwrap();
    for (key, operation, first, last) in WINDOWS {
        for number in first..=last {
            let row = params![key, operation.as_str(), at(number), number];
            file.execute("INSERT INTO admissions VALUES (?1, ?2, ?3, ?4)", row).unwrap();
        }
    }
    (folder, path)
}

fn is_as_it_was(store: &SqliteStore) {
    count_as_before(store);
    assert_eq!(store.verify().unwrap(), [""; 0]);
}

fn rows(path: &Path, table: &str) -> u32 {
    let file = Connection::open(path).unwrap();
    file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn rate_4_the_admissions_of_layout_6_count_as_before() {
    let (_folder, path) = sixth_layout();
    let reading = SqliteStore::open_as(&path, OpenMode::ReadOnly).unwrap();
    is_as_it_was(&reading);
    drop(reading);
    assert_eq!(rows(&path, "admissions"), 41 + 7 + 8 + 1 + 18);
    let store = SqliteStore::open(&path).unwrap();
    is_as_it_was(&store);
    store.close().unwrap();
    // The runs begin at 5, 8, 16, 24, 32, 40; at 1; at 1, 8; at 16; and at 1 000 007, ..08, ..16, ..24.
    assert_eq!((rows(&path, "windows"), rows(&path, "admissions")), (5, 5 + 1 + 3));
}

#[test]
fn rate_1_a_file_of_layout_6_is_used_on() {
    let (_folder, path) = sixth_layout();
    let store = SqliteStore::open(&path).unwrap();
    are_used_on(&store);
    store.close().unwrap();
    assert_eq!((rows(&path, "windows"), rows(&path, "admissions")), (0, 0));
}
