//! Tests in which a reader marks the database broken while the writer uses it.

use std::cell::Cell;
use std::error::Error;
use std::fs::File;
use std::time::SystemTime;

use custom_models_core::store::OpenMode;
use tempfile::TempDir;

use super::*;
use crate::database::recorder::{Fault, Recorder};

fn database() -> (TempDir, Recorder, Database) {
    let temporary = tempfile::tempdir().unwrap();
    let recorder = Recorder::default();
    let folder = Folder::open(temporary.path(), OpenMode::Create).unwrap();
    let database = Database::open(folder, recorder.clone()).unwrap();
    recorder.steps();
    (temporary, recorder, database)
}

/// Writes one row, while the database breaks during the first attempts.
fn write_among(database: &Database, breaks: usize) -> (Result<bool, StoreError>, usize) {
    let judgements = Cell::new(0);
    let judge = || {
        let judged = database.read(|db| {
            let mut changes = WriteSet::default();
            changes.set(db, b"x".to_vec(), Some(b"y".to_vec()))?;
            Ok(((), changes))
        });
        judgements.set(judgements.get() + 1);
        if judgements.get() <= breaks {
            database.mark_broken(false);
        }
        judged
    };
    let written = database.write_group(judge).map(|written| written.result.is_ok());
    (written, judgements.get())
}

#[test]
fn a_group_is_judged_again_when_the_database_broke_off_before_it_was_written() {
    for breaks in 0..MAX_ATTEMPTS {
        let (_temporary, recorder, database) = database();
        let (written, judgements) = write_among(&database, breaks);
        assert!(written.unwrap());
        assert_eq!(judgements, breaks + 1);
        let steps = [vec!["open"; breaks], vec!["apply", "flush", "sync"]].concat();
        assert_eq!(recorder.steps(), steps);
    }
}

#[test]
fn a_group_that_never_finds_the_database_open_fails_with_a_cause() {
    let (_temporary, recorder, database) = database();
    let (written, judgements) = write_among(&database, usize::MAX);
    let error = written.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Failed);
    assert!(error.source().is_some());
    assert_eq!(judgements, MAX_ATTEMPTS);
    assert!(!recorder.steps().contains(&"apply"), "tried after all");
}

#[test]
fn a_group_on_a_database_that_is_closed_meanwhile_hears_so() {
    let (_temporary, _recorder, database) = database();
    let judge = || {
        let judged = database.read(|db| {
            let mut changes = WriteSet::default();
            changes.set(db, b"x".to_vec(), Some(b"y".to_vec()))?;
            Ok(((), changes))
        });
        database.close();
        judged
    };
    let error = database.write_group(judge).err().unwrap();
    assert_eq!(error.kind(), StoreErrorKind::Closed);
}

/// A reader may have closed the database for a lesser error before the writer reports a failed
/// sync.
#[test]
fn model_6_a_doubt_about_the_log_is_heard_after_somebody_else_broke_off() {
    let log_is_written_again = |doubts: [bool; 2]| {
        let (temporary, recorder, database) = database();
        // Opening would rewrite it, too.
        recorder.tell("open", Fault::Fails(StoreErrorKind::Full));
        let log = File::options().write(true).open(temporary.path().join("db")).unwrap();
        doubts.into_iter().for_each(|is_suspect| database.mark_broken(is_suspect));
        log.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(database.read(|_| Ok(())).is_err());
        log.metadata().unwrap().modified().unwrap() > SystemTime::UNIX_EPOCH
    };
    assert!(log_is_written_again([false, true]));
    assert!(log_is_written_again([true, false]));
    assert!(!log_is_written_again([false, false]));
}

/// The state after a full disk, when the database could not be reopened.
#[test]
fn a_database_that_broke_off_is_opened_anew_beside_a_snapshot_that_is_half_made() {
    let (temporary, _, database) = database();
    assert!(write_among(&database, 0).0.unwrap());
    let half_made = temporary.path().join("snap.00000000000FFFFF.generating");
    for bytes in [&b""[..], b"half a snapshot, without its length and its checksum"] {
        database.mark_broken(false);
        std::fs::write(&half_made, bytes).unwrap();
        let row = database.read(|db| call_sled(|| db.get("x"))).unwrap();
        assert_eq!(row.as_deref(), Some(&b"y"[..]));
        assert!(!half_made.exists());
    }
}
