//! The standing of a folder: its relation to the store that it was opened for (PLACE-2, PLACE-3).

use std::path::Path;
use std::sync::PoisonError;

use custom_models_core::store::{
    ArchiveStore, StoreError, StoreErrorKind, StoreIdentity, StoreSummary,
};

use super::Folder;
use super::lineage::changed;
use super::mark::Mark;
use super::place::Place;
use super::sweep::References;

/// The standing of a folder: its relation to the store that it was opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FolderStanding {
    /// The folder has the mark of the store. If it was opened for reading only, it may instead have files of
    /// the store.
    Owned,
    /// The folder is empty or missing, and the store refers to nothing. The first upload marks it.
    New,
    /// The folder has contents and no mark, and the store refers to none of them. Uploads are refused, and
    /// nothing is removed, until the folder is adopted.
    Unclaimed,
    /// The store is an older or diverged copy of the one in the mark, or such a copy has used the folder.
    /// Nothing is removed until the folder is adopted, since the files may belong to the other store.
    Behind,
    /// The folder is a copy of the one in which the mark was written, or was moved to another disk. Nothing
    /// is removed until the folder is adopted, since the copy may be a backup.
    Copied,
    /// The store refers to data, but the folder is empty or missing. It is not created again unless it is
    /// adopted.
    Vanished,
}

impl FolderStanding {
    /// Reads the mark of a folder, and determines its standing.
    pub(super) fn find(
        place: &dyn Place,
        store: &dyn ArchiveStore,
    ) -> Result<(Option<Mark>, StoreSummary, Self), StoreError> {
        let (mark, summary) = Mark::look(place, store)?;
        let standing = match mark {
            Some(mark) => FolderStanding::by_mark(&mark, &summary, place.root())?,
            None => FolderStanding::without_mark(place, store, &summary)?,
        };
        Ok((mark, summary, standing))
    }

    pub(super) fn by_mark(
        mark: &Mark,
        summary: &StoreSummary,
        root: &Path,
    ) -> Result<Self, StoreError> {
        if mark.identity != summary.identity {
            return Err(foreign(root, mark.identity, summary.identity));
        }
        if mark.is_copied {
            return Ok(FolderStanding::Copied);
        }
        let is_behind = mark.is_behind || mark.is_ahead_of(summary);
        Ok(if is_behind { FolderStanding::Behind } else { FolderStanding::Owned })
    }

    fn without_mark(
        place: &dyn Place,
        store: &dyn ArchiveStore,
        summary: &StoreSummary,
    ) -> Result<Self, StoreError> {
        let (mut has_contents, mut is_owned) = (false, false);
        for organisation in place.organisations()? {
            place.each_model(&organisation, &mut |model, entries| {
                has_contents |= !entries.is_empty();
                if !entries.is_empty() && summary.has_data {
                    let references = References::of(store, &organisation, model)?;
                    is_owned = entries.iter().any(|entry| references.has(&entry.name));
                }
                Ok(!is_owned)
            })?;
            if is_owned {
                return Ok(FolderStanding::Owned);
            }
        }
        Ok(match (has_contents, summary.has_data) {
            (true, _) => FolderStanding::Unclaimed,
            (false, true) => FolderStanding::Vanished,
            (false, false) => FolderStanding::New,
        })
    }
}

impl Mark {
    /// Writes the mark, unless another store has written its own meanwhile. Never lowers its numbers, and
    /// keeps its lineages.
    pub(super) fn put(self, place: &dyn Place, is_made: bool) -> Result<(), StoreError> {
        changed(|| {
            let mut lock = place.lock(is_made)?;
            let mut mark = self;
            if let Some(there) = lock.mark()? {
                if there.identity != self.identity {
                    return Err(foreign(place.root(), there.identity, self.identity));
                }
                mark.last_id = self.last_id.max(there.last_id);
                mark.events = self.events.max(there.events);
                (mark.lineage, mark.nexts) = (there.lineage, there.nexts);
                mark.is_behind |= there.is_behind;
                if mark == there {
                    return Ok(());
                }
            }
            lock.write(&mark)
        })
    }
}

impl Folder {
    /// Records the standing that a folder was found in: that the store is behind its mark, or, in a folder
    /// without a mark, that the store refers to some of its files.
    pub(super) fn remember(
        &mut self,
        mark: Option<Mark>,
        store: &dyn ArchiveStore,
    ) -> Result<(), StoreError> {
        let mark = match (self.standing(), mark) {
            (FolderStanding::Owned, None) => {
                // The store may be an old copy, which does not know all files of the newer one.
                let leftovers = self.leftovers(store)?;
                self.keep_back(leftovers.len());
                Mark::of(&self.store())
            }
            (FolderStanding::Behind, Some(mark)) if !mark.is_behind => {
                Mark { is_behind: true, ..mark }
            }
            _ => return Ok(()),
        };
        mark.put(&*self.place, true)
    }

    /// Checks that a file may be written: the folder has the mark of the store, or gets it now.
    pub(super) fn ensure_claimed(&self) -> Result<(), StoreError> {
        self.ensure_writable()?;
        match self.standing_and_mark()? {
            (_, Some(_)) => Ok(()),
            (FolderStanding::New, None) => self.claim(),
            (standing, None) => Err(self.unusable(standing)),
        }
    }

    fn claim(&self) -> Result<(), StoreError> {
        // Creates the folder, so that the mark is the first file in it.
        Mark::of(&self.store()).put(&*self.place, false)?;
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        *standing = FolderStanding::Owned;
        Ok(())
    }

    /// Checks that the data of the store can be read. A host calls it before it has data read.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] if the folder has vanished, or has files and none of them is the
    /// store's, and [`StoreErrorKind::ForeignData`] if it has the mark of another store by now.
    pub fn ensure_owned(&self) -> Result<(), StoreError> {
        match self.standing_and_mark()? {
            (_, Some(_)) | (FolderStanding::New, None) => Ok(()),
            // Without a mark a folder is read as it is.
            (FolderStanding::Owned, None) if self.is_read_only && self.place.exists() => Ok(()),
            (standing, None) => Err(self.unusable(standing)),
        }
    }

    pub(super) fn ensure_writable(&self) -> Result<(), StoreError> {
        if self.is_read_only { Err(StoreErrorKind::ReadOnly.into()) } else { Ok(()) }
    }

    /// Returns true if the folder has the mark of the store, and false if no file in it is the store's.
    fn holds_own(&self, found: (FolderStanding, Option<Mark>)) -> Result<bool, StoreError> {
        match found {
            (_, Some(_)) => Ok(true),
            (FolderStanding::New | FolderStanding::Unclaimed, None) => Ok(false),
            (standing, None) => Err(self.unusable(standing)),
        }
    }

    /// Checks that files can be removed. A host calls it before it removes the references to them.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] if the folder has vanished, [`StoreErrorKind::ForeignData`] if it has
    /// the mark of another store by now, and [`StoreErrorKind::ReadOnly`].
    pub fn ensure_removable(&self) -> Result<(), StoreError> {
        self.ensure_writable()?;
        self.holds_own(self.standing_and_mark()?).map(drop)
    }

    /// Returns true if files may be removed. Otherwise they may belong to a copy of the store or of the
    /// folder, or to the previous owner.
    pub(super) fn may_remove(&self) -> Result<bool, StoreError> {
        let found = self.standing_and_mark()?;
        self.ensure_writable()?;
        let is_kept_back = found.1.is_some_and(|mark| mark.is_behind || mark.is_copied);
        Ok(self.holds_own(found)? && !is_kept_back && !self.is_newly_adopted())
    }

    /// Returns the mark, if there is one. It is the store's own.
    pub(super) fn mark(&self) -> Result<Option<Mark>, StoreError> {
        let store = self.store().identity;
        match self.place.mark()? {
            Some(mark) if mark.identity != store => Err(foreign(self.root(), mark.identity, store)),
            mark => Ok(mark),
        }
    }

    /// Returns the standing, read before the mark, and the mark. In this order a folder that gets its mark
    /// meanwhile is not mistaken for one that lost it.
    fn standing_and_mark(&self) -> Result<(FolderStanding, Option<Mark>), StoreError> {
        let standing = self.standing();
        Ok((standing, self.mark()?))
    }

    fn store(&self) -> StoreSummary {
        *self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn unusable(&self, standing: FolderStanding) -> StoreError {
        let root = self.root().display();
        let cause = match standing {
            FolderStanding::Unclaimed => format!(
                "the folder '{root}' of training data has no mark, and the store refers to nothing in it: \
                --adopt takes it over"
            ),
            _ => format!(
                "the folder '{root}' of training data is gone, or its mark is: bring it back, or have \
                `sweep --adopt` make it anew"
            ),
        };
        StoreError::new(StoreErrorKind::Unavailable, cause)
    }
}

fn foreign(root: &Path, marked: StoreIdentity, store: StoreIdentity) -> StoreError {
    let root = root.display();
    let cause = format!(
        "the folder '{root}' of training data has the mark of store {marked}, this is store {store}: name the \
        right store and folder, or --adopt takes the folder over"
    );
    StoreError::new(StoreErrorKind::ForeignData, cause)
}
