//! Copies of a store in SQLite.

use std::path::Path;

use custom_models_store_sqlite::SqliteStore;

use crate::args::{CopyArgs, Global};
use crate::failure::Failure;
use crate::report::Report;

/// Copies the store that the command line names, also while others use it.
pub(crate) fn backup(global: &Global, args: &CopyArgs) -> Report {
    let copied = || -> Result<(), Failure> {
        let path = file(global)?;
        // Opening it would make one.
        path.metadata()
            .map_err(|error| Failure::WrongUsage(format!("there is no store: {error}")))?;
        Ok(SqliteStore::open(path)?.backup(&args.file)?)
    };
    done(global, copied())
}

/// Makes the store that the command line names of a copy.
pub(crate) fn restore(global: &Global, args: &CopyArgs) -> Report {
    let restored =
        || -> Result<(), Failure> { Ok(SqliteStore::restore(&args.file, file(global)?)?) };
    done(global, restored())
}

fn file(global: &Global) -> Result<&Path, Failure> {
    let reason = "--store: only a SQLite file is copied like this; a server has tools of its own";
    global.store.sqlite_file().ok_or_else(|| Failure::WrongUsage(reason.to_owned()))
}

fn done(global: &Global, outcome: Result<(), Failure>) -> Report {
    match outcome {
        Ok(()) => Report::answer(None),
        Err(failure) => Report::failure(failure, &global.store),
    }
}
