//! Sees once to what is over: trainings whose workers fell silent, what is old, and files that nothing
//! refers to.

use std::time::SystemTime;

use custom_models_core::{Engine, ModelId, OpenMode, Organisation, Refusal, Retention, StoreError};
use custom_models_training_data::ContentStore;
use serde::Serialize;

use crate::args::Global;
use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::report::Report;
use crate::settings::Settings;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Swept {
    /// Trainings that failed because every worker fell silent (TRAIN-5).
    pub(crate) failed_trainings: u64,
    /// Events that were forgotten (LOG-1).
    pub(crate) events: u64,
    /// Kept answers that were forgotten (IDEM-1).
    pub(crate) answers: u64,
    /// Files that were removed (DATA-4).
    pub(crate) files: u64,
}

/// Sweeps the store that the command line names, and says what was done.
pub(crate) fn sweep(global: &Global) -> Report {
    let swept = || -> Result<String, Failure> {
        let settings = Settings::of(global)?;
        let engine = Engine::new(global.store.opener(OpenMode::Current)?()?, SystemTime::now);
        let contents = DataFolder::of(global)?.open()?;
        let swept = once(&engine, contents.as_deref(), &settings.retention);
        engine.close()?;
        Ok(serde_json::to_string(&swept?)?)
    };
    match swept() {
        Ok(swept) => Report::answer(swept),
        Err(failure) => Report::failure(failure, &global.store),
    }
}

/// Sweeps a store and its files.
pub(crate) fn once(
    engine: &Engine,
    contents: Option<&dyn ContentStore>,
    retention: &Retention,
) -> Result<Swept, Refusal> {
    let swept = engine.sweep(retention)?;
    Ok(Swept {
        failed_trainings: swept.failed,
        events: swept.purged.events,
        answers: swept.purged.answers,
        files: contents.map_or(Ok(0), |contents| files(contents, engine))?,
    })
}

/// Removes the files that nothing refers to and nobody writes, and says how many.
pub(crate) fn files(contents: &dyn ContentStore, engine: &Engine) -> Result<u64, StoreError> {
    contents.sweep(&mut |organisation: &Organisation, model: ModelId, content: &str| {
        let pairs = engine.stored_data(organisation, model)?;
        Ok(pairs.iter().any(|pair| {
            [&pair.audio.content, &pair.transcript.content].iter().any(|it| *it == content)
        }))
    })
}
