//! The steps by which a mark and its store get a new lineage or a new identity. Any step may be the last one
//! before a crash (PLACE-2).
//!
//! All of it is done under the lock of the mark, or against the mark that was read: where two processes may be at it at
//! once, a mark keeps the lineages that either may be giving, and the store takes one. For a lineage, the mark is written with the lineage of the store and the next
//! one, then the store gets the next one, then the mark is written with that alone: at any time the lineage of
//! the store is one of the mark's. For an identity, the mark is written aside, then the store gets the identity, then
//! the mark is put in its place, by the next opening if need be.

use custom_models_core::store::{
    ArchiveChange, ArchiveStore, Lineage, StoreError, StoreErrorKind, StoreIdentity, StoreSummary,
};
use uuid::Uuid;

use super::FolderStanding;
use super::mark::{Mark, Nexts};
use super::place::{MarkLock, Place};

/// The number of times that a mark and its store are looked at anew because they change meanwhile.
const ATTEMPTS: u32 = 8;

/// The number of times that a change of a mark is begun anew when another process is faster.
const CHANGES: u32 = 3;

/// Makes a change of a mark, anew if another process was faster.
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
    /// Reads the mark of a folder and asks its store, so that neither is from before the other.
    pub(super) fn look(
        place: &dyn Place,
        store: &dyn ArchiveStore,
    ) -> Result<(Option<Self>, StoreSummary), StoreError> {
        let mut mark = place.mark()?;
        for _ in 0..ATTEMPTS {
            let summary = store.summary()?;
            // One that did not change while the store was asked is of the same moment.
            match place.mark()? {
                same if same == mark => return Ok((mark, summary)),
                changed => mark = changed,
            }
        }
        Err(StoreErrorKind::Busy.into())
    }

    /// Judges the store again, under the lock, and records what it finds: that the store is behind, or how far
    /// it is, with a new lineage. `None` if the mark is gone.
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

    /// Gives the store a new identity, and the folder the mark of it, which lies aside before the store is changed.
    /// A failure before the change leaves the folder to whom it belonged.
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

    /// Ends an adoption that did not come to its end after the store had got its new identity: the mark that lies
    /// aside is put in its place if it is exactly that of the store.
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
    // Those that were drawn for a lineage that the store does not have any more come to nothing.
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
