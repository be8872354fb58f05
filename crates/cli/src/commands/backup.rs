//! Copying a SQLite store, and restoring it from a copy.

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

/// Copies the store to a file, also while other processes use it.
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

/// Makes the store from a copy.
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
            // With a folder of another store, every later command would fail.
            let copy =
                SqliteStore::open_as(&args.file, OpenMode::ReadOnly).map_err(restore_failure)?;
            let copy: Arc<dyn Store> = Arc::new(copy);
            DataFolder::of(global, &copy)?.open_read_only()?;
            copy.close()?;
        }
        SqliteStore::restore(&args.file, path).map_err(restore_failure)?;
        // Adopting a folder gives the store a new identity, which is a write.
        let mode = if *adopt { OpenMode::Existing } else { OpenMode::ReadOnly };
        let store = global.store.opener(mode)?()?;
        let folder = DataFolder::of(global, &store)?.open_or_adopt(*adopt)?;
        folder.as_deref().and_then(warning).iter().for_each(|line| say(line));
        Ok(store.close()?)
    };
    done(global, restored())
}

fn file(global: &Global) -> Result<&Path, Failure> {
    let reason =
        "--store: only a SQLite file can be copied like this; use the database server's own tools";
    global.store.sqlite_file().ok_or_else(|| Failure::WrongUsage(reason.to_owned()))
}

/// Maps a fault of a backup to the copy, if the copy could not be written, or else to the store.
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
