//! Sweeping once: failing lost trainings, and removing old events, old answers, expired admissions and files
//! that no record refers to.

use std::sync::Arc;
use std::time::SystemTime;

use custom_models_core::access::Gate;
use custom_models_core::engine::Retention;
use custom_models_core::store::{NewIdempotencyRecord, OpenMode, Record, Store, StoreError};
use custom_models_core::time::UnixMillis;
use custom_models_core::{Engine, Organisation, Refusal};
use custom_models_training_data::{ContentStore, Folder, KeptBack};
use serde::Serialize;

use crate::args::store::SweepArgs;
use crate::config::data_folder::{DataFolder, path_of, warning};
use crate::config::global::Global;
use crate::config::settings::Settings;
use crate::output::failure::Failure;
use crate::output::report::Report;

/// The result of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Swept {
    /// Trainings that failed because their workers were lost (TRAIN-5).
    pub(crate) failed_trainings: u64,
    /// Events that were removed (LOG-1).
    pub(crate) events: u64,
    /// Stored answers that were removed (IDEM-1).
    pub(crate) answers: u64,
    /// Files that were removed (DATA-4).
    pub(crate) files: u64,
    /// The reason why no file was removed (PLACE-2).
    #[serde(skip)]
    pub(crate) kept_back: Option<KeptBack>,
}

/// Sweeps the store, or shows what a sweep would do.
pub(crate) fn sweep(global: &Global, args: &SweepArgs) -> Report {
    let done = if args.dry_run { preview(global, args) } else { swept(global, args) };
    match done {
        Ok((answer, warnings)) => Report::answer(answer).and_found(warnings),
        Err(failure) => Report::failure(failure, &global.store),
    }
}

/// The result, and warnings.
type Done = Result<(String, Vec<String>), Failure>;

fn swept(global: &Global, args: &SweepArgs) -> Done {
    let settings = Settings::read(global.config.as_deref())?;
    let store = global.store.opener(OpenMode::Current)?()?;
    let folder = DataFolder::of(global, &store)?.open_or_adopt(args.folder.adopt)?;
    let engine = Engine::new(store.clone(), SystemTime::now);
    let Settings { plans, limits, retention, .. } = settings;
    let gate = Gate::new(store.clone(), plans, limits, SystemTime::now)?;
    let swept = sweep_once(&engine, &gate, &store, folder.as_deref(), &retention);
    engine.close()?;
    let answer = serde_json::to_string(&swept?)?;
    Ok((answer, folder.as_deref().and_then(warning).into_iter().collect()))
}

/// Sweeps a store and its files.
pub(crate) fn sweep_once(
    engine: &Engine,
    gate: &Gate,
    store: &Arc<dyn Store>,
    folder: Option<&Folder>,
    retention: &Retention,
) -> Result<Swept, Refusal> {
    let swept = engine.sweep(retention)?;
    gate.sweep()?;
    let contents = folder.map_or(Ok(Default::default()), |folder| folder.sweep(&**store))?;
    Ok(Swept {
        failed_trainings: swept.failed,
        events: swept.purged.events,
        answers: swept.purged.answers,
        files: contents.files,
        kept_back: contents.kept_back,
    })
}

/// The effects that a sweep would have.
#[derive(Debug, Default, Serialize)]
struct Preview {
    dry_run: bool,
    failed_trainings: u64,
    events: u64,
    answers: u64,
    files: u64,
    bytes: u64,
    paths: Vec<String>,
}

/// Collects what a sweep would do, and changes nothing.
fn preview(global: &Global, args: &SweepArgs) -> Done {
    let settings = Settings::read(global.config.as_deref())?;
    let store = global.store.opener(OpenMode::ReadOnly)?()?;
    let folder = DataFolder::of(global, &store)?;
    let mut preview = Preview { dry_run: true, ..Preview::default() };
    preview.count_records(&*store, &settings.retention)?;
    let opened = if args.folder.adopt { None } else { folder.open_read_only()? };
    let warning = opened.as_deref().and_then(warning);
    let leftovers = match (&opened, &warning) {
        (_, Some(_)) => Vec::new(),
        (Some(opened), None) => opened.leftovers(&*store)?,
        (None, None) => folder.preview()?,
    };
    for left in leftovers.iter().filter(|left| left.is_due) {
        preview.files += 1;
        preview.bytes += left.bytes;
        preview.paths.push(path_of(left));
    }
    store.close()?;
    Ok((serde_json::to_string(&preview)?, warning.into_iter().collect()))
}

impl Preview {
    fn count_records(
        &mut self,
        store: &dyn Store,
        retention: &Retention,
    ) -> Result<(), StoreError> {
        let now = UnixMillis::from(SystemTime::now());
        let waiting = store.claimable(None, now, u32::MAX)?;
        let is_over =
            |training: &custom_models_core::model::TrainingState| training.expired(now).is_some();
        self.failed_trainings =
            waiting.iter().filter(|(_, model)| is_over(&model.training)).count() as u64;
        let events_before = retention.events.map(|kept| now.earlier(kept).into());
        let idempotency_until = now.earlier(NewIdempotencyRecord::KEPT_FOR);
        let mut kept_from: Option<Organisation> = None;
        store.export(&mut |record| {
            match record {
                Record::Event(line) => {
                    let (organisation, _, _, event) = line.into_parts();
                    // A history is removed up to its first event that is kept, whatever the times of later ones.
                    let is_kept = kept_from.as_ref() == Some(&organisation)
                        || events_before.is_none_or(|before| event.created_at >= before);
                    if is_kept {
                        kept_from = Some(organisation);
                    } else {
                        self.events += 1;
                    }
                }
                Record::Answer(line) => {
                    let (_, _, kept) = line.into_parts();
                    self.answers += u64::from(kept.at <= idempotency_until);
                }
                _ => {}
            }
            Ok(())
        })
    }
}
