//! The counter of each organisation, and the last id.

use custom_models_core::store::StoreError;
use custom_models_core::{ModelId, Organisation};
use sled::Db;

use crate::error::{call_sled, damaged};
use crate::rows::keys::{LAST_ID, counter_key, number};

/// The counters of an organisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counter {
    /// The number of its models.
    pub(crate) models: u64,
    /// The number of writes that changed its models or their data. If two reads find the same
    /// number, they found the same models.
    pub(crate) changes: u64,
}

impl Counter {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [self.models.to_be_bytes(), self.changes.to_be_bytes()].concat()
    }

    /// Decodes a counter. An organisation without a row has no models.
    pub(crate) fn from_row(row: Option<&[u8]>) -> Result<Self, StoreError> {
        let counter = row.map_or(Some(Counter::default()), Counter::from_bytes);
        counter.ok_or_else(|| damaged("an invalid counter"))
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (models, changes) = bytes.split_first_chunk()?;
        Some(Counter { models: u64::from_be_bytes(*models), changes: number(changes)? })
    }
}

/// The last id that was assigned.
pub(crate) fn last_id(db: &Db) -> Result<u64, StoreError> {
    match call_sled(|| db.get(LAST_ID))? {
        None => Ok(0),
        Some(id) => number(&id)
            .filter(|id| *id <= ModelId::MAX)
            .ok_or_else(|| damaged("an invalid last id")),
    }
}

/// The counter of an organisation.
pub(crate) fn counter(db: &Db, organisation: &Organisation) -> Result<Counter, StoreError> {
    Counter::from_row(call_sled(|| db.get(counter_key(organisation)))?.as_deref())
}

#[cfg(test)]
mod tests;
