//! A worker: claims trainings, has a program do them, and reports.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use custom_models_core::{
    Actor, Caller, Claimed, Course, DataFile, Edit, Engine, Expected, LeaseTime, OpenMode, Plan,
    Progress, Refusal, TrainingMetrics,
};
use custom_models_training_data::ContentStore;
use serde::Serialize;

use crate::args::{Global, WorkArgs};
use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::program::{Program, Word};
use crate::report::Report;

/// How often a worker looks at its program and at whether it is told to end.
const LOOK: Duration = Duration::from_millis(100);

/// Works until it is told to end; with `--once`, until no training waits.
pub(crate) fn work(global: &Global, args: &WorkArgs) -> Report {
    match worked(global, args) {
        Ok(()) => Report::answer(None),
        Err(failure) => Report::failure(failure, &global.store),
    }
}

fn worked(global: &Global, args: &WorkArgs) -> Result<(), Failure> {
    let time = LeaseTime::new(args.lease.get())
        .map_err(|error| Failure::WrongUsage(format!("--lease: {error}")))?;
    let stop = told_to_end()?;
    crate::sink::say_panics();
    let store = global.store.opener(OpenMode::Existing)?()?;
    let folder = DataFolder::of(global, &store)?;
    let worker = Worker {
        engine: Engine::new(store, SystemTime::now),
        contents: folder.open_read_only()?.map(|folder| folder as _),
        command: args.command.clone(),
        time,
        stop,
    };
    let done = worker.run(args);
    worker.engine.close()?;
    done
}

struct Worker {
    engine: Engine,
    contents: Option<Arc<dyn ContentStore>>,
    command: String,
    time: LeaseTime,
    stop: Arc<AtomicBool>,
}

/// How a training is over for its worker.
enum End {
    /// It ended well or not, and was reported.
    Reported,
    /// It was called off, or is another worker's: nothing is to be reported.
    Lost,
    /// The worker is told to end. The training is claimed again when the lease has run out.
    Stopped,
}

impl Worker {
    fn run(&self, args: &WorkArgs) -> Result<(), Failure> {
        let organisation = args.only.as_ref();
        while !self.is_stopped() {
            match self.engine.claim(&Actor::COMMAND_LINE, organisation, self.time) {
                Ok(Some(claimed)) => self.train(&claimed)?,
                Ok(None) if args.once => return Ok(()),
                Ok(None) | Err(Refusal::Contended) => self.pause(args.poll.get()),
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
            thread::sleep(LOOK.min(span));
        }
    }

    fn train(&self, claimed: &Claimed) -> Result<(), Failure> {
        say(claimed, "is being trained");
        let said = match self.trained(claimed) {
            Ok(End::Reported) => "is done",
            Ok(End::Lost) => "was called off, or is another worker's",
            Ok(End::Stopped) => "is left for another worker",
            Err(refusal) => return Err(refusal.into()),
        };
        say(claimed, said);
        Ok(())
    }

    fn trained(&self, claimed: &Claimed) -> Result<End, Refusal> {
        let (variables, input) = self.told(claimed);
        let mut program = match Program::start(&self.command, &variables, input) {
            Ok(program) => program,
            Err(error) => {
                return self.failed(claimed, &format!("the program did not start: {error}"));
            }
        };
        let mut known = Known::default();
        let mut beaten = Instant::now();
        loop {
            if self.is_stopped() {
                return Ok(End::Stopped);
            }
            let has_word = program.word(LOOK).map(|word| known.note(word)).is_some();
            match program.ended() {
                Err(error) => {
                    return self.failed(claimed, &format!("the program was lost: {error}"));
                }
                Ok(Some(status)) => {
                    program.last_words().into_iter().for_each(|word| known.note(word));
                    return match known.metrics {
                        Some(metrics) if status.success() => {
                            self.report(claimed, Edit::Succeed { fence: claimed.fence, metrics })
                        }
                        Some(_) | None => {
                            let how = format!("the program ended with {status}");
                            let silent = if status.success() { " and without metrics" } else { "" };
                            self.failed(claimed, &format!("{how}{silent}: {}", program.tail()))
                        }
                    };
                }
                Ok(None) => {}
            }
            if beaten.elapsed() >= self.time.get() / 3 || (has_word && known.is_news()) {
                beaten = Instant::now();
                if let End::Lost = self.beat(claimed, &mut known)? {
                    return Ok(End::Lost);
                }
            }
        }
    }

    fn beat(&self, claimed: &Claimed, known: &mut Known) -> Result<End, Refusal> {
        known.told = known.progress;
        let (fence, progress, time) = (claimed.fence, known.progress, self.time);
        self.report(claimed, Edit::Beat { fence, progress, time })
    }

    fn failed(&self, claimed: &Claimed, why: &str) -> Result<End, Refusal> {
        let why = why.trim_end_matches([':', ' ']);
        let error: String = why.chars().take(Course::MAX_ERROR_CHARACTERS).collect();
        self.report(claimed, Edit::Fail { fence: claimed.fence, error })
    }

    fn report(&self, claimed: &Claimed, edit: Edit) -> Result<End, Refusal> {
        let organisation = claimed.organisation.clone();
        let caller = Caller::new(organisation, Plan::enterprise()).acting_as(Actor::COMMAND_LINE);
        match self.engine.edit(&caller, claimed.model.id, &edit, &Expected::Anything) {
            Ok(_) => Ok(End::Reported),
            Err(Refusal::LeaseLost | Refusal::ModelNotFound) => Ok(End::Lost),
            Err(refusal) => Err(refusal),
        }
    }

    /// What the program is told: in its environment the little that a script wants, on standard input
    /// everything.
    fn told(&self, claimed: &Claimed) -> (Vec<(&'static str, String)>, String) {
        let model = &claimed.model;
        let organisation = &claimed.organisation;
        let place = |file: &DataFile| ToldFile {
            filename: file.filename.clone(),
            bytes: file.bytes,
            sha256: file.sha256.to_string(),
            path: self
                .contents
                .as_ref()
                .and_then(|contents| contents.path(organisation, model.id, &file.content))
                .map(|path| path.to_string_lossy().into_owned()),
        };
        let data: Vec<_> = claimed
            .data
            .iter()
            .map(|pair| ToldPair {
                id: pair.id.get(),
                data_type: pair.data_type.as_str(),
                audio_millis: pair.audio_millis,
                audio: place(&pair.audio),
                transcript: place(&pair.transcript),
            })
            .collect();
        let transcripts = |data_type: &str| {
            let of_type = data.iter().filter(|pair| pair.data_type == data_type);
            let paths = of_type.filter_map(|pair| pair.transcript.path.clone());
            paths.collect::<Vec<_>>().join("\n")
        };
        let variables = vec![
            ("CUSTOM_MODEL_ORGANISATION", organisation.to_string()),
            ("CUSTOM_MODEL_ID", model.id.to_string()),
            ("CUSTOM_MODEL_KEY", model.id.key().to_string()),
            ("CUSTOM_MODEL_LANGUAGE", model.language.to_string()),
            ("CUSTOM_MODEL_BASE_MODEL", model.base_model.to_string()),
            ("CUSTOM_MODEL_TRAIN_TRANSCRIPTS", transcripts("train")),
            ("CUSTOM_MODEL_TEST_TRANSCRIPTS", transcripts("test")),
        ];
        let told = Told { organisation: organisation.to_string(), model, data };
        (variables, serde_json::to_string(&told).unwrap_or_default())
    }
}

/// What a program has said so far.
#[derive(Default)]
struct Known {
    progress: Progress,
    /// The progress that was reported.
    told: Progress,
    metrics: Option<TrainingMetrics>,
}

impl Known {
    fn note(&mut self, word: Word) {
        match word {
            Word::Progress(progress) => self.progress = self.progress.max(progress),
            Word::Metrics(metrics) => self.metrics = Some(metrics),
        }
    }

    fn is_news(&self) -> bool {
        self.progress > self.told
    }
}

#[derive(Serialize)]
struct Told<'a> {
    organisation: String,
    model: &'a custom_models_core::CustomModel,
    data: Vec<ToldPair>,
}

#[derive(Serialize)]
struct ToldPair {
    id: u32,
    #[serde(rename = "type")]
    data_type: &'static str,
    audio_millis: u64,
    audio: ToldFile,
    transcript: ToldFile,
}

#[derive(Serialize)]
struct ToldFile {
    filename: String,
    bytes: u64,
    sha256: String,
    path: Option<String>,
}

/// A line for whoever looks at the terminal, who may be gone.
fn say(claimed: &Claimed, what: &str) {
    crate::sink::say(&format!("model {} of {} {what}", claimed.model.id, claimed.organisation));
}

/// Set when the process is told to end by SIGTERM or Ctrl-C.
fn told_to_end() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| Failure::WrongUsage(format!("signals cannot be heard: {error}")))?;
    }
    Ok(stop)
}
