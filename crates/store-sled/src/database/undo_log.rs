//! The undo log: the old contents of rows that changed while a snapshot is open.
//!
//! Sled has no snapshots. The writer records here what it is about to change, for every open
//! snapshot.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::rows::write_set::WriteSet;

/// The open snapshots, by their numbers.
#[derive(Default)]
pub(crate) struct UndoLog {
    last: u64,
    open: HashMap<u64, Undo>,
}

/// The rows below some prefixes that changed since a snapshot was opened, with their old values.
struct Undo {
    prefixes: Vec<Vec<u8>>,
    rows: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl UndoLog {
    /// Opens a snapshot of the rows below prefixes, and returns its number.
    pub(crate) fn begin(&mut self, prefixes: Vec<Vec<u8>>) -> u64 {
        self.last += 1;
        self.open.insert(self.last, Undo { prefixes, rows: BTreeMap::new() });
        self.last
    }

    /// Closes a snapshot.
    pub(crate) fn end(&mut self, snapshot: u64) {
        self.open.remove(&snapshot);
    }

    /// Records the old values of rows that are about to change, for every open snapshot.
    pub(crate) fn record(&mut self, changes: &WriteSet) {
        for undo in self.open.values_mut() {
            for (key, before) in undo.prefixes.iter().flat_map(|prefix| changes.before(prefix)) {
                undo.rows.entry(key.to_vec()).or_insert_with(|| before.map(<[u8]>::to_vec));
            }
        }
    }

    /// The old value of a row; `None` if the row has not changed since the snapshot was opened.
    pub(crate) fn row(&self, snapshot: u64, key: &[u8]) -> Option<Option<&[u8]>> {
        self.open.get(&snapshot)?.rows.get(key).map(Option::as_deref)
    }

    /// The number of rows recorded for each open snapshot.
    #[cfg(test)]
    pub(crate) fn rows_kept(&self) -> Vec<usize> {
        self.open.values().map(|undo| undo.rows.len()).collect()
    }

    /// The rows of a range that changed since a snapshot was opened, with their old values.
    pub(crate) fn rows<'a>(
        &'a self,
        snapshot: u64,
        keys: Range<&'a Vec<u8>>,
    ) -> impl Iterator<Item = (&'a Vec<u8>, &'a Option<Vec<u8>>)> {
        let undo = self.open.get(&snapshot).map(|undo| undo.rows.range::<Vec<u8>, _>(keys));
        undo.into_iter().flatten()
    }
}
