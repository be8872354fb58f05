//! Erasing an organisation.

use std::sync::Arc;

use custom_models_core::store::{ArchiveChange, OpenMode, Store};
use custom_models_training_data::ContentStore;

use crate::args::access::EraseArgs;
use crate::config::data_folder::DataFolder;
use crate::config::global::Global;
use crate::output::failure::Failure;

/// The number of records that are erased at a time.
const BATCH: u32 = 500;

/// Erases an organisation: its registration, keys, models, training data with files, and history.
pub(super) fn erase(
    global: &Global,
    args: EraseArgs,
    open: &dyn Fn(OpenMode) -> Result<Arc<dyn Store>, Failure>,
) -> Result<String, Failure> {
    if !args.yes {
        return Err(Failure::WrongUsage("this cannot be undone: confirm it with --yes".to_owned()));
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

/// The refusal for an organisation without any record.
pub(super) fn no_organisation() -> Failure {
    Failure::refused("Not Found", "The organisation is not registered", "ORGANISATION_NOT_FOUND")
}
