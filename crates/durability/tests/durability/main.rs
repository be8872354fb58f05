//! Tests of stores against the death of their process, power cuts and full disks, and of the order of writes
//! and syncs by which stores survive these.
//!
//! Tests that mount file systems need root and `CUSTOM_MODELS_MOUNT_TESTS=1`; otherwise they are reported as
//! ignored. See the crate's README.

mod full_disk;
mod ledger;
mod power_loss;
mod process_death;
mod sync_order;

use std::env;
use std::path::PathBuf;
use std::process::Command;

use custom_models_durability::{BoxError, Ledger, StoreKind, Task, ensure, explain};
use fastrand::Rng;
use libtest_mimic::{Arguments, Trial};

/// The default seed of a run's random choices, without `CUSTOM_MODELS_SEED`.
const SEED: u64 = 42;

/// The number of kills or power cuts of a store.
const ROUNDS: u32 = 15;

fn main() -> Result<(), BoxError> {
    let mut arguments = Arguments::from_args();
    // The tests wait for the disk most of the time.
    arguments.test_threads.get_or_insert(8);
    let seed = env::var("CUSTOM_MODELS_SEED").ok().map_or(Ok(SEED), |seed| seed.parse())?;
    let mounts = is_asked_for("CUSTOM_MODELS_MOUNT_TESTS");
    let traces = is_asked_for("CUSTOM_MODELS_STRACE_TESTS") || sync_order::is_possible();
    let mut trials = Vec::new();
    let mut add = |name: String, is_wanted: bool, test: Test| {
        let run = move || {
            let result = test(&mut Rng::with_seed(seed));
            result
                .map_err(|cause| format!("{} (CUSTOM_MODELS_SEED={seed})", explain(&*cause)).into())
        };
        trials.push(Trial::test(name, run).with_ignored_flag(!is_wanted));
    };
    for kind in StoreKind::DURABLE {
        let name = |what: &str| format!("{kind}_{what}");
        add(name("model_6_survives_kills"), true, test(kind, process_death::survives));
        add(name("model_6_survives_power_cuts"), mounts, test(kind, power_loss::survives));
        add(
            name("model_6_is_durable_from_its_first_model"),
            mounts,
            test(kind, power_loss::survives_when_new),
        );
        add(name("works_again_after_a_full_disk"), mounts, test(kind, full_disk::works_again));
        add(
            name("says_that_a_new_disk_is_full"),
            mounts,
            test(kind, full_disk::full_from_the_start),
        );
        add(name("model_6_syncs_before_it_acknowledges"), traces, test(kind, sync_order::is_kept));
    }
    let name = "model_1_only_ids_that_were_never_acknowledged_come_again".to_owned();
    add(name, true, Box::new(ledger::lets_ids_come_again_that_were_only_seen));
    let name = "data_4_uploads_are_refused_on_a_full_disk".to_owned();
    add(name, mounts, Box::new(full_disk::uploads_are_refused));
    let mut control = |name: &str, is_wanted: bool, test: fn(&mut Rng) -> Result<(), BoxError>| {
        add(format!("control_{name}"), is_wanted, Box::new(test));
    };
    control("unsynced_sqlite_loses_at_power_cuts", mounts, power_loss::unsynced_sqlite_loses);
    control("unsynced_files_lose_at_power_cuts", mounts, power_loss::unsynced_files_lose);
    control("flush_only_sled_loses_at_power_cuts", mounts, power_loss::flush_only_sled_loses);
    control(
        "a_load_that_ends_without_a_line_is_noticed",
        true,
        process_death::a_silent_end_is_noticed,
    );
    control("unsynced_sqlite_is_seen_by_strace", traces, sync_order::unsynced_sqlite_is_seen);
    control("flush_only_sled_is_seen_by_strace", traces, sync_order::flush_only_sled_is_seen);
    libtest_mimic::run(&arguments, trials).exit()
}

type Test = Box<dyn FnOnce(&mut Rng) -> Result<(), BoxError> + Send>;

fn test(kind: StoreKind, test: fn(StoreKind, &mut Rng) -> Result<(), BoxError>) -> Test {
    Box::new(move |random| test(kind, random))
}

fn is_asked_for(variable: &str) -> bool {
    env::var(variable).is_ok_and(|value| value == "1")
}

/// Returns a load that runs until it is killed, and uploads in every second run.
fn endless(kind: &str, place: PathBuf, run: u32, random: &mut Rng) -> Task {
    let (seed, uploads) = (random.u64(..), run.is_multiple_of(2));
    Task { kind: kind.to_owned(), place, run, seed, threads: 4, uploads, steps: None }
}

/// Returns the command of a load as a separate process.
fn load(task: &Task) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_custom-models-load"));
    command.args(task.to_arguments());
    command
}

/// Returns the number of acknowledgements after which a load is stopped: at once, early, late, and sometimes
/// so late that SQLite has made a checkpoint.
fn moment(run: u32, random: &mut Rng) -> usize {
    match run % 16 {
        6 => random.usize(2500..=3000),
        1 | 4 | 9 | 12 => random.usize(0..=500),
        2 | 7 | 10 | 15 => random.usize(0..=50),
        _ => random.usize(0..=10),
    }
}

/// Checks that a test has observed what it is about.
fn has_seen_enough(ledger: &Ledger) -> Result<(), BoxError> {
    let tally = ledger.tally();
    ensure!(
        [tally.created, tally.changed, tally.beaten, tally.pairs, tally.deleted, tally.at_limit]
            .into_iter()
            .all(|count| count > 0),
        "the load was no test: {tally:?}"
    );
    Ok(())
}
