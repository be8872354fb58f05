//! All that is an organisation's, erased, and what exports and imports share.

use std::sync::Arc;

use custom_models_core::{ArchiveChange, OpenMode, Store};
use custom_models_training_data::ContentStore;

use crate::args::{EraseArgs, Global};
use crate::commands::orgs_and_keys::no_organisation;
use crate::config::data_folder::DataFolder;
use crate::output::failure::Failure;
use crate::output::report::Report;

/// The number of records that are written or erased at a time.
pub(crate) const BATCH: u32 = 500;

/// Erases all that is an organisation's: its registration and keys, models, data with their files, and
/// history.
pub(crate) fn erase(
    global: &Global,
    args: EraseArgs,
    open: &dyn Fn(OpenMode) -> Result<Arc<dyn Store>, Failure>,
) -> Result<String, Failure> {
    if !args.yes {
        return Err(Failure::WrongUsage("this cannot be undone: say --yes".to_owned()));
    }
    let store = open(OpenMode::Existing)?;
    let contents = DataFolder::of(global, &store)?.open_for_removal()?;
    let mut records = 0;
    loop {
        let organisation = args.name.clone();
        match store.archive(ArchiveChange::Erase { organisation, limit: BATCH })? {
            0 => break,
            erased => records += erased,
        }
    }
    if records == 0 {
        return Err(no_organisation());
    }
    let files = contents.map_or(Ok(0), |contents| contents.remove_organisation(&args.name))?;
    Ok(format!(r#"{{"records":{records},"files":{files}}}"#))
}

/// Has something done on the store that the command line names.
pub(crate) fn on_store(
    global: &Global,
    mode: OpenMode,
    work: impl FnOnce(Arc<dyn Store>) -> Result<Option<String>, Failure>,
) -> Report {
    on_opened(global, || Ok(global.store.opener(mode)?()?), work)
}

/// [`on_store`], with a store that is opened otherwise.
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
