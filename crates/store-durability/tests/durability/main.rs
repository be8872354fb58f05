//! Tests of the stores on one machine, and the controls that must lose data.
//!
//! `cargo test -p custom-models-store-durability`

mod control;
mod ledger;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use custom_models_store_durability::{
    BoxError, LoadProcess, Needs, Output, Subject, Task, Trials, ids, is_seen_unsynced, load_task,
    loses, run_load, run_tests_and, uploads_are_refused,
};
use custom_models_store_sled::SledStore;
use custom_models_store_sqlite::SqliteStore;

use self::control::{UnsyncedFiles, UnsyncedSqlite};

/// `SqliteStore`.
const SQLITE: Subject =
    Subject::new("sqlite", |place| Ok(Arc::new(SqliteStore::open(place)?))).log(write_ahead_log);

/// `SledStore`. A read may see a model before it is durable, as the adapter documents.
const SLED: Subject = Subject::new("sled", |place| Ok(Arc::new(SledStore::open(place)?)))
    .shows_early()
    .unsure_when_full()
    .log(sled_log);

/// `SledStore` with sled's own flush alone: a control that must lose data at a power cut.
const FLUSH_ONLY_SLED: Subject =
    Subject::new("flush-only-sled", |place| Ok(Arc::new(SledStore::open_flush_only(place)?)))
        .shows_early()
        .log(sled_log);

fn write_ahead_log(place: &Path) -> PathBuf {
    let mut path = place.as_os_str().to_owned();
    path.push("-wal");
    path.into()
}

fn sled_log(place: &Path) -> PathBuf {
    place.join("db")
}

fn main() -> Result<(), BoxError> {
    match load_task() {
        Some(task) => run(&task?),
        None => run_tests_and(&[SQLITE, SLED], add),
    }
}

/// Runs a load, on a store or of a control.
fn run(task: &Task) -> Result<(), BoxError> {
    match &*task.kind {
        UnsyncedSqlite::WORD => UnsyncedSqlite::open(&task.place)?.run(task, &Output::stdout()?),
        UnsyncedFiles::WORD => UnsyncedFiles::open(&task.place)?.run(task, &Output::stdout()?),
        _ => run_load(task, &[SQLITE, SLED, FLUSH_ONLY_SLED]),
    }
}

fn add(trials: &mut Trials) {
    trials.add(
        "model_1_only_ids_that_were_never_acknowledged_come_again",
        Needs::Nothing,
        ledger::lets_ids_come_again_that_were_only_seen,
    );
    trials.add("data_4_uploads_are_refused_on_a_full_disk", Needs::Mounts, |_| {
        uploads_are_refused(SQLITE)
    });
    trials.add("control_unsynced_sqlite_loses_at_power_cuts", Needs::Mounts, |random| {
        loses(UnsyncedSqlite::WORD, random, |place| UnsyncedSqlite::open(place)?.ids())
    });
    // Files without a sync are lost.
    trials.add("control_unsynced_files_lose_at_power_cuts", Needs::Mounts, |random| {
        loses(UnsyncedFiles::WORD, random, |place| UnsyncedFiles::open(place)?.ids())
    });
    // Sled's own flush loses data, so the additional sync of the adapter is needed.
    trials.add("control_flush_only_sled_loses_at_power_cuts", Needs::Mounts, |random| {
        loses(FLUSH_ONLY_SLED.name(), random, |place| {
            let store = FLUSH_ONLY_SLED.open(place)?;
            let present = ids(&*store);
            store.close()?;
            present
        })
    });
    trials.add("control_a_load_that_ends_without_a_line_is_noticed", Needs::Nothing, |_| {
        let mut command = Command::new("sh");
        command.args(["-c", "exec sleep 600 >&-"]);
        LoadProcess::start(command)?.await_faults(1)
    });
    trials.add("control_unsynced_sqlite_is_seen_by_strace", Needs::Traces, |random| {
        is_seen_unsynced(UnsyncedSqlite::WORD, write_ahead_log, random)
    });
    trials.add("control_flush_only_sled_is_seen_by_strace", Needs::Traces, |random| {
        is_seen_unsynced(FLUSH_ONLY_SLED.name(), sled_log, random)
    });
}
