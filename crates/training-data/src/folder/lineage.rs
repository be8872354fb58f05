//! The steps by which a mark and its store get a new lineage or a new identity. Any step may be the last one
//! before a crash (PLACE-2).
//!
//! All of it is done under the lock of the mark. For a lineage, the mark is written with the lineage of the store and the next
//! one, then the store gets the next one, then the mark is written with that alone: at any time the lineage of
//! the store is one of the mark's. For an identity, the mark is written aside, then the store gets the identity, then
//! the mark is put in its place, by the next opening if need be.

use std::path::Path;

use custom_models_core::{
    ArchiveChange, ArchiveStore, Lineage, StoreError, StoreErrorKind, StoreIdentity, StoreSummary,
};
use uuid::Uuid;

use super::FolderStanding;
use super::mark::{Mark, MarkLock};

/// The number of times that a mark and its store are looked at anew because they change meanwhile.
const ATTEMPTS: u32 = 8;

impl Mark {
    /// Reads the mark of a folder and asks its store, so that neither is from before the other.
    pub(super) fn look(
        root: &Path,
        store: &dyn ArchiveStore,
    ) -> Result<(Option<Self>, StoreSummary), StoreError> {
        let mut mark = Mark::read(root)?;
        for _ in 0..ATTEMPTS {
            let summary = store.summary()?;
            // One that did not change while the store was asked is of the same moment.
            match Mark::read(root)? {
                same if same == mark => return Ok((mark, summary)),
                changed => mark = changed,
            }
        }
        Err(StoreErrorKind::Busy.into())
    }

    /// Judges the store again, under the lock, and records what it finds: that the store is behind, or how far
    /// it is, with a new lineage. `None` if the mark is gone.
    pub(super) fn record(
        root: &Path,
        store: &dyn ArchiveStore,
    ) -> Result<Option<(FolderStanding, StoreSummary)>, StoreError> {
        let lock = MarkLock::take(root)?;
        let Some(mark) = Mark::read(root)? else { return Ok(None) };
        let mut summary = store.summary()?;
        let standing = FolderStanding::by_mark(&mark, &summary, root)?;
        match standing {
            FolderStanding::Behind if !mark.is_behind => {
                Mark { is_behind: true, ..mark }.write(root, &lock)?;
            }
            FolderStanding::Owned if !mark.is_of(&summary) => {
                summary = renew(root, &lock, store, summary)?;
            }
            _ => {}
        }
        Ok(Some((standing, summary)))
    }

    /// Gives the store a new identity, and the folder the mark of it, which lies aside before the store is changed.
    /// A failure before the change leaves the folder to whom it belonged.
    pub(super) fn adopt(
        root: &Path,
        lock: &MarkLock,
        store: &dyn ArchiveStore,
    ) -> Result<StoreSummary, StoreError> {
        let (before, lineage) = (store.summary()?, drawn());
        let identity = StoreIdentity::from_bytes(*Uuid::new_v4().as_bytes());
        Mark { identity, lineage: Some(lineage), ..Mark::of(&before) }.prepare(root, lock)?;
        let adopted = replace(store, &before, (identity, lineage)).inspect_err(|fault| {
            if fault.kind() != StoreErrorKind::OutcomeUnknown {
                Mark::drop_prepared(root);
            }
        })?;
        Mark::put_prepared(root, lock)?;
        Ok(adopted)
    }

    /// Ends an adoption that did not come to its end after the store had got its new identity: the mark that lies
    /// aside is put in its place if it is exactly that of the store.
    pub(super) fn finish_adoption(root: &Path, store: &dyn ArchiveStore) -> Result<(), StoreError> {
        if Mark::prepared(root).is_none() {
            return Ok(());
        }
        let lock = MarkLock::take(root)?;
        let StoreSummary { identity, lineage, .. } = store.summary()?;
        match Mark::prepared(root) {
            Some(mark) if (mark.identity, mark.lineage) == (identity, lineage) => {
                Mark::put_prepared(root, &lock)
            }
            _ => Ok(()),
        }
    }
}

fn renew(
    root: &Path,
    lock: &MarkLock,
    store: &dyn ArchiveStore,
    summary: StoreSummary,
) -> Result<StoreSummary, StoreError> {
    let next = drawn();
    let mark = Mark { lineage: summary.lineage, next: Some(next), ..Mark::of(&summary) };
    mark.write(root, lock)?;
    let renewed = replace(store, &summary, (summary.identity, next))?;
    Mark { lineage: Some(next), next: None, ..mark }.write(root, lock)?;
    Ok(renewed)
}

fn replace(
    store: &dyn ArchiveStore,
    summary: &StoreSummary,
    new: (StoreIdentity, Lineage),
) -> Result<StoreSummary, StoreError> {
    let expected = (summary.identity, summary.lineage);
    match store.archive(ArchiveChange::ReplaceIdentity { expected, new })? {
        0 => {
            let cause = "the identity of the store was replaced at the same time";
            Err(StoreError::new(StoreErrorKind::Busy, cause))
        }
        _ => Ok(StoreSummary { identity: new.0, lineage: Some(new.1), ..*summary }),
    }
}

fn drawn() -> Lineage {
    let (_, random) = Uuid::new_v4().as_u64_pair();
    Lineage::new(random)
}
