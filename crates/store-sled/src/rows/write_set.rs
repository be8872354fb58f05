//! The changes of a group of writes.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};

use custom_models_core::store::StoreError;
use sled::{Batch, Db};

use crate::error::call_sled;
use crate::rows::overflow::Edits;
use crate::rows::range::{Rows, below};

/// The rows that a group changes, with their old and new values.
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteSet {
    rows: BTreeMap<Vec<u8>, RowChange>,
}

/// The old and the new value of a row; `None` is no row.
#[derive(Clone, Debug)]
pub(crate) struct RowChange {
    pub(crate) before: Option<Vec<u8>>,
    pub(crate) after: Option<Vec<u8>>,
}

impl WriteSet {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// A row with the changes so far.
    pub(crate) fn row(&self, db: &Db, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.rows.get(key) {
            Some(change) => Ok(change.after.clone()),
            None => stored(db, key),
        }
    }

    /// The rows below a prefix with the changes so far.
    pub(crate) fn rows(
        &self,
        db: &Db,
        prefix: &[u8],
    ) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, StoreError> {
        let mut rows: BTreeMap<_, _> = below(db, prefix)?.into_iter().collect();
        for (key, change) in self.below(prefix) {
            match &change.after {
                Some(row) => drop(rows.insert(key.clone(), row.clone())),
                None => drop(rows.remove(key)),
            }
        }
        Ok(rows)
    }

    /// The last key below a prefix with the changes so far.
    pub(crate) fn last_key(&self, db: &Db, prefix: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let end = [prefix, &[u8::MAX; 32]].concat();
        let all = (Bound::Included(prefix), Bound::Excluded(end.as_slice()));
        let changed = self.rows.range::<[u8], _>(all);
        let set = changed.rev().find(|(_, change)| change.after.is_some());
        let set = set.map(|(key, _)| key.clone());
        let mut rows = db.scan_prefix(prefix);
        let unchanged = loop {
            match call_sled(|| rows.next_back().transpose())? {
                Some((key, _)) if self.rows.contains_key(key.as_ref()) => {}
                found => break found.map(|(key, _)| key.to_vec()),
            }
        };
        Ok(set.max(unchanged))
    }

    /// The first keys of a range with the changes so far.
    pub(crate) fn first_keys(
        &self,
        db: &Db,
        keys: Range<Vec<u8>>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let rows = self.first_rows(db, keys, limit)?;
        Ok(rows.into_iter().map(|(key, _)| key).collect())
    }

    /// The first rows of a range with the changes so far.
    pub(crate) fn first_rows(
        &self,
        db: &Db,
        keys: Range<Vec<u8>>,
        limit: usize,
    ) -> Result<Rows, StoreError> {
        let changed = self.rows.range::<Vec<u8>, _>(&keys.start..&keys.end);
        let changed = changed.filter_map(|(key, change)| Some((key, change.after.as_ref()?)));
        let changed = changed.map(|(key, row)| (key.clone(), row.clone()));
        let mut found: Rows = changed.take(limit).collect();
        let mut rows = db.range(keys);
        let mut unchanged = 0;
        while unchanged < limit
            && let Some((key, row)) = call_sled(|| rows.next().transpose())?
        {
            if !self.rows.contains_key(key.as_ref()) {
                found.push((key.to_vec(), row.to_vec()));
                unchanged += 1;
            }
        }
        found.sort();
        found.truncate(limit);
        Ok(found)
    }

    /// Changes a row.
    pub(crate) fn set(
        &mut self,
        db: &Db,
        key: Vec<u8>,
        after: Option<Vec<u8>>,
    ) -> Result<(), StoreError> {
        self.set_all(db, vec![(key, after)])
    }

    /// Changes rows, or none of them if there is an error.
    ///
    /// Reads the old value of each row, which also loads its page. So an unreadable page fails
    /// here, and not in the middle of a batch.
    pub(crate) fn set_all(&mut self, db: &Db, edits: Edits) -> Result<(), StoreError> {
        let unknown = edits.iter().filter(|(key, _)| !self.rows.contains_key(key));
        let read = unknown.map(|(key, _)| Ok((key.clone(), stored(db, key)?)));
        let mut stored = read.collect::<Result<BTreeMap<_, _>, StoreError>>()?;
        for (key, after) in edits {
            let before = stored.remove(&key).flatten();
            let change = self.rows.entry(key).or_insert(RowChange { before, after: None });
            change.after = after;
        }
        Ok(())
    }

    /// The changed rows below a prefix, with their old values.
    pub(crate) fn before(&self, prefix: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.below(prefix).map(|(key, change)| (key.as_slice(), change.before.as_deref()))
    }

    /// The changed rows below a prefix.
    pub(crate) fn below(&self, prefix: &[u8]) -> impl Iterator<Item = (&Vec<u8>, &RowChange)> {
        self.rows.range(prefix.to_vec()..).take_while(move |(key, _)| key.starts_with(prefix))
    }

    /// The new value of a changed row.
    pub(crate) fn after(&self, key: &[u8]) -> Option<&[u8]> {
        self.rows.get(key)?.after.as_deref()
    }

    /// The changes as a batch of sled's.
    pub(crate) fn batch(&self) -> Batch {
        let mut batch = Batch::default();
        for (key, change) in &self.rows {
            match &change.after {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        batch
    }

    /// Returns true if every changed row has its new value in the database.
    pub(crate) fn is_applied(&self, db: &Db) -> Result<bool, StoreError> {
        for (key, change) in &self.rows {
            if stored(db, key)? != change.after {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn stored(db: &Db, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(call_sled(|| db.get(key))?.map(|value| value.to_vec()))
}
