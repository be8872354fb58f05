//! Backups whose process was killed: the next one removes the leftovers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use custom_models_core::store::{ArchiveStore, ModelStore, OpenMode, StoreError, StoreErrorKind};
use custom_models_store_sqlite::SqliteStore;
use tempfile::TempDir;

use common::{NOW, place, sql};

/// The environment variable with the task of a process that is to be killed: `backup` or `restore`, and two files.
const TASK: &str = "CUSTOM_MODELS_KILLED_COPY";

fn task() -> Option<Vec<String>> {
    env::var(TASK).ok().map(|task| task.split('\n').map(str::to_owned).collect())
}

fn copy(verb: &str, from: &Path, to: &Path) -> Result<(), StoreError> {
    match verb {
        "backup" => SqliteStore::open_as(from, OpenMode::ReadOnly)?.backup(to),
        _ => SqliteStore::restore(from, to),
    }
}

/// A store that takes some time to copy.
fn large() -> (TempDir, PathBuf, PathBuf) {
    let (folder, path) = place();
    SqliteStore::open(&path).unwrap().close().unwrap();
    sql(
        &path,
        &format!(
            "WITH RECURSIVE numbers (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM numbers
                WHERE id < 40000)
            INSERT INTO models (id, organisation, revision, name, language, base_model,
                training_status, created_at, updated_at)
            SELECT id, 'acme', 1, 'n' || id, 'en', 'general', 1, {NOW}, {NOW} FROM numbers;
            INSERT INTO organisations (organisation, models) VALUES ('acme', 40000);
            UPDATE sequence SET last_id = 40000;"
        ),
    );
    let to = folder.path().join("to.db");
    (folder, path, to)
}

fn beside(to: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", to.display()))
}

fn assert_whole(path: &Path) {
    let store = SqliteStore::open_as(path, OpenMode::ReadOnly).unwrap();
    assert_eq!(store.verify().unwrap(), [""; 0]);
    assert_eq!(store.summary().unwrap().last_id, 40_000);
}

fn names(folder: &Path) -> BTreeSet<String> {
    let names = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).collect()
}

/// Kills a backup once `is_time` returns true, or lets it finish.
fn kill(verb: &str, from: &Path, to: &Path, is_time: impl Fn() -> bool) {
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_copy_that_was_killed_leaves_its_name_free"])
        .env(TASK, format!("{verb}\n{}\n{}", from.display(), to.display()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while process.try_wait().unwrap().is_none() {
        if is_time() {
            process.kill().unwrap();
        }
    }
}

/// A backup killed at any moment is complete or absent, and the next one succeeds.
#[test]
fn a_copy_that_was_killed_leaves_its_name_free() {
    if let Some(task) = task() {
        let [verb, from, to] = task.try_into().unwrap();
        return copy(&verb, from.as_ref(), to.as_ref()).unwrap();
    }
    let (folder, path, to) = large();
    let before = fs::read(&path).unwrap();
    let (part, lock) = (beside(&to, ".part"), beside(&to, ".part.lock"));
    let mut unfinished = 0;
    for verb in ["backup", "restore"] {
        let length = || fs::metadata(&part).map_or(0, |part| part.len());
        let moments: [&dyn Fn() -> bool; 5] = [
            &|| lock.exists(),
            &|| part.exists(),
            &|| length() > 0,
            &|| length() > 1_000_000,
            &|| to.exists(),
        ];
        for moment in moments {
            kill(verb, &path, &to, moment);
            if to.exists() {
                assert_whole(&to);
                // What is there is told, and what is left beside it is removed.
                let error = copy(verb, &path, &to).unwrap_err();
                assert_eq!(error.kind(), StoreErrorKind::Unavailable);
            } else {
                unfinished += 1;
                copy(verb, &path, &to).unwrap();
            }
            assert_whole(&to);
            let expected = ["custom-models.db", "to.db"].map(str::to_owned);
            assert_eq!(names(folder.path()), BTreeSet::from(expected));
            fs::remove_file(&to).unwrap();
        }
    }
    assert!(unfinished > 0, "no process was killed in time");
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// The last step of a copy gives the file a second name before it takes the first one away.
#[test]
fn a_copy_that_was_killed_with_two_names_stays_whole() {
    for verb in ["backup", "restore"] {
        let (folder, path, to) = large();
        copy(verb, &path, &to).unwrap();
        fs::hard_link(&to, beside(&to, ".part")).unwrap();
        fs::write(beside(&to, ".part.lock"), "").unwrap();
        assert_eq!(copy(verb, &path, &to).unwrap_err().kind(), StoreErrorKind::Unavailable);
        assert_whole(&to);
        let expected = ["custom-models.db", "to.db"].map(str::to_owned);
        assert_eq!(names(folder.path()), BTreeSet::from(expected));
    }
}

#[test]
fn a_copy_that_another_process_is_making_is_left_alone() {
    for verb in ["backup", "restore"] {
        let (folder, path, to) = large();
        let (part, lock) = (beside(&to, ".part"), beside(&to, ".part.lock"));
        fs::write(&part, "half").unwrap();
        let held = File::create(&lock).unwrap();
        held.lock().unwrap();
        let error = copy(verb, &path, &to).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(lock.to_str().unwrap()), "{cause}");
        assert_eq!(fs::read(&part).unwrap(), b"half");
        // Told, since a process that another test begins may hold the file for a moment.
        held.unlock().unwrap();
        copy(verb, &path, &to).unwrap();
        assert_whole(&to);
        assert_eq!(names(folder.path()).len(), 2);
    }
}

#[test]
fn a_file_of_somebody_else_under_the_name_of_a_part_is_left_alone() {
    let (folder, path, to) = large();
    let part = beside(&to, ".part");
    fs::write(&part, "a letter").unwrap();
    let error = copy("backup", &path, &to).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains(part.to_str().unwrap()), "{cause}");
    assert_eq!(fs::read(&part).unwrap(), b"a letter");
    assert_eq!(names(folder.path()).len(), 2);
}

/// Of concurrent backups to one name, one succeeds.
#[test]
fn of_copies_at_the_same_time_one_is_made() {
    let (folder, path, to) = large();
    let made = std::thread::scope(|scope| {
        let copies: Vec<_> =
            (0..6).map(|_| scope.spawn(|| copy("backup", &path, &to).is_ok())).collect();
        copies.into_iter().map(|it| it.join().unwrap()).filter(|is_made| *is_made).count()
    });
    assert_eq!(made, 1);
    assert_whole(&to);
    assert_eq!(names(folder.path()).len(), 2);
}

/// A backup is not restored to the path of an open store whose database was removed.
#[test]
fn a_store_in_use_is_not_restored_over() {
    let (folder, path, to) = large();
    copy("backup", &path, &to).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    for wal_is_empty in [true, false] {
        if !wal_is_empty {
            sql(&path, "UPDATE sequence SET last_id = 50000");
        }
        let kind = SqliteStore::restore(&to, &path).unwrap_err().kind();
        assert_eq!(kind, StoreErrorKind::Unavailable);
        fs::rename(&path, folder.path().join("moved.db")).unwrap();
        let kind = SqliteStore::restore(&to, &path).unwrap_err().kind();
        assert_eq!(kind, StoreErrorKind::Unavailable);
        assert!(!path.exists());
        fs::rename(folder.path().join("moved.db"), &path).unwrap();
    }
    assert_eq!(store.summary().unwrap().last_id, 50_000);
}
