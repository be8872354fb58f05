//! The steps by which a mark and its store get a new lineage or a new identity. A crash may come after any
//! step (PLACE-2).
//!
//! All steps are taken under the lock of the mark, or on the condition that the mark has not changed since it
//! was read. Where two processes may take them at once, a mark keeps the lineages that either may be giving,
//! and the store takes one.
//!
//! For a new lineage, the mark is written with the current lineage of the store and the next one; then the
//! store gets the next one; then the mark is written with that one alone. So the lineage of the store is
//! always in the mark. For a new identity, a second mark is written; then the store gets the identity; then
//! the second mark replaces the first, by the next opening if need be.

use custom_models_core::store::{
    ArchiveChange, ArchiveStore, Lineage, StoreError, StoreErrorKind, StoreIdentity, StoreSummary,
};
use uuid::Uuid;

use super::FolderStanding;
use super::mark::{Mark, Nexts};
use super::place::{MarkLock, Place};

/// The most attempts to read a mark and its store while they change.
const ATTEMPTS: u32 = 8;

/// The most attempts to change a mark while other processes change it.
const CHANGES: u32 = 3;

/// Changes a mark, again if another process was faster.
pub(super) fn changed<T>(
    mut change: impl FnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut changed = change();
    for _ in 1..CHANGES {
        match changed {
            Err(fault) if fault.kind() == StoreErrorKind::Busy => changed = change(),
            changed => return changed,
        }
    }
    changed
}

impl Mark {
    /// Reads the mark of a folder and its store, so that neither is older than the other.
    pub(super) fn look(
        place: &dyn Place,
        store: &dyn ArchiveStore,
    ) -> Result<(Option<Self>, StoreSummary), StoreError> {
        let mut mark = place.mark()?;
        for _ in 0..ATTEMPTS {
            let summary = store.summary()?;
            // A mark that did not change while the store was read belongs to the same state.
            match place.mark()? {
                same if same == mark => return Ok((mark, summary)),
                changed => mark = changed,
            }
        }
        Err(StoreErrorKind::Busy.into())
    }

    /// Judges the store again, under the lock, and records the result: that the store is behind, or its
    /// progress with a new lineage. `None` if the mark is gone.
    pub(super) fn record(
        place: &dyn Place,
        store: &dyn ArchiveStore,
    ) -> Result<Option<(FolderStanding, StoreSummary)>, StoreError> {
        changed(|| {
            let mut lock = place.lock(true)?;
            let Some(mark) = lock.mark()? else { return Ok(None) };
            let mut summary = store.summary()?;
            let standing = FolderStanding::by_mark(&mark, &summary, place.root())?;
            match standing {
                FolderStanding::Behind if !mark.is_behind => {
                    lock.write(&Mark { is_behind: true, ..mark })?;
                }
                FolderStanding::Owned if !mark.is_of(&summary) => {
                    summary = renew(&mut *lock, &mark, store, summary)?;
                }
                _ => {}
            }
            Ok(Some((standing, summary)))
        })
    }

    /// Gives the store a new identity, and the folder its mark, which is written to a second file before the
    /// store is changed. After an error before that change the folder still belongs to its previous owner.
    pub(super) fn adopt(
        lock: &mut dyn MarkLock,
        store: &dyn ArchiveStore,
    ) -> Result<StoreSummary, StoreError> {
        let (before, lineage) = (store.summary()?, drawn());
        let identity = StoreIdentity::from_bytes(*Uuid::new_v4().as_bytes());
        lock.prepare(&Mark { identity, lineage: Some(lineage), ..Mark::of(&before) })?;
        let adopted = replace(store, &before, (identity, lineage)).inspect_err(|fault| {
            if fault.kind() != StoreErrorKind::OutcomeUnknown {
                lock.drop_prepared();
            }
        })?;
        lock.put_prepared()?;
        Ok(adopted)
    }

    /// Finishes an adoption that was interrupted after the store had got its new identity: the second mark
    /// replaces the first if it is exactly that of the store.
    pub(super) fn finish_adoption(
        place: &dyn Place,
        store: &dyn ArchiveStore,
    ) -> Result<(), StoreError> {
        if place.prepared().is_none() {
            return Ok(());
        }
        let mut lock = place.lock(true)?;
        let StoreSummary { identity, lineage, .. } = store.summary()?;
        match lock.prepared() {
            Some(mark) if (mark.identity, mark.lineage) == (identity, lineage) => {
                lock.put_prepared()
            }
            _ => Ok(()),
        }
    }
}

fn renew(
    lock: &mut dyn MarkLock,
    there: &Mark,
    store: &dyn ArchiveStore,
    summary: StoreSummary,
) -> Result<StoreSummary, StoreError> {
    let next = drawn();
    // Lineages drawn to replace one that the store does not have any more are dropped.
    let drawn = if there.lineage == summary.lineage { there.nexts } else { Nexts::NONE };
    let mark = Mark { lineage: summary.lineage, nexts: drawn.and(next), ..Mark::of(&summary) };
    lock.write(&mark)?;
    let renewed = replace(store, &summary, (summary.identity, next))?;
    lock.write(&Mark { lineage: Some(next), nexts: Nexts::NONE, ..mark })?;
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
