//! Files that are removed, moved or replaced while a store is open (PLACE-3).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use custom_models_core::ModelId;
use custom_models_core::store::{ArchiveStore, ModelStore, OpenMode, Purge, StoreErrorKind};
use custom_models_store_sqlite::SqliteStore;
use rusqlite::Connection;

use common::{NOW, acme, create_at, moment, place};

const ENDINGS: [&str; 3] = ["", "-wal", "-shm"];

fn file(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// A store with some models that has been read.
fn open(path: &Path) -> SqliteStore {
    let store = SqliteStore::open(path).unwrap();
    (0..3).for_each(|_| create(&store).unwrap());
    store.summary().unwrap();
    store
}

fn create(store: &SqliteStore) -> Result<(), StoreErrorKind> {
    store.apply(create_at(&acme(), NOW)).map(drop).map_err(|error| error.kind())
}

/// Asserts that every operation is refused, and names the file.
///
/// A check counts for some milliseconds. A write within them is made, but not acknowledged.
fn assert_noticed(store: &SqliteStore, of: &Path) {
    let mut answers = std::iter::from_fn(|| Some(create(store)));
    let first = if of.to_string_lossy().ends_with("-shm") {
        answers.find(Result::is_err)
    } else {
        answers.next()
    };
    let first = first.unwrap().unwrap_err();
    assert!([StoreErrorKind::Unavailable, StoreErrorKind::OutcomeUnknown].contains(&first));
    let purge = Purge { events_before: None, idempotency_until: moment(NOW), limit: 9 };
    let asked = [
        store.apply(create_at(&acme(), NOW)).map(drop),
        store.get(&acme(), ModelId::new(1).unwrap()).map(drop),
        store.summary().map(drop),
        store.events(&acme(), 0, 1).map(drop),
        store.export(&mut |_| Ok(())),
        store.verify().map(drop),
        store.purge(purge).map(drop),
    ];
    for asked in asked {
        let error = asked.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(of.to_str().unwrap()), "{cause}");
    }
}

#[test]
fn place_3_a_file_that_is_moved_is_noticed_until_it_is_back() {
    for ending in ENDINGS {
        let (folder, path) = place();
        let store = open(&path);
        let (at, elsewhere) = (file(&path, ending), folder.path().join("elsewhere"));
        fs::rename(&at, &elsewhere).unwrap();
        assert_noticed(&store, &at);
        fs::rename(&elsewhere, &at).unwrap();
        create(&store).unwrap();
        let all = store.summary().unwrap();
        assert!(all.last_id >= 4, "{ending}");
        store.close().unwrap();
        assert_eq!(SqliteStore::open(&path).unwrap().summary().unwrap(), all, "{ending}");
    }
}

#[test]
fn place_3_a_folder_that_is_moved_is_noticed_until_it_is_back() {
    let (folder, _) = place();
    let (here, elsewhere) = (folder.path().join("here"), folder.path().join("elsewhere"));
    fs::create_dir(&here).unwrap();
    let path = here.join("models.db");
    let store = open(&path);
    fs::rename(&here, &elsewhere).unwrap();
    let refused = std::iter::from_fn(|| Some(create(&store))).find_map(Result::err);
    assert_eq!(refused, Some(StoreErrorKind::Unavailable));
    assert!(store.summary().is_err());
    fs::rename(&elsewhere, &here).unwrap();
    create(&store).unwrap();
}

#[test]
fn place_3_a_file_that_is_replaced_is_noticed() {
    for ending in ENDINGS {
        let (folder, path) = place();
        let store = open(&path);
        let (at, copy) = (file(&path, ending), folder.path().join("copy"));
        fs::copy(&at, &copy).unwrap();
        fs::rename(&copy, &at).unwrap();
        let other = fs::read(&at).unwrap();
        assert_noticed(&store, &at);
        // What lies there now is another's, and is left alone at the end.
        drop(store);
        assert_eq!(fs::read(&at).unwrap(), other, "{ending}");
    }
}

/// After an error the only connection is closed, and SQLite deletes its log.
#[test]
fn place_3_a_log_that_went_with_a_fault_is_no_alarm() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).unwrap();
    let become_version = |version: u32| {
        Connection::open(&path).unwrap().pragma_update(None, "user_version", version).unwrap();
    };
    become_version(99);
    assert_eq!(create(&store), Err(StoreErrorKind::Newer));
    assert!(!file(&path, "-wal").exists());
    become_version(7);
    create(&store).unwrap();
    store.summary().unwrap();
}

#[test]
fn place_3_a_whole_store_that_is_removed_is_noticed() {
    let (folder, path) = place();
    let store = open(&path);
    ENDINGS.into_iter().for_each(|ending| fs::remove_file(file(&path, ending)).unwrap());
    assert_noticed(&store, &path);
    store.close().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is made anew");
}

/// Acknowledged writes are only in the log, and are written to the database at close.
#[test]
fn place_3_a_log_that_is_removed_alone_loses_nothing_at_an_orderly_end() {
    for removed in [&["-wal"][..], &["-wal", "-shm"]] {
        let (_folder, path) = place();
        let store = open(&path);
        removed.iter().for_each(|ending| fs::remove_file(file(&path, ending)).unwrap());
        assert_noticed(&store, &file(&path, "-wal"));
        drop(store);
        assert!(SqliteStore::open(&path).unwrap().summary().unwrap().last_id >= 3);
    }
}

/// SQLite deletes a log by its path, which may belong to another store by then.
#[test]
fn place_3_the_end_of_a_store_that_was_moved_takes_no_log_of_another() {
    let (folder, path) = place();
    let store = open(&path);
    let elsewhere = folder.path().join("elsewhere.db");
    ENDINGS.into_iter().for_each(|ending| {
        fs::rename(file(&path, ending), file(&elsewhere, ending)).unwrap();
    });
    let other = SqliteStore::open(&path).unwrap();
    create(&other).unwrap();
    store.close().unwrap();
    drop(store);
    assert!(fs::metadata(file(&path, "-wal")).unwrap().len() > 0);
    create(&other).unwrap();
    drop(other);
    let last_id = |path| SqliteStore::open(path).unwrap().summary().unwrap().last_id;
    assert_eq!((last_id(&path), last_id(&elsewhere)), (2, 3));
}

/// SQLite creates and deletes logs by itself, as other processes come and go.
#[test]
fn place_3_others_that_come_and_go_are_no_alarm() {
    let (_folder, path) = place();
    let store = open(&path);
    for round in 0..5 {
        let others = [SqliteStore::open(&path), SqliteStore::open_as(&path, OpenMode::ReadOnly)];
        for other in others {
            other.unwrap().summary().unwrap();
        }
        let other = Connection::open(&path).unwrap();
        other.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        drop(other);
        create(&store).unwrap();
        assert_eq!(store.summary().unwrap().last_id, 4 + round);
        // After a fault the writer opens the file anew.
        let other = Connection::open(&path).unwrap();
        other.pragma_update(None, "user_version", 99).unwrap();
        assert_eq!(create(&store), Err(StoreErrorKind::Newer));
        other.pragma_update(None, "user_version", 7).unwrap();
    }
    drop(store);
    let reader = SqliteStore::open_as(&path, OpenMode::ReadOnly).unwrap();
    for _ in 0..3 {
        create(&SqliteStore::open(&path).unwrap()).unwrap();
        reader.summary().unwrap();
    }
    assert_eq!(reader.summary().unwrap().last_id, 11);
}

/// After an error the writer creates no new store if the old one is gone.
#[test]
fn place_3_a_writer_that_opens_anew_makes_no_store() {
    let (folder, path) = place();
    let store = open(&path);
    let other = Connection::open(&path).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(create(&store), Err(StoreErrorKind::Newer));
    drop(other);
    ENDINGS.into_iter().for_each(|ending| fs::remove_file(file(&path, ending)).unwrap());
    assert_eq!(create(&store), Err(StoreErrorKind::Unavailable));
    SqliteStore::open(&path).unwrap().close().unwrap();
    assert_eq!(create(&store), Err(StoreErrorKind::Unavailable));
    drop(store);
    assert!(path.exists() && folder.path().exists());
}

#[test]
fn place_3_another_name_of_the_file_is_no_alarm() {
    let (folder, path) = place();
    let store = open(&path);
    fs::hard_link(&path, folder.path().join("link.db")).unwrap();
    create(&store).unwrap();
    store.summary().unwrap();
}

#[test]
fn place_3_a_store_for_reading_notices_too() {
    let (folder, path) = place();
    open(&path).close().unwrap();
    let store = SqliteStore::open_as(&path, OpenMode::ReadOnly).unwrap();
    fs::rename(&path, folder.path().join("elsewhere")).unwrap();
    let refused = std::iter::from_fn(|| Some(store.summary())).find_map(Result::err);
    assert_eq!(refused.unwrap().kind(), StoreErrorKind::Unavailable);
    fs::rename(folder.path().join("elsewhere"), &path).unwrap();
    assert_eq!(store.summary().unwrap().last_id, 3);
}

/// A store that has committed many groups uses events, and checks files by path when names change.
#[test]
fn place_3_a_store_that_is_told_of_changes_notices_them() {
    let (folder, path) = place();
    let store = open(&path);
    (0..1_000).for_each(|_| create(&store).unwrap());
    for round in 0..3 {
        for mode in [OpenMode::Create, OpenMode::ReadOnly] {
            SqliteStore::open_as(&path, mode).unwrap().summary().unwrap();
        }
        fs::write(folder.path().join("other"), "").unwrap();
        fs::remove_file(folder.path().join("other")).unwrap();
        create(&store).unwrap();
        // After a fault the writer opens the file anew, and the log is another one.
        let become_version = |version: u32| {
            Connection::open(&path).unwrap().pragma_update(None, "user_version", version).unwrap();
        };
        become_version(99);
        assert_eq!(create(&store), Err(StoreErrorKind::Newer));
        become_version(7);
        create(&store).unwrap();
        assert_eq!(store.summary().unwrap().last_id, 1_005 + 2 * round);
    }
    for ending in ENDINGS {
        let (at, elsewhere) = (file(&path, ending), folder.path().join("elsewhere"));
        fs::rename(&at, &elsewhere).unwrap();
        assert_noticed(&store, &at);
        fs::rename(&elsewhere, &at).unwrap();
        create(&store).unwrap();
    }
    fs::remove_file(&path).unwrap();
    assert_noticed(&store, &path);
}
