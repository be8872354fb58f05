//! A file in layout 6, which had one row for each admission, is read and used on.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use custom_models_core::access::{Operation, RateLimit, Window, WindowKey};
use custom_models_core::store::{
    AccessChange, AccessOutcome, AccessStore, ArchiveStore, ModelStore, OpenMode,
};
use custom_models_core::time::UnixMillis;
use custom_models_store_sqlite::SqliteStore;
use rusqlite::{Connection, params};
use tempfile::TempDir;

use common::place;

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

/// The windows of the file, with the first and the last number of their admissions.
const WINDOWS: [(&[u8], Operation, u64, u64); 5] = [
    (b"many", Operation::Create, 5, 45),
    (b"many", Operation::Get, 1, 7),
    (b"at the end", Operation::Create, 1, 8),
    (&[0; 64], Operation::Create, 16, 16),
    (b"\0", Operation::List, 1_000_007, 1_000_024),
];

/// The time of an admission. Two in a row are of one millisecond, and the first are before 1970.
const fn at(number: u64) -> i64 {
    (number.cast_signed() % 1000 - 20) / 2 * 1000
}

/// A limit of 1000 requests in ten seconds.
fn limit() -> RateLimit {
    RateLimit::new(1000, Duration::from_secs(10)).unwrap()
}

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
    for (key, operation, first, last) in WINDOWS {
        let window = Window { key: WindowKey::new(key).unwrap(), operation };
        for now in (at(last)..at(last) + 11_000).step_by(500) {
            let counts = |number: &u64| at(*number) > now - 10_000;
            let oldest = (first..=last).find(counts).map_or(now, |number| at(number) + 10_000);
            let used = (first..=last).filter(counts).count();
            let now = UnixMillis::from_unix_millis(now);
            let found = store.window(&window, limit(), now).unwrap().rate_limit;
            let found = (1000 - found.remaining, found.reset_at.unix_millis());
            assert_eq!(found, (u32::try_from(used).unwrap(), oldest), "{operation} {now}");
        }
    }
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
    let mut left: u64 = WINDOWS.iter().map(|(_, _, first, last)| last - first + 1).sum();
    for (key, operation, _, last) in WINDOWS {
        let window = Window { key: WindowKey::new(key).unwrap(), operation };
        let now = UnixMillis::from_unix_millis(at(last));
        let before = store.window(&window, limit(), now).unwrap().rate_limit.remaining;
        let change = AccessChange::Admit { window, limit: limit(), now };
        match store.apply_access(change).unwrap() {
            AccessOutcome::Admitted(status) => assert_eq!(status.remaining, before - 1),
            other => panic!("{other:?}"),
        }
        left += 1;
    }
    let (longest, now) = (Duration::from_secs(1), UnixMillis::from_unix_millis(1_000_000));
    let sweep =
        |limit| store.apply_access(AccessChange::SweepWindows { longest, now, limit }).unwrap();
    assert_eq!(sweep(13), AccessOutcome::Swept(13));
    assert_eq!(sweep(1000), AccessOutcome::Swept(left - 13));
    assert_eq!(sweep(1000), AccessOutcome::Swept(0));
    store.close().unwrap();
    assert_eq!((rows(&path, "windows"), rows(&path, "admissions")), (0, 0));
}
