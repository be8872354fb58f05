//! The order of system calls: an acknowledged change was written and synced before (MODEL-6).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use custom_models_durability::{
    BoxError, LoadProcess, StoreKind, Task, Trace, UnsyncedSqlite, ensure,
};
use fastrand::Rng;
use tempfile::TempDir;

use crate::load;

/// The number of steps of the traced load.
const STEPS: u32 = 60;

/// Returns true if strace is installed and allowed to trace.
pub(crate) fn is_possible() -> bool {
    let traced = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    traced.is_ok_and(|status| status.success())
}

/// Checks that before every acknowledgement the store has written to its log and synced it.
pub(crate) fn is_kept(kind: StoreKind, random: &mut Rng) -> Result<(), BoxError> {
    let trace = trace(kind.word(), |place| kind.log(place), random)?;
    trace.judge().map_err(|early| format!("{early:?}"))?;
    Ok(())
}

/// The control of this test: it detects that SQLite acknowledges unsynced changes.
pub(crate) fn unsynced_sqlite_is_seen(random: &mut Rng) -> Result<(), BoxError> {
    is_seen(&trace(UnsyncedSqlite::WORD, |place| StoreKind::Sqlite.log(place), random)?)
}

/// The control of sled's adapter: sled's own flush is not a sync.
pub(crate) fn flush_only_sled_is_seen(random: &mut Rng) -> Result<(), BoxError> {
    let kind = StoreKind::FlushOnlySled;
    is_seen(&trace(kind.word(), |place| kind.log(place), random)?)
}

fn is_seen(trace: &Trace) -> Result<(), BoxError> {
    let early = trace.judge().err().ok_or("a load that syncs nothing passed")?;
    ensure!(early.missing == "a sync", "{early:?}");
    Ok(())
}

/// Traces a load with one thread.
fn trace(kind: &str, log: impl Fn(&Path) -> PathBuf, random: &mut Rng) -> Result<Trace, BoxError> {
    let folder = TempDir::new()?;
    // strace shows files by their canonical paths.
    let place = folder.path().canonicalize()?.join("store");
    let log = log(&place);
    let output = folder.path().join("trace");
    let task = Task {
        kind: kind.to_owned(),
        place,
        run: 1,
        seed: random.u64(..),
        threads: 1,
        uploads: true,
        steps: Some(STEPS),
    };
    let load = load(&task);
    let mut strace = Command::new("strace");
    strace.args(Trace::ARGUMENTS).arg("-o").arg(&output).arg(load.get_program());
    strace.args(load.get_args());
    let said = LoadProcess::start(strace)?.finish()?;
    let said = said.iter().filter(|line| line.is_acknowledgement()).count();
    let trace = Trace::read(&fs::read_to_string(output)?, &log)?;
    let seen = trace.acknowledgements();
    ensure!(seen == said && seen > 10, "{said} acknowledgements were said and {seen} seen");
    Ok(trace)
}
