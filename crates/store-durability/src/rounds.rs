//! The loads that tests start as processes, and the choices of each round.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use fastrand::Rng;

use crate::{BoxError, Ledger, Task, ensure};

/// The number of kills or power cuts of a store.
pub(crate) const ROUNDS: u32 = 15;

/// The first argument of the program when it is the load.
const LOAD: &str = "--custom-models-load";

/// Returns the task of this process, if a test has started it as a load.
pub fn load_task() -> Option<Result<Task, BoxError>> {
    let mut arguments = env::args().skip(1);
    (arguments.next().as_deref() == Some(LOAD)).then(|| Task::from_arguments(arguments))
}

/// Returns the command of a load as a separate process, of this program.
pub(crate) fn load(task: &Task) -> Result<Command, BoxError> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(LOAD).args(task.to_arguments());
    Ok(command)
}

/// Returns a load that runs until it is killed, and uploads in every second run.
pub(crate) fn endless(kind: &str, place: PathBuf, run: u32, random: &mut Rng) -> Task {
    let (seed, uploads) = (random.u64(..), run.is_multiple_of(2));
    Task { kind: kind.to_owned(), place, run, seed, threads: 4, uploads, steps: None }
}

/// Returns the number of acknowledgements after which a load is stopped: at once, early, late, and sometimes
/// so late that SQLite has made a checkpoint.
pub(crate) fn moment(run: u32, random: &mut Rng) -> usize {
    match run % 16 {
        6 => random.usize(2500..=3000),
        1 | 4 | 9 | 12 => random.usize(0..=500),
        2 | 7 | 10 | 15 => random.usize(0..=50),
        _ => random.usize(0..=10),
    }
}

/// Checks that a test has observed what it is about.
pub(crate) fn has_seen_enough(ledger: &Ledger) -> Result<(), BoxError> {
    let tally = ledger.tally();
    ensure!(
        [tally.created, tally.changed, tally.beaten, tally.pairs, tally.deleted, tally.at_limit]
            .into_iter()
            .all(|count| count > 0),
        "the load was no test: {tally:?}"
    );
    Ok(())
}
