//! The program of the tests: it runs them, and is the load that they kill.

use std::env;

use fastrand::Rng;
use libtest_mimic::{Arguments, Trial};

use crate::rounds::load_task;
use crate::subject::contents;
use crate::{
    BoxError, Output, Subject, Task, explain, full_disk, power_loss, process_death, sync_order,
};

/// The default seed of a run's random choices, without `CUSTOM_MODELS_SEED`.
const SEED: u64 = 42;

/// The conditions of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Needs {
    /// None.
    Nothing,
    /// Mounting file systems, as root on Linux (`CUSTOM_MODELS_MOUNT_TESTS=1`).
    Mounts,
    /// strace (`CUSTOM_MODELS_STRACE_TESTS=1`).
    Traces,
}

/// The tests of a program. All share one seed.
pub struct Trials {
    seed: u64,
    trials: Vec<Trial>,
}

impl Trials {
    /// Adds a test, which gets the random generator of its choices.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        needs: Needs,
        test: impl FnOnce(&mut Rng) -> Result<(), BoxError> + Send + 'static,
    ) {
        let seed = self.seed;
        let is_wanted = match needs {
            Needs::Nothing => true,
            Needs::Mounts => is_asked_for("CUSTOM_MODELS_MOUNT_TESTS"),
            Needs::Traces => {
                is_asked_for("CUSTOM_MODELS_STRACE_TESTS") || sync_order::is_possible()
            }
        };
        let run = move || {
            let result = test(&mut Rng::with_seed(seed));
            result
                .map_err(|cause| format!("{} (CUSTOM_MODELS_SEED={seed})", explain(&*cause)).into())
        };
        self.trials.push(Trial::test(name, run).with_ignored_flag(!is_wanted));
    }

    /// Adds every test of a store that keeps acknowledged writes.
    fn add_all(&mut self, store: Subject) {
        let name = |what: &str| format!("{store}_{what}");
        self.add(name("model_6_survives_kills"), Needs::Nothing, move |random| {
            process_death::survives(store, random)
        });
        self.add(name("model_6_survives_power_cuts"), Needs::Mounts, move |random| {
            power_loss::survives(store, random)
        });
        self.add(name("model_6_is_durable_from_its_first_model"), Needs::Mounts, move |random| {
            power_loss::survives_when_new(store, random)
        });
        self.add(name("works_again_after_a_full_disk"), Needs::Mounts, move |_| {
            full_disk::works_again(store)
        });
        self.add(name("says_that_a_new_disk_is_full"), Needs::Mounts, move |_| {
            full_disk::full_from_the_start(store)
        });
        if store.log_of().is_some() {
            let test = name("model_6_syncs_before_it_acknowledges");
            self.add(test, Needs::Traces, move |random| sync_order::is_kept(store, random));
        }
    }
}

fn is_asked_for(variable: &str) -> bool {
    env::var(variable).is_ok_and(|value| value == "1")
}

/// Runs the tests of stores: the whole `main` of a test program without the standard harness.
///
/// ```no_run
/// use std::sync::Arc;
/// use custom_models_store_durability::{BoxError, Subject, run_tests};
/// # use custom_models_core::{MemoryStore, store::StoreError};
/// # struct MyStore;
/// # impl MyStore {
/// #     fn open(_: &std::path::Path) -> Result<MemoryStore, StoreError> { Ok(MemoryStore::new()) }
/// # }
///
/// fn main() -> Result<(), BoxError> {
///     run_tests(&[Subject::new("my_store", |path| Ok(Arc::new(MyStore::open(path)?)))])
/// }
/// ```
///
/// The tests start the same program again, as the load that they kill. So nothing may come before this call
/// that writes to the standard output or reads the arguments.
pub fn run_tests(stores: &[Subject]) -> Result<(), BoxError> {
    match load_task() {
        Some(task) => run_load(&task?, stores),
        None => run_tests_and(stores, |_| {}),
    }
}

/// Runs the tests of stores, and further ones. Unlike [`run_tests`] it is never the load: a caller that has
/// loads of its own asks [`load_task`] first.
pub fn run_tests_and(stores: &[Subject], more: impl FnOnce(&mut Trials)) -> Result<(), BoxError> {
    let mut arguments = Arguments::from_args();
    // The tests wait for the disk most of the time.
    arguments.test_threads.get_or_insert(8);
    let seed = env::var("CUSTOM_MODELS_SEED").ok().map_or(Ok(SEED), |seed| seed.parse())?;
    let mut trials = Trials { seed, trials: Vec::new() };
    stores.iter().for_each(|store| trials.add_all(*store));
    more(&mut trials);
    libtest_mimic::run(&arguments, trials.trials).exit()
}

/// Runs a load on the store that its task names.
pub fn run_load(task: &Task, stores: &[Subject]) -> Result<(), BoxError> {
    let found = stores.iter().find(|store| store.name() == task.kind);
    let store = found.ok_or_else(|| format!("no store `{}`", task.kind))?.open(&task.place)?;
    let contents = contents(&task.place, &store)?;
    task.run(&store, &contents, &Output::stdout()?)?;
    Ok(store.close()?)
}
