//! The order of system calls: an acknowledged change was written and synced before (MODEL-6).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fastrand::Rng;
use tempfile::TempDir;

use crate::rounds::load;
use crate::{BoxError, LoadProcess, Subject, Task, Trace, ensure};

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
pub(crate) fn is_kept(kind: Subject, random: &mut Rng) -> Result<(), BoxError> {
    let log = kind.log_of().ok_or("the store names no log")?;
    let trace = trace(kind.name(), log, random)?;
    trace.judge().map_err(|early| format!("{early:?}"))?;
    Ok(())
}

/// Checks that a trace of a load shows an acknowledgement before its sync, for a control that syncs too little.
/// `kind` is the kind of its task, and `log` the file that it writes.
pub fn is_seen_unsynced(
    kind: &str,
    log: fn(&Path) -> PathBuf,
    random: &mut Rng,
) -> Result<(), BoxError> {
    let trace = trace(kind, log, random)?;
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
    let load = load(&task)?;
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
