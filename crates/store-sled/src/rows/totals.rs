//! The totals of the whole store, in one row that every group changes.
//!
//! The generation is the number of the last group. A database with a lower one than was seen before
//! has lost groups. The number of events never falls: an erased history still counts.

use custom_models_core::store::StoreError;
use sled::Db;

use crate::error::{call_sled, damaged};
use crate::rows::counters::Counter;
use crate::rows::keys::{ALL_COUNTERS, TOTALS, number};
use crate::rows::records::{HISTORIES, HistoryBounds};
use crate::rows::write_set::{RowChange, WriteSet};

/// The totals of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// The number of groups that changed something; 1 for a new or a migrated store.
    pub(crate) generation: u64,
    /// The number of models of all organisations.
    pub(crate) models: u64,
    /// The number of events that were ever appended, purged and erased ones included.
    pub(crate) events: u64,
}

impl Totals {
    /// The totals of a database in the current layout.
    pub(crate) fn read(db: &Db) -> Result<Self, StoreError> {
        Totals::from_row(call_sled(|| db.get(TOTALS))?.as_deref())
    }

    pub(crate) fn from_row(row: Option<&[u8]>) -> Result<Self, StoreError> {
        let totals = row.and_then(|row| {
            let (generation, rest) = row.split_first_chunk()?;
            let (models, events) = rest.split_first_chunk()?;
            let generation = u64::from_be_bytes(*generation);
            let models = u64::from_be_bytes(*models);
            Some(Totals { generation, models, events: number(events)? })
        });
        totals.ok_or_else(|| damaged("the totals of the store are missing or invalid"))
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let Totals { generation, models, events } = self;
        [generation, models, events].map(u64::to_be_bytes).concat()
    }

    /// Sums up a database in a layout without totals.
    pub(crate) fn count(db: &Db) -> Result<Self, StoreError> {
        let mut totals = Totals { generation: 1, ..Totals::default() };
        let mut counters = db.range(ALL_COUNTERS);
        while let Some((_, row)) = call_sled(|| counters.next().transpose())? {
            // An unreadable counter fails the operations that need it.
            let models = Counter::from_bytes(&row).map_or(0, |counter| counter.models);
            totals.models = totals.models.saturating_add(models);
        }
        let mut histories = db.scan_prefix(HISTORIES);
        while let Some((_, row)) = call_sled(|| histories.next().transpose())? {
            let last = HistoryBounds::from_row(Some(&row)).map_or(0, |history| history.last);
            totals.events = totals.events.saturating_add(last);
        }
        Ok(totals)
    }

    /// The totals after a group.
    pub(crate) fn after(self, changes: &WriteSet) -> Self {
        let Totals { generation, mut models, mut events } = self;
        for RowChange { before, after } in changes.below(ALL_COUNTERS.start).map(|(_, it)| it) {
            let counted = |row: &Option<Vec<u8>>| {
                row.as_deref().and_then(Counter::from_bytes).map_or(0, |counter| counter.models)
            };
            models = models.saturating_add(counted(after)).saturating_sub(counted(before));
        }
        for RowChange { before, after } in changes.below(HISTORIES).map(|(_, it)| it) {
            let last = |row: &Option<Vec<u8>>| {
                HistoryBounds::from_row(row.as_deref()).map_or(0, |history| history.last)
            };
            events = events.saturating_add(last(after).saturating_sub(last(before)));
        }
        Totals { generation: generation.saturating_add(1), models, events }
    }
}

#[cfg(test)]
mod tests;
