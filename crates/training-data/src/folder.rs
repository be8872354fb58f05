//! A folder of contents: `{root}/{organisation}/{model}/{content}`.

mod disk;
mod disk_mark;
mod disk_pieces;
mod files;
mod lineage;
pub(crate) mod mark;
mod new_file;
mod pieces;
pub(crate) mod place;
mod root;
mod standing;
mod sweep;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use custom_models_core::store::{ArchiveStore, StoreError, StoreErrorKind, StoreSummary};
use custom_models_core::{ModelId, Organisation};

use self::mark::Mark;
use self::place::{Entry, Place};
pub use self::root::Root;
pub use self::standing::FolderStanding;
use self::sweep::Looks;
use crate::content::{Content, ContentStore, ContentSweep, Leftover, NewContent};
use crate::names::is_name;
use crate::pieces::{PieceStore, UPLOAD_LIFETIME};

/// A folder of training data, which belongs to one store (PLACE-2). Several processes may share both.
///
/// The folder has a mark, the file `custom-models.json`, with the identity of its store. A folder with the
/// mark of another store is not opened. An empty folder without a mark is marked by the first upload. A
/// folder with contents but without a mark is adopted when it is opened, if the store refers to some of them.
/// [`FolderStanding`] tells how the folder and the store relate.
///
/// A file is written under a temporary name, synced and renamed. An upload holds a lock on its file from the
/// beginning until the store of models refers to it; the lock survives the renaming and ends with the
/// process. A sweep removes a file if its lock is free, it is older than [`Folder::MIN_AGE`] and nothing
/// refers to it. So it removes files that a crash left, and never one in use.
///
/// Files and folders are created for their owner alone (PLACE-5).
#[derive(Clone, Debug)]
pub struct Folder {
    place: Arc<dyn Place>,
    /// The summary of the store when it was last read.
    store: Arc<Mutex<StoreSummary>>,
    is_read_only: bool,
    min_age: Duration,
    upload_lifetime: Duration,
    adopted_at: Option<Instant>,
    adopted_leftovers: usize,
    standing: Arc<Mutex<FolderStanding>>,
    looks: Arc<Looks>,
}

impl Folder {
    /// The age from which a sweep removes a file, by its modification time.
    pub const MIN_AGE: Duration = Duration::from_secs(60 * 60);

    /// Opens the folder of a store. A missing folder is created with the first file; its parent must exist.
    ///
    /// # Errors
    ///
    /// - [`StoreErrorKind::ForeignData`]: the folder has the mark of another store.
    /// - [`StoreErrorKind::Damaged`]: the mark cannot be read.
    /// - [`StoreErrorKind::Unavailable`], [`StoreErrorKind::Failed`], and the errors of the store.
    pub fn open(root: impl Into<Root>, store: &dyn ArchiveStore) -> Result<Self, StoreError> {
        Folder::open_with(root.into(), store, false)
    }

    /// Opens the folder of a store for reading only. Nothing is written, not even a mark.
    ///
    /// # Errors
    ///
    /// The errors of [`Folder::open`].
    pub fn open_read_only(
        root: impl Into<Root>,
        store: &dyn ArchiveStore,
    ) -> Result<Self, StoreError> {
        Folder::open_with(root.into(), store, true)
    }

    /// Makes the store the owner of the folder, whatever its mark, and returns the files that a sweep would
    /// remove from now on.
    ///
    /// The previous owner and copies of this store are refused from then on, because the store gets a new
    /// identity. Other processes of the store learn it with their next sweep. If a sweep would remove
    /// something, the returned folder removes nothing before [`Folder::MIN_AGE`] has passed.
    ///
    /// # Errors
    ///
    /// The errors of [`Folder::open`], except those of the mark, which is replaced.
    pub fn adopt(
        root: impl Into<Root>,
        store: &dyn ArchiveStore,
    ) -> Result<(Self, Vec<Leftover>), StoreError> {
        let place = root.into().place()?;
        let adopted = Mark::adopt(&mut *place.lock(false)?, store)?;
        let mut folder = Folder::of(place, adopted, false, FolderStanding::Owned);
        let leftovers = folder.leftovers(store)?;
        folder.keep_back(leftovers.len());
        Ok((folder, leftovers))
    }

    /// Returns the files that a sweep would remove if the folder belonged to the store, whatever its mark.
    /// Only reads.
    ///
    /// # Errors
    ///
    /// Errors of the store, and of a folder that cannot be read.
    pub fn preview(
        root: impl Into<Root>,
        store: &dyn ArchiveStore,
    ) -> Result<Vec<Leftover>, StoreError> {
        let (place, summary) = (root.into().place()?, store.summary()?);
        Folder::of(place, summary, true, FolderStanding::Owned).leftovers(store)
    }

    fn open_with(
        root: Root,
        store: &dyn ArchiveStore,
        is_read_only: bool,
    ) -> Result<Self, StoreError> {
        let place = root.place()?;
        place.ensure_reachable()?;
        if !is_read_only {
            Mark::finish_adoption(&*place, store)?;
        }
        let (mark, summary, standing) = FolderStanding::find(&*place, store)?;
        let mut folder = Folder::of(place, summary, is_read_only, standing);
        if !is_read_only {
            folder.remember(mark, store)?;
        }
        Ok(folder)
    }

    fn of(
        place: Arc<dyn Place>,
        store: StoreSummary,
        is_read_only: bool,
        standing: FolderStanding,
    ) -> Self {
        Folder {
            place,
            store: Arc::new(Mutex::new(store)),
            is_read_only,
            min_age: Folder::MIN_AGE,
            upload_lifetime: UPLOAD_LIFETIME,
            adopted_at: None,
            adopted_leftovers: 0,
            standing: Arc::new(Mutex::new(standing)),
            looks: Arc::default(),
        }
    }

    /// Returns the same folder with another age from which a sweep removes a file.
    ///
    /// An upload that has created its file and not locked it yet is protected by this age alone.
    #[must_use]
    pub fn with_min_age(self, min_age: Duration) -> Self {
        Folder { min_age, ..self }
    }

    #[cfg(feature = "object-store")]
    pub(crate) fn min_age(&self) -> Duration {
        self.min_age
    }

    /// Returns the standing of the folder towards its store, as far as this process knows it.
    pub fn standing(&self) -> FolderStanding {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of files without a reference when this process adopted the folder, either by
    /// request or because the store refers to other files in a folder without a mark.
    pub fn adopted_leftovers(&self) -> usize {
        self.adopted_leftovers
    }

    /// Delays removals in an adopted folder, if there are files without a reference.
    fn keep_back(&mut self, leftovers: usize) {
        self.adopted_leftovers = leftovers;
        self.adopted_at = (leftovers > 0).then(Instant::now);
    }

    /// Returns true if the folder was adopted a short time ago: its files can still be rescued.
    fn is_newly_adopted(&self) -> bool {
        self.adopted_at.is_some_and(|at| at.elapsed() < self.min_age)
    }

    /// Returns the path of the folder.
    pub fn root(&self) -> &Path {
        self.place.root()
    }

    /// Removes the contents of a model that nobody is writing, and returns their number.
    fn clear(
        &self,
        organisation: &Organisation,
        model: ModelId,
        entries: Vec<Entry>,
    ) -> Result<u64, StoreError> {
        let names = entries.into_iter().map(|entry| (entry.name, 0)).collect();
        let removed = self.place.remove(organisation, model, names, self.min_age)?;
        self.place.tidy(organisation, Some(model));
        Ok(removed.files)
    }
}

impl ContentStore for Folder {
    fn begin(
        &self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Box<dyn NewContent>, StoreError> {
        self.ensure_claimed()?;
        self.looks.forget(organisation);
        self.place.begin(self, organisation, model)
    }

    fn open(
        &self,
        organisation: &Organisation,
        model: ModelId,
        content: &str,
    ) -> Result<Box<dyn Content>, StoreError> {
        let missing =
            || StoreError::new(StoreErrorKind::Damaged, "a file of training data is missing");
        let found = match is_name(content) {
            true => self.place.open(organisation, model, content)?,
            false => None,
        };
        if found.is_none() {
            // It may be missing because the folder has got another owner.
            self.ensure_owned()?;
        }
        found.ok_or_else(missing)
    }

    fn remove(
        &self,
        organisation: &Organisation,
        model: ModelId,
        content: &str,
    ) -> Result<(), StoreError> {
        if is_name(content) && self.may_remove()? {
            self.looks.forget(organisation);
            self.place.remove_content(organisation, model, content)?;
        }
        Ok(())
    }

    fn remove_model(&self, organisation: &Organisation, model: ModelId) -> Result<(), StoreError> {
        if self.may_remove()? {
            self.looks.forget(organisation);
            self.clear(organisation, model, self.place.entries(organisation, model)?)?;
        }
        Ok(())
    }

    fn remove_organisation(&self, organisation: &Organisation) -> Result<u64, StoreError> {
        if !self.may_remove()? {
            return Ok(0);
        }
        self.looks.forget(organisation);
        let mut removed = 0;
        self.place.each_model(organisation, &mut |model, entries| {
            removed += self.clear(organisation, model, entries)?;
            Ok(true)
        })?;
        removed += self.clear_uploads(organisation)?;
        self.place.tidy(organisation, None);
        Ok(removed)
    }

    fn sweep(&self, store: &dyn ArchiveStore) -> Result<ContentSweep, StoreError> {
        self.swept(store)
    }

    fn path(&self, organisation: &Organisation, model: ModelId, content: &str) -> Option<PathBuf> {
        self.place.path(organisation, model, content)
    }

    fn pieces(&self) -> Option<Arc<dyn PieceStore>> {
        Some(Arc::new(self.clone()))
    }
}

/// Converts an error of the disk into an error of a store.
pub(crate) fn fault(error: io::Error) -> StoreError {
    let kind = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreErrorKind::Full,
        ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::NotADirectory => {
            StoreErrorKind::Unavailable
        }
        ErrorKind::ReadOnlyFilesystem => StoreErrorKind::Unavailable,
        _ if is_exhausted(&error) => StoreErrorKind::Busy,
        _ => StoreErrorKind::Failed,
    };
    StoreError::new(kind, error)
}

/// Returns true if the process or the machine temporarily lacks a resource: descriptors, memory, locks.
fn is_exhausted(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let passing = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS, Errno::NOLCK];
        Errno::from_io_error(error).is_some_and(|it| passing.contains(&it))
    }
    #[cfg(not(unix))]
    {
        error.kind() == ErrorKind::OutOfMemory
    }
}

#[cfg(test)]
mod tests;
