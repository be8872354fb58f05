//! The folder that the files of training data are in.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use custom_models_core::MemoryStore;
use custom_models_core::store::{Store, StoreError, StoreErrorKind};
use custom_models_training_data::{Folder, FolderStanding, Leftover, Root};

use crate::config::global::Global;
use crate::config::store_path::OF_DATA;
use crate::config::store_url::SidecarPath;
use crate::config::temp_folder::TempFolder;
use crate::output::failure::{Failure, with_causes};
use crate::output::path_errors::{Quoted, explained, obstacle};

/// The number of files that are named when a folder is taken over.
const MOST_NAMED: usize = 20;

/// The folder of a store's training data: the one that `--data` names, or the one next to the store. For a store
/// in memory it is temporary, and dropping this removes it. A store on a server has only the folder that is named.
pub(crate) struct DataFolder {
    store: Arc<dyn Store>,
    path: Option<PathBuf>,
    root: Option<Root>,
    _temporary: Option<TempFolder>,
}

impl DataFolder {
    /// Finds the folder of an opened store. Does not make it.
    pub(crate) fn of(global: &Global, store: &Arc<dyn Store>) -> Result<Self, StoreError> {
        let path = match (&global.data, global.store.sidecar(OF_DATA)) {
            (Some(path), _) => Some(path.clone()),
            (None, SidecarPath::At(path)) => Some(path),
            (None, SidecarPath::Unknown) => None,
            (None, SidecarPath::Nowhere) => return Self::temporary(global, store),
        };
        DataFolder::at(store, path, None)
    }

    /// The folder that `--data` names, or a temporary one.
    pub(crate) fn temporary(global: &Global, store: &Arc<dyn Store>) -> Result<Self, StoreError> {
        if let Some(path) = global.data.clone() {
            return DataFolder::at(store, Some(path), None);
        }
        let failed = |cause| StoreError::new(StoreErrorKind::Unavailable, cause);
        let temporary = TempFolder::new().map_err(failed)?;
        let path = Some(temporary.path().join("data"));
        DataFolder::at(store, path, Some(temporary))
    }

    fn at(
        store: &Arc<dyn Store>,
        path: Option<PathBuf>,
        temporary: Option<TempFolder>,
    ) -> Result<Self, StoreError> {
        let root = path.as_ref().map(|path| Root::from(path).connected()).transpose()?;
        Ok(DataFolder { store: Arc::clone(store), path, root, _temporary: temporary })
    }

    /// Refuses a folder that a new store could not use, unless `--adopt` takes it over.
    pub(crate) fn ensure_free(global: &Global, adopt: bool) -> Result<(), Failure> {
        // The store's path is checked first, because the folder is next to it.
        if let SidecarPath::At(beside) = global.store.sidecar("")
            && let Some(reason) = obstacle(&beside)
        {
            return Err(StoreError::new(StoreErrorKind::Unavailable, reason).into());
        }
        // A store with a fresh identity, which no mark names.
        let nobody: Arc<dyn Store> = Arc::new(MemoryStore::new());
        match DataFolder::of(global, &nobody)?.open_read_only() {
            Err(fault) if fault.kind() == StoreErrorKind::ForeignData && !adopt => {
                let cause = "no store was made: name the right store and folder, or --adopt takes the folder over";
                Err(StoreError::new(StoreErrorKind::ForeignData, cause).into())
            }
            Err(fault) if fault.kind() == StoreErrorKind::Damaged && adopt => Ok(()),
            Err(fault) if fault.kind() != StoreErrorKind::ForeignData => Err(fault.into()),
            _ => Ok(()),
        }
    }

    /// Maps a fault of a file in the folder to a failure that names the folder.
    pub(crate) fn failure(&self, fault: StoreError) -> Failure {
        match &self.path {
            Some(path) => Failure::File(path.clone(), explained(path, fault)),
            None => Failure::Store(fault),
        }
    }

    /// Opens the folder, if there is one. A folder of another store is an error (PLACE-2). Warns on standard error
    /// if the store adopts a folder without a mark that has files without a record.
    pub(crate) fn open(&self) -> Result<Option<Arc<Folder>>, StoreError> {
        let folder = self.opened(|root| Folder::open(root, &*self.store))?;
        folder.as_deref().and_then(taken_by_itself).iter().for_each(|line| say(line));
        Ok(folder)
    }

    /// Opens the folder for reading only, if there is one.
    pub(crate) fn open_read_only(&self) -> Result<Option<Arc<Folder>>, StoreError> {
        self.opened(|root| Folder::open_read_only(root, &*self.store))
    }

    /// Opens the folder for a command that needs its files. A missing folder is an error, and so is a folder that
    /// does not belong to the store.
    pub(crate) fn open_for_reading(&self) -> Result<Option<Arc<Folder>>, StoreError> {
        let folder = self.open_read_only()?;
        if let Some(folder) = &folder {
            folder.ensure_owned()?;
        }
        Ok(folder)
    }

    /// Opens the folder for a command that removes records of its files. A missing folder is an error, so that
    /// nothing is changed (PLACE-3).
    pub(crate) fn open_for_removal(&self) -> Result<Option<Arc<Folder>>, StoreError> {
        let folder = self.open()?;
        if let Some(folder) = &folder {
            folder.ensure_removable()?;
        }
        Ok(folder)
    }

    fn opened(
        &self,
        open: impl FnOnce(Root) -> Result<Folder, StoreError>,
    ) -> Result<Option<Arc<Folder>>, StoreError> {
        let (Some(path), Some(root)) = (&self.path, self.root.clone()) else { return Ok(None) };
        Ok(Some(Arc::new(open(root).map_err(|fault| unopened(path, fault))?)))
    }

    /// Opens the folder, or adopts it and reports on standard error what a sweep will remove and what is missing.
    pub(crate) fn open_or_adopt(&self, adopt: bool) -> Result<Option<Arc<Folder>>, StoreError> {
        let (true, Some(path), Some(root)) = (adopt, &self.path, self.root.clone()) else {
            return self.open();
        };
        let (folder, leftovers) =
            Folder::adopt(root, &*self.store).map_err(|fault| unopened(path, fault))?;
        say(&taken_over(&folder, &leftovers));
        let missing = folder.missing(&*self.store)?;
        if missing > 0 {
            say(&format!(
                "the folder '{}' is incomplete: the store refers to {missing} files that are not in it; `check` names \
                them",
                folder.root().display()
            ));
        }
        Ok(Some(Arc::new(folder)))
    }

    /// Records the state of the store in the folder's mark.
    pub(crate) fn record(&self, folder: &Folder) -> Result<(), StoreError> {
        folder.record(&*self.store)
    }

    /// The files that a sweep would remove if the folder belonged to this store.
    pub(crate) fn preview(&self) -> Result<Vec<Leftover>, StoreError> {
        let preview = |root| Folder::preview(root, &*self.store);
        self.root.clone().map_or(Ok(Vec::new()), preview)
    }

    /// Opens the folder for a command that cannot run without it.
    pub(crate) fn open_required(&self) -> Result<Arc<Folder>, Failure> {
        let missing = "--data: name a folder that all machines share, or object storage, for a store behind a server";
        self.open()?.ok_or_else(|| Failure::WrongUsage(missing.to_owned()))
    }
}

/// Adds the folder to a fault of opening it.
fn unopened(path: &Path, fault: StoreError) -> StoreError {
    // Other faults name the folder already.
    if !matches!(fault.kind(), StoreErrorKind::Unavailable | StoreErrorKind::Failed) {
        return fault;
    }
    let explained = explained(path, fault);
    let cause = match path.metadata() {
        Ok(found) if !found.is_dir() => "it is a file; name a folder".to_owned(),
        _ => explained.source().map_or_else(String::new, with_causes),
    };
    let cause = format!("the folder of training data {}: {cause}", Quoted(path));
    StoreError::new(explained.kind(), cause)
}

/// The warning for a folder that the store cannot fully use; `None` if it can.
pub(crate) fn warning(folder: &Folder) -> Option<String> {
    let root = folder.root().display();
    Some(match folder.standing() {
        FolderStanding::Unclaimed => format!(
            "the folder '{root}' has no mark, and the store refers to no file in it: uploads are refused and no file \
            is removed, until --adopt takes the folder over"
        ),
        FolderStanding::Behind => format!(
            "the store is older than its folder '{root}', or a copy of the store has used the folder: no file is \
            removed, until --adopt confirms this store; `sweep --dry-run --adopt` lists what would be removed"
        ),
        FolderStanding::Copied => format!(
            "the folder '{root}' is a copy of the folder that the store used last, or was moved to another disk: no \
            file is removed, until --adopt confirms this folder; `sweep --dry-run --adopt` lists what would be \
            removed"
        ),
        FolderStanding::Vanished => format!(
            "the store refers to data, but its folder '{root}' is missing or empty: restore it, or name it with \
            --data; --adopt makes a new one"
        ),
        _ => return None,
    })
}

/// The warning for a folder that the store adopted by itself and that has files without a record.
fn taken_by_itself(folder: &Folder) -> Option<String> {
    let (root, leftovers) = (folder.root().display(), folder.adopted_leftovers());
    (leftovers > 0).then(|| {
        format!(
            "the folder '{root}' had no mark, and belongs to this store now, which refers to files in it; the store \
            refers to none of {leftovers} other files: this process removes them after an hour, later ones at \
            once; `sweep --dry-run` lists them"
        )
    })
}

/// The message for an adopted folder, with its files that the store does not refer to.
fn taken_over(folder: &Folder, leftovers: &[Leftover]) -> String {
    let root = folder.root().display();
    let mut text = format!("the folder '{root}' belongs to this store now; ");
    if leftovers.is_empty() {
        text.push_str("the store refers to every file in it");
        return text;
    }
    let bytes: u64 = leftovers.iter().map(|left| left.bytes).sum();
    text.push_str(&format!(
        "the store does not refer to {} files of {bytes} bytes in it, and sweeps remove them:",
        leftovers.len()
    ));
    for left in leftovers.iter().take(MOST_NAMED) {
        text.push_str(&format!(" {}", path_of(left)));
    }
    let more = leftovers.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        text.push_str(&format!(" and {more} more, which `sweep --dry-run` lists"));
    }
    text
}

/// The path of a file in its folder.
pub(crate) fn path_of(left: &Leftover) -> String {
    format!("{}/{}/{}", left.organisation, left.model, left.name)
}

/// Writes a line to standard error, and ignores failure.
pub(crate) fn say(line: &str) {
    crate::output::stderr::print(line);
}
