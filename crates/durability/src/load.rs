//! The load: threads that create and delete models of several organisations for as long as they
//! are let, and say every acknowledgement after the engine gave it.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use custom_models_core::{
    Caller, CreateModel, Engine, ListModels, ModelId, ModelStore, PerPage, Refusal, Start,
};

use crate::{BoxError, Line, Token, callers, sample};

/// An organisation that the load works for.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name.
    pub organisation: &'static str,
    /// How many models its plan allows.
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

/// How many faults a thread hears before it gives up. More than one, so that a store which
/// acknowledges something after a fault, and should not, is heard.
pub const PATIENCE: u32 = 3;

/// What a load is to do.
#[derive(Clone, Debug)]
pub struct Task {
    /// The store's kind, or that of a control.
    pub kind: String,
    /// Where the store lives.
    pub place: PathBuf,
    /// The run's number, which no other run of the test has.
    pub run: u32,
    /// What the load's choices follow from.
    pub seed: u64,
    /// How many threads.
    pub threads: u32,
    /// After how many steps each thread ends; without, it goes on until it is killed.
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
        ];
        arguments.extend(self.steps.map(|steps| steps.to_string()));
        arguments
    }

    /// What a command line asks for.
    pub fn from_arguments(arguments: impl Iterator<Item = String>) -> Result<Self, BoxError> {
        let mut arguments = arguments;
        let mut next = |what: &str| arguments.next().ok_or_else(|| format!("no {what} is given"));
        Ok(Task {
            kind: next("store")?,
            place: next("place")?.into(),
            run: next("run")?.parse()?,
            seed: next("seed")?.parse()?,
            threads: next("number of threads")?.parse()?,
            steps: next("number of steps").ok().map(|steps| steps.parse()).transpose()?,
        })
    }

    /// Runs the load on a store.
    pub fn run(&self, store: &Arc<dyn ModelStore>, output: &Output) -> Result<(), BoxError> {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads)
                .map(|thread| scope.spawn(move || Worker::new(self, thread, store)?.work(output)))
                .collect();
            for thread in threads {
                thread.join().map_err(|_| "a thread of the load panicked")??;
            }
            Ok(())
        })
    }
}

/// Where the lines go: unbuffered, each in one write, so that what was said is in the pipe even if
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

/// Asks an engine for the models that tokens stand for.
pub struct Author {
    engine: Engine,
    /// What the engine's clock shows, in seconds since 1970.
    clock: Arc<AtomicU64>,
}

impl Author {
    /// An author with an engine of its own over a store.
    pub fn new(store: &Arc<dyn ModelStore>) -> Self {
        let clock = Arc::new(AtomicU64::new(0));
        let shown = Arc::clone(&clock);
        let now = move || UNIX_EPOCH + Duration::from_secs(shown.load(Ordering::Relaxed));
        Author { engine: Engine::new(Arc::clone(store), now), clock }
    }

    /// Creates the model of a token; the line is what is to be said about it.
    pub fn create(&self, caller: &Caller, token: Token) -> Result<Result<Line, Refusal>, BoxError> {
        let model = sample(token)?;
        self.clock.store(u64::try_from(model.created_at.unix_seconds())?, Ordering::Relaxed);
        let request = CreateModel {
            name: model.name,
            language: model.language,
            base_model: model.base_model,
            description: model.description,
        };
        let organisation = caller.organisation().to_string();
        let created = self.engine.create(caller, request);
        Ok(created.map(|model| Line::Created { id: model.id, organisation, token }))
    }
}

/// One thread of the load.
struct Worker<'a> {
    task: &'a Task,
    thread: u32,
    author: Author,
    callers: Vec<Caller>,
    random: fastrand::Rng,
    created: u32,
    last_id: u64,
}

impl<'a> Worker<'a> {
    fn new(task: &'a Task, thread: u32, store: &Arc<dyn ModelStore>) -> Result<Self, BoxError> {
        Ok(Worker {
            task,
            thread,
            author: Author::new(store),
            callers: callers()?,
            random: fastrand::Rng::with_seed(task.seed ^ u64::from(thread)),
            created: 0,
            last_id: 1,
        })
    }

    fn work(mut self, output: &Output) -> Result<(), BoxError> {
        let mut faults = 0;
        let mut step = 0;
        while faults < PATIENCE && self.task.steps.is_none_or(|steps| step < steps) {
            step += 1;
            let caller = self.random.choice(&self.callers).ok_or("no callers")?.clone();
            // More creates than deletes, so that the store grows and limits are reached.
            let result = if self.random.u8(0..10) < 6 {
                self.create(&caller, output)
            } else {
                self.delete(&caller, output)
            };
            match result? {
                Ok(()) => {}
                Err(Refusal::QuotaExceeded { .. }) => output.say(&Line::AtLimit)?,
                // Another thread was faster.
                Err(Refusal::ModelNotFound) => {}
                Err(refusal) => {
                    faults += 1;
                    output.say(&Line::Failed(explain(&refusal)))?;
                }
            }
        }
        Ok(())
    }

    fn create(
        &mut self,
        caller: &Caller,
        output: &Output,
    ) -> Result<Result<(), Refusal>, BoxError> {
        let token = Token { run: self.task.run, thread: self.thread, number: self.created };
        self.created += 1;
        let line = match self.author.create(caller, token)? {
            Ok(line) => line,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Line::Created { id, .. } = &line {
            self.last_id = id.get();
        }
        output.say(&line)?;
        Ok(Ok(()))
    }

    /// Deletes one of the organisation's models, wherever it comes from.
    fn delete(
        &mut self,
        caller: &Caller,
        output: &Output,
    ) -> Result<Result<(), Refusal>, BoxError> {
        let after = ModelId::new(self.random.u64(1..=self.last_id))?;
        let some = ListModels {
            start: Start::After(after),
            per_page: PerPage::new(10)?,
            ..ListModels::default()
        };
        let page = match self.author.engine.list(caller, &some) {
            Ok(page) => page,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(model) = self.random.choice(page.result) else {
            return Ok(Ok(()));
        };
        let organisation = caller.organisation().to_string();
        output.say(&Line::Deleting { id: model.id, organisation: organisation.clone() })?;
        if let Err(refusal) = self.author.engine.delete(caller, model.id) {
            return Ok(Err(refusal));
        }
        output.say(&Line::Deleted { id: model.id, organisation })?;
        Ok(Ok(()))
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
