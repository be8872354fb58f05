//! A worker: claiming trainings, running a program for each, and reporting the result.

mod copies;
mod lease;
mod trainer;
mod training_input;

use std::cell::Cell;
use std::ops::ControlFlow;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use custom_models_core::engine::Claimed;
use custom_models_core::model::{
    Edit, Expected, LeaseTime, Progress, TrainingMetrics, TrainingState, TrainingStatus,
};
use custom_models_core::store::{OpenMode, StoreErrorKind};
use custom_models_core::tenant::Actor;
use custom_models_core::{Caller, CustomModel, Engine, Plan, Refusal};
use custom_models_training_data::{ContentStore, Folder};

use self::copies::{Copied, Copies};
use self::lease::{Lease, is_transient, retry_while};
use self::trainer::{Trainer, TrainerOutput};
use self::training_input::training_input;
use crate::args::work::WorkArgs;
use crate::config::data_folder::DataFolder;
use crate::config::global::Global;
use crate::output::failure::{Failure, with_causes};
use crate::output::report::Report;

/// The interval at which the worker looks at the program and for the shutdown signal.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Works until the shutdown signal; with `--once`, until no training waits.
pub(crate) fn work(global: &Global, args: &WorkArgs) -> Report {
    match worked(global, args) {
        Ok(failed) if args.once => Report::answer(None).and_found(failed),
        Ok(_) => Report::answer(None),
        Err(failure) => Report::failure(failure, &global.store),
    }
}

/// Runs the worker. Returns a line about failed trainings, if there were any.
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
    /// It succeeded, and was reported.
    Succeeded,
    /// It failed with this error, and was reported.
    Failed(String),
    /// It was cancelled: there is nothing to report.
    Cancelled,
    /// The lease ran out, or another worker has the training: there is nothing to report.
    Lost,
    /// The worker is told to end. Another worker claims the training when the lease has run out.
    Stopped,
}

impl Worker {
    fn run(&self, args: &WorkArgs) -> Result<(), Failure> {
        let organisation = args.only.as_ref();
        while !self.is_stopped() {
            // Before each claim, because a training without its files would fail.
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
            End::Cancelled => say(claimed, "is not trained: the training was cancelled"),
            End::Lost => say(
                claimed,
                "is no longer trained by this worker: the lease ran out, or another worker has the training",
            ),
            End::Stopped => say(claimed, "is left for another worker"),
        }
        Ok(())
    }

    fn trained(&self, claimed: &Claimed, contents: Option<&Folder>) -> Result<End, Refusal> {
        let lease = &Lease::new(claimed, self.time);
        let (organisation, id) = (&claimed.organisation, claimed.model.id);
        let (copies, pairs) = match contents {
            Some(contents) => match self.copied(lease, contents)? {
                ControlFlow::Break(end) => return Ok(end),
                ControlFlow::Continue(copied) => copied,
            },
            None => (None, self.engine.pairs(&caller(lease), id).collect::<Result<_, _>>()?),
        };
        let (variables, input) = training_input(claimed, pairs, |file| match &copies {
            Some(copies) => Some(copies.path(file)),
            None => contents?.path(organisation, id, &file.content),
        });
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
                // After `ended`, so that a program that has finished is still reported.
                Ok(None) if self.is_stopped() => return Ok(End::Stopped),
                Ok(None) => {}
                Err(error) => {
                    return self
                        .failed(lease, format!("the program cannot be waited for: {error}"));
                }
            }
            if lease.is_due() || progress > shown {
                shown = progress;
                if let Some(end) = self.heartbeat(lease, progress)? {
                    return Ok(end);
                }
            }
        }
    }

    /// Copies the files to this machine if they are elsewhere, and returns the copies and the pairs. Breaks with the end
    /// of the training, if that comes first.
    fn copied(
        &self,
        lease: &Lease<'_>,
        contents: &Folder,
    ) -> Result<ControlFlow<End, Copied>, Refusal> {
        let mut end = None;
        let pairs = self.engine.pairs(&caller(lease), lease.claimed.model.id);
        let copied = Copies::of(lease.claimed, pairs, contents, || {
            if self.is_stopped() {
                end = Some(End::Stopped);
            } else if lease.is_due() {
                end = self.heartbeat(lease, Progress::NONE)?;
            }
            Ok(end.is_none())
        });
        match copied {
            Err(Refusal::Store(fault)) if fault.kind() == StoreErrorKind::Damaged => {
                Ok(ControlFlow::Break(self.failed(lease, with_causes(&fault))?))
            }
            copied => Ok(end.map_or(ControlFlow::Continue(copied?), ControlFlow::Break)),
        }
    }

    /// Reports the result of a program that has ended.
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
                    metrics.rejected.map(|it| format!("these of its metrics are left out: {it}"));
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
        let room = TrainingState::MAX_ERROR_CHARACTERS.saturating_sub(why.chars().count() + 2);
        match output.errors.end(room).as_str() {
            "" => self.failed(lease, why),
            end => self.failed(lease, format!("{why}: {end}")),
        }
    }

    fn heartbeat(&self, lease: &Lease<'_>, progress: Progress) -> Result<Option<End>, Refusal> {
        let (fence, time, asked) = (lease.claimed.fence, lease.time(), Instant::now());
        match self.edit(lease, &Edit::Heartbeat { fence, progress, time }) {
            Ok(()) => {
                lease.extend(asked);
                Ok(None)
            }
            Err(Refusal::LeaseLost | Refusal::ModelNotFound) => Ok(Some(self.lost(lease))),
            // Tried again in the next round.
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

    /// Reports the end of a training. Retries transient faults of the store while the lease lasts. Returns the
    /// reason if the lease was lost, and `None` if the end was reported.
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
                // An earlier attempt of unknown outcome may have succeeded.
                let is_reported = |model: &CustomModel| model.training_status() == status;
                let is_made = tries.get() > 1 && self.model(lease).is_ok_and(|it| is_reported(&it));
                Ok(if is_made { None } else { Some(self.lost(lease)) })
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Finds out why the lease is lost, as far as the model shows it.
    fn lost(&self, lease: &Lease<'_>) -> End {
        use TrainingStatus::{NotRunning, ReadyToRun};
        match self.model(lease).map(|model| model.training_status()) {
            // A model cannot be deleted while its training runs.
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

/// Writes a line about a training to standard error, without waiting for a reader.
fn say(claimed: &Claimed, what: &str) {
    crate::output::stderr::say(&format!(
        "model {} of {} {what}",
        claimed.model.id, claimed.organisation
    ));
}

/// A flag that SIGTERM and SIGINT set.
fn shutdown_signal() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| Failure::WrongUsage(format!("signals cannot be handled: {error}")))?;
    }
    Ok(stop)
}
