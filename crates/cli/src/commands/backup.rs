//! Copies of a store in SQLite.

use std::io;
use std::path::Path;
use std::sync::Arc;

use custom_models_core::store::{ModelStore, OpenMode, Store, StoreError, StoreErrorKind};
use custom_models_store_sqlite::SqliteStore;

use crate::args::store::{AdoptArgs, CopyArgs, RestoreArgs};
use crate::config::data_folder::{DataFolder, say, warning};
use crate::config::global::Global;
use crate::config::store_path::ensure_vacant;
use crate::output::failure::Failure;
use crate::output::path_errors::{explained, explained_as, obstacle, unusable};
use crate::output::report::Report;

/// Copies the store that the command line names, also while others use it.
pub(crate) fn backup(global: &Global, args: &CopyArgs) -> Report {
    let copied = || -> Result<(), Failure> {
        let path = file(global)?;
        ensure_vacant(&args.file)?;
        let mode = OpenMode::ReadOnly;
        let opened = SqliteStore::open_as(path, mode);
        let store = opened.map_err(|fault| explained_as(path, mode, fault))?;
        store.backup(&args.file).map_err(|fault| copy_failure(&args.file, fault))?;
        Ok(store.close()?)
    };
    done(global, copied())
}

/// Makes the store that the command line names of a copy.
pub(crate) fn restore(global: &Global, args: &RestoreArgs) -> Report {
    let RestoreArgs { copy: args, folder: AdoptArgs { adopt } } = args;
    let restored = || -> Result<(), Failure> {
        let path = file(global)?;
        let copy = args.file.metadata().map_err(|error| unusable(&args.file, &error))?;
        if copy.is_dir() {
            return Err(unusable(&args.file, &io::ErrorKind::IsADirectory.into()));
        }
        ensure_vacant(path)?;
        let restore_failure = |fault: StoreError| match (fault.kind(), obstacle(path)) {
            (StoreErrorKind::Full | StoreErrorKind::Failed, _) => Failure::Store(fault),
            (StoreErrorKind::Unavailable, Some(_)) => Failure::Store(explained(path, fault)),
            _ => Failure::File(args.file.clone(), fault),
        };
        if *adopt {
            DataFolder::ensure_free(global, true)?;
        } else {
            // A folder of another store would be in the way of every later command.
            let copy =
                SqliteStore::open_as(&args.file, OpenMode::ReadOnly).map_err(restore_failure)?;
            let copy: Arc<dyn Store> = Arc::new(copy);
            DataFolder::of(global, &copy)?.open_read_only()?;
            copy.close()?;
        }
        SqliteStore::restore(&args.file, path).map_err(restore_failure)?;
        // Whoever takes a folder over gives the store a new identity.
        let mode = if *adopt { OpenMode::Existing } else { OpenMode::ReadOnly };
        let store = global.store.opener(mode)?()?;
        let folder = DataFolder::of(global, &store)?.open_or_adopt(*adopt)?;
        folder.as_deref().and_then(warning).iter().for_each(|line| say(line));
        Ok(store.close()?)
    };
    done(global, restored())
}

fn file(global: &Global) -> Result<&Path, Failure> {
    let reason = "--store: only a SQLite file is copied like this; a server has tools of its own";
    global.store.sqlite_file().ok_or_else(|| Failure::WrongUsage(reason.to_owned()))
}

/// A fault of copying: of the copy, if there is no room or no right to make it.
fn copy_failure(copy: &Path, fault: StoreError) -> Failure {
    match fault.kind() {
        StoreErrorKind::Full | StoreErrorKind::Unavailable => {
            Failure::File(copy.to_owned(), explained(copy, fault))
        }
        _ => Failure::Store(fault),
    }
}

fn done(global: &Global, outcome: Result<(), Failure>) -> Report {
    match outcome {
        Ok(()) => Report::answer(None),
        Err(failure) => Report::failure(failure, &global.store),
    }
}
