//! The session of a command: opening its store, using it and closing it.

use std::sync::Arc;
use std::time::SystemTime;

use custom_models_core::store::{OpenMode, Store};
use custom_models_core::tenant::Actor;
use custom_models_core::{Caller, Engine, MemoryStore, Plan};

use crate::args::models::ModelCommand;
use crate::commands::backend::Local;
#[cfg(feature = "client")]
use crate::commands::backend::server::Server;
use crate::commands::models::ModelRequest;
use crate::config::data_folder::DataFolder;
use crate::config::global::Global;
use crate::config::settings::Settings;
use crate::output::failure::Failure;
use crate::output::report::Report;

/// Runs a command on models.
pub(crate) fn run(global: &Global, command: ModelCommand) -> Report {
    #[cfg(feature = "client")]
    if let Some(url) = &global.server {
        let work = || ModelRequest::prepare(command)?.run(&Server::at(url)?);
        return match work() {
            Ok(answer) => Report::answer(answer),
            Err(failure) => Report::failure(failure, url),
        };
    }
    attempt(global, command).unwrap_or_else(|failure| Report::failure(failure, &global.store))
}

/// Runs `work` on the store, opened in `mode`.
pub(crate) fn on_store(
    global: &Global,
    mode: OpenMode,
    work: impl FnOnce(Arc<dyn Store>) -> Result<Option<String>, Failure>,
) -> Report {
    on_opened(global, || Ok(global.store.opener(mode)?()?), work)
}

/// Runs `work` on the store that `open` returns.
pub(crate) fn on_opened(
    global: &Global,
    open: impl FnOnce() -> Result<Arc<dyn Store>, Failure>,
    work: impl FnOnce(Arc<dyn Store>) -> Result<Option<String>, Failure>,
) -> Report {
    let done = || -> Result<Option<String>, Failure> {
        let store = open()?;
        let done = work(Arc::clone(&store));
        store.close()?;
        done
    };
    match done() {
        Ok(answer) => Report::answer(answer),
        Err(failure) => Report::failure(failure, &global.store),
    }
}

/// Runs a command. A request that is invalid without looking at the store is refused before the store is
/// opened, so that no file is made for it.
fn attempt(global: &Global, command: ModelCommand) -> Result<Report, Failure> {
    let Global { store, org, .. } = global;
    let settings = Settings::read(global.config.as_deref())?;
    let fallback = settings.plan(global.plan.as_deref())?;
    let request = ModelRequest::prepare(command)?;
    let opened = match &request {
        ModelRequest::Create(request) => store.open_or_make(|| {
            // A new store has no registrations.
            let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
            engine.create(&Caller::new(org.clone(), fallback.clone()), request.clone())?;
            Ok(())
        })?,
        _ => store.opener(request.mode())?()?,
    };
    let folder = DataFolder::of(global, &opened)?;
    let engine = Engine::new(opened.clone(), SystemTime::now);
    // A registered organisation has its registered plan (QUOTA-5).
    let plan = || match opened.registration(org)? {
        Some(registration) => Ok(settings.plans.resolve(&registration.plan)?),
        None => Ok(fallback),
    };
    let outcome = plan().and_then(|plan: Plan| {
        let caller = Caller::new(org.clone(), plan).acting_as(Actor::COMMAND_LINE);
        request.run(&Local { engine: &engine, caller: &caller, folder: &folder })
    });
    let report = match outcome {
        Ok(answer) => Report::answer(answer),
        Err(failure) => Report::failure(failure, store),
    };
    // Printing comes after the close, so that a slow reader does not keep the store open.
    Ok(match engine.close() {
        Ok(()) => report,
        Err(fault) => report.and_not_closed(&fault, store),
    })
}

#[cfg(test)]
mod tests;
