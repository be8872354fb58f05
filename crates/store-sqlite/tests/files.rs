//! Opening files that are missing, foreign, newer or cut short, and several stores on one file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use custom_models_core::access::{KeyId, Operation, RateLimit, Window};
use custom_models_core::store::{
    AccessChange, AccessOutcome, AccessStore, ArchiveStore, ModelStore, OpenMode, Registration,
    StoreErrorKind,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{Caller, Engine, ListModels, ModelId, Plan};
use custom_models_store_sqlite::SqliteStore;
use rusqlite::Connection;

use common::{caller, engine, kind, place, request};

fn refused(path: &Path) -> StoreErrorKind {
    match SqliteStore::open(path) {
        Ok(_) => panic!("the file was taken for a store"),
        Err(fault) => {
            assert!(std::error::Error::source(&fault).is_some(), "{fault} has no cause");
            fault.kind()
        }
    }
}

#[test]
fn a_missing_and_an_empty_file_become_a_store() {
    let (_folder, path) = place();
    engine(&path).create(&caller(), request()).unwrap();
    let (_folder, path) = place();
    fs::write(&path, "").unwrap();
    engine(&path).create(&caller(), request()).unwrap();
}

#[test]
fn a_missing_folder_is_unavailable_and_not_made() {
    let (folder, _) = place();
    let missing = folder.path().join("missing");
    assert_eq!(refused(&missing.join("custom-models.db")), StoreErrorKind::Unavailable);
    assert!(!missing.exists());
    assert_eq!(refused(folder.path()), StoreErrorKind::Unavailable);
}

/// Each name would have a log of its own, and the two would overwrite each other.
#[cfg(unix)]
#[test]
fn a_database_with_two_names_is_read_and_not_written() {
    let (folder, path) = place();
    let link = folder.path().join("link.db");
    engine(&path).create(&caller(), request()).unwrap();
    fs::hard_link(&path, &link).unwrap();
    for name in [&path, &link] {
        for mode in [OpenMode::Create, OpenMode::Existing, OpenMode::Current] {
            let fault = SqliteStore::open_as(name, mode).unwrap_err();
            assert_eq!(fault.kind(), StoreErrorKind::Unavailable);
            let cause = std::error::Error::source(&fault).unwrap().to_string();
            assert!(cause.contains("2 names (hard links)"), "{cause}");
        }
        let store = SqliteStore::open_as(name, OpenMode::ReadOnly).unwrap();
        assert_eq!(store.summary().unwrap().last_id, 1);
    }
    fs::remove_file(&path).unwrap();
    engine(&link).create(&caller(), request()).unwrap();
    // What a `restore` leaves that is killed in its last step.
    fs::hard_link(&link, folder.path().join("link.db.part")).unwrap();
    engine(&link).create(&caller(), request()).unwrap();
    assert_eq!(refused(&folder.path().join("link.db.part")), StoreErrorKind::Unavailable);
}

#[test]
fn a_file_of_something_else_is_not_ours_and_not_touched() {
    let (_folder, path) = place();
    for content in ["name,language\n".repeat(200), "x".into(), "SQLite format 2".into()] {
        fs::write(&path, &content).unwrap();
        assert_eq!(refused(&path), StoreErrorKind::NotOurs);
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn a_store_that_is_cut_short_is_damaged_and_not_made_anew() {
    let (_folder, path) = place();
    engine(&path).close().unwrap();
    let sound = fs::read(&path).unwrap();
    for length in [16, 99, 100, 511] {
        fs::write(&path, sound.get(..length).unwrap()).unwrap();
        assert_eq!(refused(&path), StoreErrorKind::Damaged, "{length}");
        assert_eq!(fs::read(&path).unwrap(), sound.get(..length).unwrap());
    }
}

#[test]
fn a_database_of_something_else_is_not_ours_and_not_touched() {
    for sql in [
        "CREATE TABLE notes (text TEXT)",
        "PRAGMA user_version = 1",
        "PRAGMA application_id = 7",
        "CREATE TABLE models (id INTEGER); PRAGMA user_version = 1",
    ] {
        let (_folder, path) = place();
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let before = fs::read(&path).unwrap();
        assert_eq!(refused(&path), StoreErrorKind::NotOurs, "{sql}");
        assert_eq!(fs::read(&path).unwrap(), before, "{sql}");
    }
}

#[test]
fn a_newer_layout_is_told_and_not_touched() {
    let (_folder, path) = place();
    engine(&path).close().unwrap();
    let version: u32 = {
        let connection = Connection::open(&path).unwrap();
        let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        connection.pragma_update(None, "user_version", version + 1).unwrap();
        version
    };
    let before = fs::read(&path).unwrap();
    assert_eq!(refused(&path), StoreErrorKind::Newer);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(version >= 1);
}

#[test]
fn a_locked_file_is_busy_and_works_again_by_itself() {
    let (_folder, path) = place();
    let store = SqliteStore::open_with_busy_timeout(&path, Duration::from_millis(10)).unwrap();
    let engine = Engine::new(Arc::new(store), SystemTime::now);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refusal = engine.create(&caller(), request()).unwrap_err();
    assert_eq!((refusal.status(), kind(refusal)), (503, StoreErrorKind::Busy));
    // Reads wait for nobody.
    assert_eq!(engine.list(&caller(), &ListModels::default()).unwrap().count, 0);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(engine.create(&caller(), request()).unwrap().id.get(), 1);
}

#[test]
fn a_layout_that_became_newer_is_written_no_more() {
    let (_folder, path) = place();
    let engine = engine(&path);
    engine.create(&caller(), request()).unwrap();
    let other = Connection::open(&path).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(kind(engine.create(&caller(), request()).unwrap_err()), StoreErrorKind::Newer);
    let models: u64 = other.query_row("SELECT count(*) FROM models", [], |row| row.get(0)).unwrap();
    assert_eq!(models, 1);
}

#[test]
fn any_time_to_wait_is_taken() {
    let (_folder, path) = place();
    for wait in [Duration::ZERO, Duration::MAX] {
        let store = SqliteStore::open_with_busy_timeout(&path, wait).unwrap();
        Engine::new(Arc::new(store), SystemTime::now).create(&caller(), request()).unwrap();
    }
}

#[test]
fn many_openers_of_a_new_file_make_one_store() {
    let (_folder, path) = place();
    let ids: Vec<u64> = std::thread::scope(|scope| {
        let openers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| engine(&path).create(&caller(), request()).unwrap().id.get()))
            .collect();
        openers.into_iter().map(|opener| opener.join().unwrap()).collect()
    });
    let mut sorted = ids;
    sorted.sort_unstable();
    assert_eq!(sorted, [1, 2, 3, 4, 5, 6, 7, 8]);
}

/// QUOTA-4 across several stores on one file in one process. The tests of the command line cover
/// several processes.
#[test]
fn quota_4_holds_over_several_stores_on_one_file() {
    let (_folder, path) = place();
    let gold = Caller::new("acme".parse().unwrap(), Plan::gold());
    let created: usize = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let engine = engine(&path);
                    (0..3).filter(|_| engine.create(&gold, request()).is_ok()).count()
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert_eq!(created, 5);
    assert_eq!(engine(&path).list(&gold, &ListModels::default()).unwrap().total_results, 5);
}

/// READ-2: a page is read through an index, wherever its rows are.
#[test]
fn read_2_pages_are_read_through_an_index() {
    let (_folder, path) = place();
    engine(&path).create(&caller(), request()).unwrap();
    let connection = Connection::open(&path).unwrap();
    let plan: String = connection
        .query_row(
            "EXPLAIN QUERY PLAN SELECT * FROM models WHERE organisation = 'acme' AND id > 7
            ORDER BY id LIMIT 25",
            [],
            |row| row.get(3),
        )
        .unwrap();
    assert!(plan.contains("models_of_organisation (organisation=? AND rowid>?)"), "{plan}");
}

/// The layout before keys and admissions.
const FIRST_LAYOUT: &str = "CREATE TABLE organisations (
        organisation TEXT NOT NULL PRIMARY KEY,
        models INTEGER NOT NULL CHECK (models >= 0)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE models (
        id INTEGER NOT NULL PRIMARY KEY CHECK (id > 0),
        organisation TEXT NOT NULL,
        revision INTEGER NOT NULL CHECK (revision > 0),
        name TEXT NOT NULL,
        description TEXT,
        language TEXT NOT NULL,
        base_model TEXT NOT NULL,
        training_status INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX models_of_organisation ON models (organisation);
    CREATE TABLE sequence (
        only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
        last_id INTEGER NOT NULL CHECK (last_id >= 0)
    ) STRICT;
    INSERT INTO sequence (only, last_id) VALUES (1, 7);
    INSERT INTO organisations VALUES ('acme', 1);
    INSERT INTO models VALUES (7, 'acme', 1, 'Legal-NL-v2', NULL, 'nl', 'legal', 1, 5, 5);
    PRAGMA application_id = 0x434D444C;
    PRAGMA user_version = 1;";

#[test]
fn a_file_of_the_first_layout_keeps_its_models_and_takes_keys() {
    let (_folder, path) = place();
    Connection::open(&path).unwrap().execute_batch(FIRST_LAYOUT).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let found = store.get(&"acme".parse().unwrap(), ModelId::new(7).unwrap()).unwrap();
    assert_eq!(found.unwrap().name.as_str(), "Legal-NL-v2");
    let gold =
        Registration { organisation: "acme".parse().unwrap(), plan: "Gold".parse().unwrap() };
    let registered = store.apply_access(AccessChange::Register(gold.clone())).unwrap();
    assert_eq!(registered, AccessOutcome::Done);
    store.close().unwrap();
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.registrations().unwrap(), [gold]);
    let engine = Engine::new(Arc::new(store), SystemTime::now);
    assert_eq!(engine.create(&caller(), request()).unwrap().id.get(), 8);
}

#[test]
fn rate_4_stores_on_one_file_share_a_window() {
    let (_folder, path) = place();
    let stores = [SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap()];
    let key = KeyId::from_bytes([1; 6]);
    let now = UnixMillis::from_unix_millis(1_700_000_000_000);
    let window = Window { key: key.into(), operation: Operation::Create };
    let limit = RateLimit::CREATE;
    let admit = |store: &SqliteStore| {
        store.apply_access(AccessChange::Admit { window, limit, now }).unwrap()
    };
    let admitted = std::thread::scope(|scope| {
        let threads: Vec<_> = stores
            .iter()
            .chain(&stores)
            .map(|store| {
                scope.spawn(move || {
                    let answers = (0..10).map(|_| admit(store));
                    answers.filter(|it| matches!(it, AccessOutcome::Admitted(_))).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    assert_eq!(admitted, 10);
    assert_eq!(stores[1].window(&window, limit, now).unwrap().rate_limit.remaining, 0);
}

/// Up to layout 5 numbers distinguished admissions of one millisecond.
#[test]
fn rate_4_admissions_of_an_older_layout_are_numbered_in_their_order() {
    let (_folder, path) = place();
    SqliteStore::open(&path).unwrap().close().unwrap();
    let file = Connection::open(&path).unwrap();
    file.execute_batch(
        "DROP TABLE windows;
        DROP TABLE admissions;
        CREATE TABLE admissions (key BLOB NOT NULL, operation TEXT NOT NULL, at INTEGER NOT NULL,
            number INTEGER NOT NULL, PRIMARY KEY (key, operation, at, number)) STRICT, WITHOUT ROWID;
        INSERT INTO admissions (key, operation, at, number) VALUES
            (x'010101010101', 'create', 1000, 0), (x'010101010101', 'create', 1000, 1),
            (x'010101010101', 'create', 2000, 0), (x'010101010101', 'get', 3000, 0),
            (x'020202020202', 'create', 1500, 0);
        PRAGMA user_version = 5",
    )
    .unwrap();
    drop(file);
    let store = SqliteStore::open(&path).unwrap();
    let remaining = |number, operation, now| {
        let window = Window { key: KeyId::from_bytes([number; 6]).into(), operation };
        let now = UnixMillis::from_unix_millis(now);
        store.window(&window, RateLimit::CREATE, now).unwrap().rate_limit.remaining
    };
    let hour = 60 * 60 * 1000;
    assert_eq!(remaining(1, Operation::Create, 3000), 7);
    assert_eq!(remaining(1, Operation::Create, hour + 1000), 9);
    assert_eq!(remaining(1, Operation::Create, hour + 2000), 10);
    assert_eq!(remaining(1, Operation::Get, 3000), 9);
    assert_eq!(remaining(2, Operation::Create, 3000), 9);
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
    store.close().unwrap();
    let file = Connection::open(&path).unwrap();
    let numbers: Vec<i64> = file
        .prepare("SELECT number FROM windows ORDER BY key, operation")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(numbers, [3, 1, 1]);
}
