//! Exports, imports and the search for damage.

use std::cell::RefCell;

use custom_models_core::store::{
    ArchiveChange, ArchiveStore, Job, MOST_FINDINGS, Record, StoreError, StoreErrorKind,
    StoreSummary,
};

use crate::error::call_sled;
use crate::read::export;
use crate::rows::consistency::contradictions;
use crate::rows::counters::last_id;
use crate::rows::identity::lineage_from_rows;
use crate::rows::keys::{IDENTITY, LINEAGE};
use crate::rows::range::range;
use crate::rows::totals::Totals;
use crate::store::SledStore;

type Each<'a> = &'a mut dyn FnMut(Record) -> Result<(), StoreError>;

impl ArchiveStore for SledStore {
    /// Writes wait until the export is over, since sled has no snapshots.
    fn export(&self, each: Each<'_>) -> Result<(), StoreError> {
        let _blocked = self.database.block_writer();
        let (each, refused) = (RefCell::new(Some(each)), RefCell::new(None));
        let shown = self.database.read(|db| {
            // `read` repeats after an error, but records were passed on already.
            let Some(each) = each.borrow_mut().take() else {
                return Err(StoreErrorKind::Unavailable.into());
            };
            let shown = export::export(db, &mut |record| {
                // An error of the caller's is not one of the database.
                each(record).inspect_err(|error| *refused.borrow_mut() = Some(error.clone()))
            });
            if refused.borrow().is_some() { Ok(()) } else { shown }
        });
        refused.into_inner().map_or(shown, Err)
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        self.queue.apply(Job::Archive(change))?.archived()
    }

    fn summary(&self) -> Result<StoreSummary, StoreError> {
        let _blocked = self.database.block_writer();
        self.database.read(|db| {
            let [made, since] = [IDENTITY, LINEAGE].map(|key| call_sled(|| db.get(key)));
            let (identity, lineage) = lineage_from_rows(made?.as_deref(), since?.as_deref())?;
            Ok(StoreSummary {
                identity,
                lineage,
                last_id: last_id(db)?,
                events: Totals::read(db)?.events,
                has_data: range(db, b"d"..b"e").next().transpose()?.is_some(),
            })
        })
    }

    /// Checks every row, while the writer is blocked.
    fn verify(&self) -> Result<Vec<String>, StoreError> {
        let _blocked = self.database.block_writer();
        self.database.read(|db| {
            let mut findings = self.database.findings().to_vec();
            findings.extend(contradictions(db));
            findings.truncate(MOST_FINDINGS);
            Ok(findings)
        })
    }
}
