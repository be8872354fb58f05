//! A worker: claims trainings, has a program do them, and reports.

mod lease;
mod trainer;
mod training_input;

use std::cell::Cell;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use custom_models_core::engine::Claimed;
use custom_models_core::model::{
    Course, Edit, Expected, LeaseTime, Progress, TrainingMetrics, TrainingStatus,
};
use custom_models_core::store::OpenMode;
use custom_models_core::tenant::Actor;
use custom_models_core::{Caller, CustomModel, Engine, Plan, Refusal};
use custom_models_training_data::{ContentStore, Folder};

use self::lease::{Lease, is_transient, retry_while};
use self::trainer::{Trainer, TrainerOutput};
use self::training_input::training_input;
use crate::args::work::WorkArgs;
use crate::config::data_folder::DataFolder;
use crate::config::global::Global;
use crate::output::failure::Failure;
use crate::output::report::Report;

/// The time between two looks at the program and at whether the worker is told to end.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Works until it is told to end; with `--once`, until no training waits.
pub(crate) fn work(global: &Global, args: &WorkArgs) -> Report {
    match worked(global, args) {
        Ok(failed) if args.once => Report::answer(None).and_found(failed),
        Ok(_) => Report::answer(None),
        Err(failure) => Report::failure(failure, &global.store),
    }
}

/// A line about trainings that failed, if any did.
fn worked(global: &Global, args: &WorkArgs) -> Result<Vec<String>, Failure> {
    let time = LeaseTime::new(args.lease.get())
        .map_err(|error| Failure::WrongUsage(format!("--lease: {error}")))?;
    let stop = shutdown_signal()?;
    crate::output::stderr::say_panics();
    let store = global.store.opener(OpenMode::Existing)?()?;
    let worker = Worker {
        folder: DataFolder::of(global, &store)?,
        engine: Engine::new(store, SystemTime::now),
        command: args.command.clone(),
        time,
        stop,
        failures: Cell::new(0),
    };
    let done = worker.run(args);
    worker.engine.close()?;
    done?;
    Ok(match worker.failures.get() {
        0 => Vec::new(),
        1 => vec!["1 training failed".to_owned()],
        more => vec![format!("{more} trainings failed")],
    })
}

struct Worker {
    engine: Engine,
    folder: DataFolder,
    command: String,
    time: LeaseTime,
    stop: Arc<AtomicBool>,
    /// The number of trainings that failed.
    failures: Cell<u64>,
}

/// The end of a training, as its worker sees it.
enum End {
    /// It ended well, and was reported.
    Succeeded,
    /// It failed with this error, and was reported.
    Failed(String),
    /// It was called off: nothing is to be reported.
    Cancelled,
    /// The lease ran out, or another worker has the training: nothing is to be reported.
    Lost,
    /// The worker is told to end. The training is claimed again when the lease has run out.
    Stopped,
}

impl Worker {
    fn run(&self, args: &WorkArgs) -> Result<(), Failure> {
        let organisation = args.only.as_ref();
        while !self.is_stopped() {
            // Before each claim: a training without its files ends as one that is done.
            let contents = self.folder.open_for_reading()?;
            match self.engine.claim(&Actor::COMMAND_LINE, organisation, self.time) {
                Ok(Some(claimed)) => self.train(&claimed, contents.as_deref())?,
                Ok(None) if args.once => return Ok(()),
                Ok(None) => self.pause(args.poll.get()),
                Err(refusal) => return Err(refusal.into()),
            }
        }
        Ok(())
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn pause(&self, span: Duration) {
        let end = Instant::now() + span;
        while !self.is_stopped() && Instant::now() < end {
            thread::sleep(POLL_INTERVAL.min(span));
        }
    }

    fn train(&self, claimed: &Claimed, contents: Option<&Folder>) -> Result<(), Failure> {
        say(claimed, "is being trained");
        match self.trained(claimed, contents)? {
            End::Succeeded => say(claimed, "is trained"),
            End::Failed(error) => {
                self.failures.set(self.failures.get().saturating_add(1));
                say(claimed, &format!("failed: {error}"));
            }
            End::Cancelled => say(claimed, "is not trained: the training was called off"),
            End::Lost => say(
                claimed,
                "is not trained by this worker any more: its lease ran out, or another has the training",
            ),
            End::Stopped => say(claimed, "is left for another worker"),
        }
        Ok(())
    }

    fn trained(&self, claimed: &Claimed, contents: Option<&Folder>) -> Result<End, Refusal> {
        let lease = &Lease::new(claimed, self.time);
        let (organisation, id) = (&claimed.organisation, claimed.model.id);
        let (variables, input) =
            training_input(claimed, |file| contents?.path(organisation, id, &file.content));
        let mut trainer = match Trainer::start(&self.command, &variables, input) {
            Ok(trainer) => trainer,
            Err(error) => {
                return self.failed(lease, format!("the program did not start: {error}"));
            }
        };
        let mut shown = Progress::NONE;
        loop {
            let progress = trainer.progress_beyond(shown, POLL_INTERVAL);
            match trainer.ended() {
                Ok(Some((status, output))) => return self.ended(lease, status, output),
                // A program that was done before the worker was told to end is reported.
                Ok(None) if self.is_stopped() => return Ok(End::Stopped),
                Ok(None) => {}
                Err(error) => return self.failed(lease, format!("the program was lost: {error}")),
            }
            if lease.is_due() || progress > shown {
                shown = progress;
                if let Some(end) = self.heartbeat(lease, progress)? {
                    return Ok(end);
                }
            }
        }
    }

    /// Reports what came of a trainer.
    fn ended(
        &self,
        lease: &Lease<'_>,
        status: ExitStatus,
        output: TrainerOutput,
    ) -> Result<End, Refusal> {
        let unreadable =
            output.unreadable.map(|why| format!("its line of metrics cannot be read: {why}"));
        let how = format!("the program ended with {status}");
        let why = match output.metrics {
            Some(metrics) if status.success() => {
                let rejected =
                    metrics.rejected.map(|it| format!("of its metrics these are left out: {it}"));
                let end = self.succeeded(lease, metrics.metrics)?;
                if matches!(end, End::Succeeded) {
                    let faults = rejected.into_iter().chain(unreadable);
                    faults.for_each(|it| say(lease.claimed, &format!("is trained, but {it}")));
                }
                return Ok(end);
            }
            _ if !status.success() => how,
            _ => match unreadable {
                Some(unreadable) => format!("{how}, and {unreadable}"),
                None => format!("{how} and without metrics"),
            },
        };
        let room = Course::MAX_ERROR_CHARACTERS.saturating_sub(why.chars().count() + 2);
        match output.errors.end(room).as_str() {
            "" => self.failed(lease, why),
            end => self.failed(lease, format!("{why}: {end}")),
        }
    }

    fn heartbeat(&self, lease: &Lease<'_>, progress: Progress) -> Result<Option<End>, Refusal> {
        let (fence, time, asked) = (lease.claimed.fence, lease.time(), Instant::now());
        match self.edit(lease, &Edit::Beat { fence, progress, time }) {
            Ok(()) => {
                lease.extend(asked);
                Ok(None)
            }
            Err(Refusal::LeaseLost | Refusal::ModelNotFound) => Ok(Some(self.lost(lease))),
            // Tried again at the next look.
            Err(refusal) if is_transient(&refusal) && !lease.has_run_out() => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    fn succeeded(&self, lease: &Lease<'_>, metrics: TrainingMetrics) -> Result<End, Refusal> {
        let edit = Edit::Succeed { fence: lease.claimed.fence, metrics };
        let lost = self.report(lease, &edit, TrainingStatus::Success)?;
        Ok(lost.unwrap_or(End::Succeeded))
    }

    fn failed(&self, lease: &Lease<'_>, error: String) -> Result<End, Refusal> {
        let edit = Edit::Fail { fence: lease.claimed.fence, error: error.clone() };
        let lost = self.report(lease, &edit, TrainingStatus::Failed)?;
        Ok(lost.unwrap_or(End::Failed(error)))
    }

    /// Reports the end of a training, again and again while the lease lasts if the store has a fault
    /// that may pass; the result is how it was lost, if it was.
    fn report(
        &self,
        lease: &Lease<'_>,
        edit: &Edit,
        status: TrainingStatus,
    ) -> Result<Option<End>, Refusal> {
        let tries = Cell::new(0_u32);
        let attempt = || {
            tries.set(tries.get().saturating_add(1));
            self.edit(lease, edit)
        };
        let go_on = || {
            self.pause(POLL_INTERVAL);
            !self.is_stopped() && !lease.has_run_out()
        };
        match retry_while(attempt, go_on) {
            Ok(()) => Ok(None),
            Err(Refusal::LeaseLost | Refusal::ModelNotFound) => {
                // A try of unknown outcome may have been the one that counts.
                let is_reported = |model: &CustomModel| model.training_status() == status;
                let is_made = tries.get() > 1 && self.model(lease).is_ok_and(|it| is_reported(&it));
                Ok(if is_made { None } else { Some(self.lost(lease)) })
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Tells why the lease is gone, as far as the model shows it.
    fn lost(&self, lease: &Lease<'_>) -> End {
        use TrainingStatus::{NotRunning, ReadyToRun};
        match self.model(lease).map(|model| model.training_status()) {
            // No model is deleted while its training runs.
            Ok(NotRunning | ReadyToRun) | Err(Refusal::ModelNotFound) => End::Cancelled,
            _ => End::Lost,
        }
    }

    fn model(&self, lease: &Lease<'_>) -> Result<CustomModel, Refusal> {
        self.engine.get(&caller(lease), lease.claimed.model.id)
    }

    fn edit(&self, lease: &Lease<'_>, edit: &Edit) -> Result<(), Refusal> {
        let (caller, id) = (caller(lease), lease.claimed.model.id);
        self.engine.edit(&caller, id, edit.clone(), &Expected::Anything).map(drop)
    }
}

fn caller(lease: &Lease<'_>) -> Caller {
    let organisation = lease.claimed.organisation.clone();
    Caller::new(organisation, Plan::enterprise()).acting_as(Actor::COMMAND_LINE)
}

/// A line for whoever looks at the terminal, who may be gone.
fn say(claimed: &Claimed, what: &str) {
    crate::output::stderr::say(&format!(
        "model {} of {} {what}",
        claimed.model.id, claimed.organisation
    ));
}

/// Set when the process is told to end by SIGTERM or Ctrl-C.
fn shutdown_signal() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| Failure::WrongUsage(format!("signals cannot be heard: {error}")))?;
    }
    Ok(stop)
}
