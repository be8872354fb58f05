//! The load: threads that create, change, train and delete models of several organisations for as
//! long as they are let, and say every acknowledgement after the engine gave it.

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

/// An organisation that the load works for.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name.
    pub organisation: &'static str,
    /// The number of models that its plan allows.
    pub limit: Option<u64>,
}

/// The organisations that the load works for. Those with a limit reach it soon.
pub const MEMBERS: [Member; 6] = [
    Member { organisation: "north", limit: None },
    Member { organisation: "south", limit: None },
    Member { organisation: "east", limit: None },
    Member { organisation: "five", limit: Some(5) },
    Member { organisation: "twenty", limit: Some(20) },
    Member { organisation: "fifty", limit: Some(50) },
];

/// The number of faults that a thread hears before it gives up. More than one, so that a store which
/// acknowledges something after a fault, and should not, is heard.
pub const PATIENCE: u32 = 3;

/// The parameters of a load.
#[derive(Clone, Debug)]
pub struct Task {
    /// The store's kind, or that of a control.
    pub kind: String,
    /// The path of the store.
    pub place: PathBuf,
    /// The run's number, which no other run of the test has.
    pub run: u32,
    /// The seed of the load's random choices.
    pub seed: u64,
    /// The number of threads.
    pub threads: u32,
    /// True if data is uploaded. Its files are synced. On the same file system that may also sync
    /// what the store forgot to sync.
    pub uploads: bool,
    /// The number of steps after which each thread ends; without, it goes on until it is killed.
    pub steps: Option<u32>,
}

impl Task {
    /// The command line that asks for it.
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

    /// Parses the task that a command line asks for.
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

    /// Runs the load on a store and the files of its data.
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

/// The destination of the lines: unbuffered, each in one write, so that what was said is in the pipe even if
/// the process dies in the next instant.
pub struct Output(File);

impl Output {
    /// The standard output.
    pub fn stdout() -> io::Result<Self> {
        Ok(Output(io::stdout().as_fd().try_clone_to_owned()?.into()))
    }

    /// Says a line.
    pub fn say(&self, line: &Line) -> io::Result<()> {
        (&self.0).write_all(format!("{line}\n").as_bytes())
    }
}

/// An error with all of its causes.
pub fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
