//! The repair of a store of layout 1 that was not closed cleanly.
//!
//! Layout 1 had no journal, and a batch that sled aborts in the middle is not atomic: any of its
//! rows may be there, each complete. So an unacknowledged model may be there without being counted,
//! or be counted without being there.

use custom_models_core::store::StoreError;
use sled::{Batch, Db};

use crate::error::{call_sled, damaged};
use crate::rows::counters;
use crate::rows::counters::Counter;
use crate::rows::keys::{
    ALL_COUNTERS, ALL_MODELS, LAST_ID, counter_key_of, id_of, models_of, organisation_of,
};

/// The changes that set each counter to the number of its organisation's models, and the last id to
/// at least every existing id; `None` if there is nothing to correct.
///
/// An unreadable counter does not come from an aborted batch. It stays, and fails the operations
/// that need it.
pub(crate) fn corrections(db: &Db) -> Result<Option<Batch>, StoreError> {
    let mut corrections = Corrections { db, batch: Batch::default(), is_empty: true };
    let largest_id = corrections.count_models()?;
    corrections.empty_counters()?;
    if largest_id > counters::last_id(db)? {
        corrections.insert(LAST_ID, &largest_id.to_be_bytes());
    }
    Ok((!corrections.is_empty).then_some(corrections.batch))
}

struct Corrections<'a> {
    db: &'a Db,
    batch: Batch,
    is_empty: bool,
}

impl Corrections<'_> {
    /// Corrects the counters of organisations with models. Returns the largest id.
    fn count_models(&mut self) -> Result<u64, StoreError> {
        let (mut largest_id, mut models) = (0, 0);
        let mut organisation = Vec::new();
        let mut all = self.db.range(ALL_MODELS);
        while let Some((key, _)) = call_sled(|| all.next().transpose())? {
            let found =
                organisation_of(&key).ok_or_else(|| damaged("a model without an organisation"))?;
            let id = id_of(&key).ok_or_else(|| damaged("an id out of range"))?;
            if found != organisation {
                self.compare(&organisation, models)?;
                organisation = found.to_vec();
                models = 0;
            }
            models += 1;
            largest_id = largest_id.max(id.get());
        }
        self.compare(&organisation, models)?;
        Ok(largest_id)
    }

    /// Corrects the counters of organisations without models.
    fn empty_counters(&mut self) -> Result<(), StoreError> {
        let mut all = self.db.range(ALL_COUNTERS);
        while let Some((key, _)) = call_sled(|| all.next().transpose())? {
            let organisation = key.get(1..).unwrap_or_default();
            let mut models = self.db.range(models_of(organisation));
            if call_sled(|| models.next().transpose())?.is_none() {
                self.compare(organisation, 0)?;
            }
        }
        Ok(())
    }

    fn compare(&mut self, organisation: &[u8], models: u64) -> Result<(), StoreError> {
        let key = counter_key_of(organisation);
        let counter = match call_sled(|| self.db.get(&key))? {
            None => Some(Counter::default()),
            Some(counter) => Counter::from_bytes(&counter),
        };
        if let Some(counter) = counter.filter(|counter| counter.models != models) {
            let changes = counter.changes.wrapping_add(1);
            self.insert(&key, &Counter { models, changes }.to_bytes());
        }
        Ok(())
    }

    fn insert(&mut self, key: &[u8], value: &[u8]) {
        self.batch.insert(key, value);
        self.is_empty = false;
    }
}
