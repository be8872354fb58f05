use std::env;
use std::process;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::Programs;

/// Set where tests that need a PostgreSQL have to be run.
const MUST_RUN: &str = "CUSTOM_MODELS_POSTGRES_TESTS";

/// Tests that need a PostgreSQL.
#[derive(Debug)]
pub struct Trials {
    programs: Option<Programs>,
    trials: Vec<Trial>,
}

impl Trials {
    /// Adds a test. It fails by a panic.
    pub fn add(&mut self, name: &str, test: impl FnOnce(&Programs) + Send + 'static) {
        let programs = self.programs.clone();
        let is_ignored = programs.is_none();
        let run = move || {
            let programs = programs.ok_or_else(|| Failed::from("no PostgreSQL is installed"))?;
            test(&programs);
            Ok(())
        };
        self.trials.push(Trial::test(name, run).with_ignored_flag(is_ignored));
    }
}

/// Runs tests that need a PostgreSQL, `at_once` of them at the same time. Where none is installed they
/// are reported as ignored, and a line says why; with `CUSTOM_MODELS_POSTGRES_TESTS` set that is a
/// failure.
///
/// `shared` is what all of them share: it is made before the first, and dropped after the last.
pub fn run<S>(
    at_once: usize,
    shared: impl FnOnce(&Programs) -> S,
    add: impl FnOnce(&mut Trials, Option<&Arc<S>>),
) {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(at_once);
    let programs = Programs::find();
    if programs.is_none() {
        eprintln!("no PostgreSQL is installed (initdb): the tests below are ignored");
    }
    let wants_some = !arguments.list;
    let shared = programs.as_ref().filter(|_| wants_some).map(|it| Arc::new(shared(it)));
    let mut trials = Trials { programs, trials: Vec::new() };
    add(&mut trials, shared.as_ref());
    let lacks = trials.programs.is_none() && env::var_os(MUST_RUN).is_some();
    let conclusion = libtest_mimic::run(&arguments, trials.trials);
    // The server is stopped here, since the process ends without dropping anything.
    drop(shared);
    if lacks {
        process::exit(1);
    }
    conclusion.exit();
}
