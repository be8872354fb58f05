//! The mode of opening: nothing is created, migrated or written without the right to (PLACE-1).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use custom_models_core::ListModels;
use custom_models_core::store::{
    AccessChange, AccessStore, ArchiveChange, ArchiveStore, ModelStore, OpenMode, Purge,
    Registration, StoreError, StoreErrorKind,
};
use custom_models_store_sqlite::SqliteStore;

use common::{
    NOW, acme, answer_key, caller, create_at, engine_at_now, findings, moment, place, records,
    running, sql,
};

const ALL: [OpenMode; 4] =
    [OpenMode::Create, OpenMode::Existing, OpenMode::Current, OpenMode::ReadOnly];

/// The environment variable with the file that a process writes before it is killed.
const FILE: &str = "CUSTOM_MODELS_KILLED_FILE";

fn refused(path: &Path, mode: OpenMode) -> StoreError {
    SqliteStore::open_as(path, mode).err().unwrap()
}

/// The files of a folder with their contents.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn old(name: &str) -> (tempfile::TempDir, PathBuf) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let (folder, path) = place();
    fs::copy(file, &path).unwrap();
    (folder, path)
}

#[test]
fn place_1_a_store_that_is_missing_is_made_by_create_alone() {
    for mode in ALL.into_iter().filter(|mode| *mode != OpenMode::Create) {
        let (folder, path) = place();
        let error = refused(&path, mode);
        assert_eq!(error.kind(), StoreErrorKind::Missing, "{mode:?}");
        let cause = error.source().unwrap().to_string();
        assert!(cause.contains(path.to_str().unwrap()), "{cause}");
        assert!(files(folder.path()).is_empty(), "{mode:?}");
        fs::write(&path, "").unwrap();
        assert_eq!(refused(&path, mode).kind(), StoreErrorKind::Missing, "{mode:?}");
        // A database without anything in it, as other programs make them.
        sql(&path, "PRAGMA journal_mode = WAL");
        assert_eq!(refused(&path, mode).kind(), StoreErrorKind::Missing, "{mode:?}");
        let file = folder.path().join("missing").join("x.db");
        assert_eq!(refused(&file, mode).kind(), StoreErrorKind::Missing, "{mode:?}");
    }
    let (_folder, path) = place();
    SqliteStore::open_as(&path, OpenMode::Create).unwrap().close().unwrap();
    ALL.into_iter().for_each(|mode| drop(SqliteStore::open_as(&path, mode).unwrap()));
}

#[test]
fn place_1_an_older_layout_is_migrated_only_with_the_right() {
    for name in ["first-release.db", "third-layout.db"] {
        let (folder, path) = old(name);
        let before = files(folder.path());
        assert_eq!(refused(&path, OpenMode::Current).kind(), StoreErrorKind::Older);
        assert_eq!(files(folder.path()), before, "{name}");
        SqliteStore::open_as(&path, OpenMode::Existing).unwrap().close().unwrap();
        SqliteStore::open_as(&path, OpenMode::Current).unwrap().close().unwrap();
    }
}

#[test]
fn place_1_an_older_layout_is_read_as_it_is() {
    for (name, models) in [("first-release.db", 4), ("third-layout.db", 5)] {
        let (folder, path) = old(name);
        let before = files(folder.path());
        let store = SqliteStore::open_as(&path, OpenMode::ReadOnly).unwrap();
        let engine = custom_models_core::Engine::new(
            Arc::new(SqliteStore::open_as(&path, OpenMode::ReadOnly).unwrap()),
            std::time::SystemTime::now,
        );
        let list = engine.list(&caller(), &ListModels::default()).unwrap();
        assert_eq!(list.total_results, models);
        assert_eq!(findings(&store), [""; 0]);
        assert_eq!(store.verify().unwrap(), [""; 0]);
        let (_other_folder, other) = old(name);
        let shown = records(&store);
        assert_eq!(shown, records(&SqliteStore::open(&other).unwrap()));
        store.close().unwrap();
        engine.close().unwrap();
        assert_eq!(files(folder.path()), before, "{name}");
    }
}

/// A backup has the layout of the store.
#[test]
fn place_1_a_backup_migrates_nothing() {
    let (folder, path) = old("third-layout.db");
    let copy = folder.path().join("copy.db");
    SqliteStore::open_as(&path, OpenMode::ReadOnly).unwrap().backup(&copy).unwrap();
    assert_eq!(refused(&copy, OpenMode::Current).kind(), StoreErrorKind::Older);
    let restored = folder.path().join("restored.db");
    SqliteStore::restore(&copy, &restored).unwrap();
    assert_eq!(refused(&restored, OpenMode::Current).kind(), StoreErrorKind::Older);
    assert_eq!(records(&SqliteStore::open(&restored).unwrap()).len(), 23);
}

#[test]
fn place_1_nothing_is_written_through_a_store_for_reading() {
    let (folder, path) = place();
    let engine = engine_at_now(&path);
    running(&engine, &caller());
    engine.close().unwrap();
    let before = files(folder.path());
    let store = SqliteStore::open_as(&path, OpenMode::ReadOnly).unwrap();
    let registration = Registration { organisation: acme(), plan: "Gold".parse().unwrap() };
    let purge = Purge { events_before: None, idempotency_until: moment(NOW), limit: 9 };
    let (sender, submitted) = std::sync::mpsc::channel();
    store.submit(create_at(&acme(), NOW), Box::new(move |it| sender.send(it.map(drop)).unwrap()));
    let erase = ArchiveChange::Erase { organisation: acme(), limit: 1 };
    let done = [
        store.apply(create_at(&acme(), NOW)).map(drop),
        submitted.recv().unwrap(),
        store.apply_access(AccessChange::Register(registration)).map(drop),
        store.purge(purge).map(drop),
        store.archive(erase).map(drop),
    ];
    for done in done {
        assert_eq!(done.unwrap_err().kind(), StoreErrorKind::ReadOnly);
    }
    assert!(store.idempotency_record(&acme(), &answer_key("k")).unwrap().is_none());
    assert!(store.summary().unwrap().has_data);
    store.close().unwrap();
    assert_eq!(store.summary().unwrap_err().kind(), StoreErrorKind::Closed);
    assert_eq!(files(folder.path()), before);
}

/// A store opened for reading sees writes of others at once.
#[test]
fn place_1_a_store_for_reading_follows_those_that_write() {
    let (_folder, path) = place();
    let writer = SqliteStore::open(&path).unwrap();
    let reader = SqliteStore::open_as(&path, OpenMode::ReadOnly).unwrap();
    for count in 1..4 {
        writer.apply(create_at(&acme(), NOW)).unwrap();
        assert_eq!(reader.summary().unwrap().last_id, count);
    }
    // Whoever reads is the last one, and nothing is lost.
    drop(writer);
    assert_eq!(reader.summary().unwrap().last_id, 3);
    drop(reader);
    assert_eq!(SqliteStore::open(&path).unwrap().summary().unwrap().last_id, 3);
}

/// A process with 50 acknowledged models is killed, and its database moved away and back.
#[test]
fn place_1_nothing_is_opened_beside_a_log_that_has_lost_its_database() {
    if let Some(path) = env::var_os(FILE) {
        let store = SqliteStore::open(path).unwrap();
        (0..50).for_each(|_| drop(store.apply(create_at(&acme(), NOW)).unwrap()));
        println!("done");
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }
    let (folder, path) = place();
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["--exact", "place_1_nothing_is_opened_beside_a_log_that_has_lost_its_database"])
        .arg("--nocapture")
        .env(FILE, &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let mut out = process.stdout.take().unwrap();
    while !String::from_utf8_lossy(&said).contains("done") {
        let mut byte = [0];
        assert_eq!(out.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&said));
        said.extend(byte);
    }
    process.kill().unwrap();
    process.wait().unwrap();

    let (moved, copy) = (folder.path().join("moved.db"), folder.path().join("copy.db"));
    SqliteStore::open(&copy).unwrap().close().unwrap();
    fs::rename(&path, &moved).unwrap();
    let before = files(folder.path());
    let log = folder.path().join("custom-models.db-wal");
    assert!(before.get(&log).unwrap().len() > 50_000);
    let restored = SqliteStore::restore(&copy, &path).unwrap_err();
    let mut errors = vec![restored];
    errors.extend(ALL.into_iter().map(|mode| refused(&path, mode)));
    // An empty file is as good as none.
    fs::write(&path, "").unwrap();
    errors.extend(ALL.into_iter().map(|mode| refused(&path, mode)));
    fs::remove_file(&path).unwrap();
    for error in errors {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let cause = error.source().unwrap().to_string();
        assert!(cause.contains(log.to_str().unwrap()), "{cause}");
    }
    assert_eq!(files(folder.path()), before);
    fs::rename(&moved, &path).unwrap();
    for mode in [OpenMode::ReadOnly, OpenMode::Current] {
        let store = SqliteStore::open_as(&path, mode).unwrap();
        assert_eq!(store.summary().unwrap().last_id, 50, "{mode:?}");
    }
}

/// SQLite names the log after the file that a link leads to.
#[cfg(unix)]
#[test]
fn place_1_a_link_is_followed_and_one_to_nothing_refused() {
    let (folder, path) = place();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for mode in ALL {
        assert_eq!(refused(&link, mode).kind(), StoreErrorKind::Unavailable, "{mode:?}");
    }
    assert!(!path.exists());
    SqliteStore::open(&path).unwrap().close().unwrap();
    let store = SqliteStore::open(&link).unwrap();
    store.apply(create_at(&acme(), NOW)).unwrap();
    let reader = SqliteStore::open_as(&path, OpenMode::ReadOnly).unwrap();
    assert_eq!(reader.summary().unwrap().last_id, 1);
}
