//! The death of a process (MODEL-6).

use fastrand::Rng;
use tempfile::TempDir;

use crate::rounds::{ROUNDS, endless, has_seen_enough, load, moment};
use crate::subject::contents;
use crate::{BoxError, Ledger, Line, LoadProcess, Subject, ensure};

/// Kills processes on one place: nothing acknowledged is lost, nothing deleted is back, no id is used twice,
/// counters match rows, and no limit is exceeded.
pub(crate) fn survives(kind: Subject, random: &mut Rng) -> Result<(), BoxError> {
    let folder = TempDir::new()?;
    let place = folder.path().join("store");
    let mut ledger = Ledger::of(kind);
    let mut run = 0;
    for round in 1..=ROUNDS {
        // Every fourth time the process that recovers from a kill is killed too.
        for _ in 0..if round % 4 == 0 { 2 } else { 1 } {
            run += 1;
            let task = endless(kind.name(), place.clone(), run, random);
            let mut process = LoadProcess::start(load(&task)?)?;
            process.await_acknowledgements(moment(run, random))?;
            let lines = process.kill()?;
            let fault = lines.iter().find(|line| matches!(line, Line::Failed(_)));
            ensure!(fault.is_none(), "run {run}: {fault:?}");
            ledger.note(run, &lines)?;
        }
        let store = kind.open(&place)?;
        let files = contents(&place, &store)?;
        ledger.check(&store, &*files).map_err(|cause| format!("after kill {run}: {cause}"))?;
        store.close()?;
    }
    has_seen_enough(&ledger)
}
