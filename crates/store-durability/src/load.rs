//! The load: threads that create, change, train and delete models of several organisations until they are
//! stopped, and report every acknowledgement of the engine.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use custom_models_core::store::Store;
use custom_models_training_data::ContentStore;

use crate::worker::Worker;
use crate::{BoxError, Line};

/// An organisation of the load.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Member {
    /// Its name.
    pub organisation: &'static str,
    /// The number of models that its plan allows.
    pub limit: Option<u64>,
}

/// The organisations of the load. Those with a limit reach it soon.
pub const MEMBERS: [Member; 6] = [
    Member { organisation: "north", limit: None },
    Member { organisation: "south", limit: None },
    Member { organisation: "east", limit: None },
    Member { organisation: "five", limit: Some(5) },
    Member { organisation: "twenty", limit: Some(20) },
    Member { organisation: "fifty", limit: Some(50) },
];

/// The number of errors after which a thread gives up. More than one, to detect a store that acknowledges a
/// write after an error.
pub(crate) const PATIENCE: u32 = 3;

/// The parameters of a load.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Task {
    /// The kind of the store, or the name of a control.
    pub kind: String,
    /// The path of the store.
    pub place: PathBuf,
    /// The number of the run, unique within the test.
    pub run: u32,
    /// The seed of the load's random choices.
    pub seed: u64,
    /// The number of threads.
    pub threads: u32,
    /// True to upload data, whose files are synced. On the same file system that may also sync what the store
    /// forgot to sync.
    pub uploads: bool,
    /// The number of steps of each thread; `None` to run until it is killed.
    pub steps: Option<u32>,
}

impl Task {
    /// Returns the command line of the task.
    pub fn to_arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            self.kind.clone(),
            self.place.display().to_string(),
            self.run.to_string(),
            self.seed.to_string(),
            self.threads.to_string(),
            self.uploads.to_string(),
        ];
        arguments.extend(self.steps.map(|steps| steps.to_string()));
        arguments
    }

    /// Parses the task from a command line.
    pub fn from_arguments(arguments: impl Iterator<Item = String>) -> Result<Self, BoxError> {
        let mut arguments = arguments;
        let mut next = |what: &str| arguments.next().ok_or_else(|| format!("no {what} is given"));
        Ok(Task {
            kind: next("store")?,
            place: next("place")?.into(),
            run: next("run")?.parse()?,
            seed: next("seed")?.parse()?,
            threads: next("number of threads")?.parse()?,
            uploads: next("word about uploads")?.parse()?,
            steps: next("number of steps").ok().map(|steps| steps.parse()).transpose()?,
        })
    }

    /// Runs the load on a store and its folder of training data.
    pub fn run(
        &self,
        store: &Arc<dyn Store>,
        contents: &Arc<dyn ContentStore>,
        output: &Output,
    ) -> Result<(), BoxError> {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads)
                .map(|thread| {
                    let worker = move || Worker::new(self, thread, store, contents)?.work(output);
                    scope.spawn(worker)
                })
                .collect();
            for thread in threads {
                thread.join().map_err(|_| "a thread of the load panicked")??;
            }
            Ok(())
        })
    }
}

/// The output for lines: unbuffered, with one write per line, so that a line is in the pipe even if the
/// process dies right after.
pub struct Output(File);

impl Output {
    /// Creates the output for standard output.
    pub fn stdout() -> io::Result<Self> {
        Ok(Output(io::stdout().as_fd().try_clone_to_owned()?.into()))
    }

    /// Writes a line.
    pub fn say(&self, line: &Line) -> io::Result<()> {
        (&self.0).write_all(format!("{line}\n").as_bytes())
    }
}

/// Formats an error with all of its causes.
pub(crate) fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
