//! The changes of a group of writes, key by key.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};

use custom_models_core::store::StoreError;
use sled::{Batch, Db};

use crate::error::call_sled;
use crate::rows::overflow::Edits;
use crate::rows::range::below;

/// The rows that a group changes, each as it was and as it is to be; `None` is no row.
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteSet {
    rows: BTreeMap<Vec<u8>, RowChange>,
}

/// A row as it was and as it is to be.
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

    /// A row, as the changes so far leave it.
    pub(crate) fn row(&self, db: &Db, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.rows.get(key) {
            Some(change) => Ok(change.after.clone()),
            None => stored(db, key),
        }
    }

    /// The rows below a prefix, as the changes so far leave them.
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

    /// The last key below a prefix, as the changes so far leave it.
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

    /// The first keys of a range, as the changes so far leave it.
    pub(crate) fn first_keys(
        &self,
        db: &Db,
        keys: Range<Vec<u8>>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let changed = self.rows.range::<Vec<u8>, _>(&keys.start..&keys.end);
        let changed = changed.filter(|(_, change)| change.after.is_some());
        let mut found: Vec<_> = changed.map(|(key, _)| key.clone()).take(limit).collect();
        let mut rows = db.range(keys);
        let mut unchanged = 0;
        while unchanged < limit
            && let Some((key, _)) = call_sled(|| rows.next().transpose())?
        {
            if !self.rows.contains_key(key.as_ref()) {
                found.push(key.to_vec());
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

    /// Changes rows, all of them or, with an error, none.
    ///
    /// Reads each as it was, which also brings its page into memory: so a page that cannot be read
    /// is found before a batch is begun, and not in the middle of it.
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

    /// The rows below a prefix that are changed, as they were.
    pub(crate) fn before(&self, prefix: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.below(prefix).map(|(key, change)| (key.as_slice(), change.before.as_deref()))
    }

    /// The rows below a prefix that are changed.
    pub(crate) fn below(&self, prefix: &[u8]) -> impl Iterator<Item = (&Vec<u8>, &RowChange)> {
        self.rows.range(prefix.to_vec()..).take_while(move |(key, _)| key.starts_with(prefix))
    }

    /// A row that is changed, as it is to be.
    pub(crate) fn after(&self, key: &[u8]) -> Option<&[u8]> {
        self.rows.get(key)?.after.as_deref()
    }

    /// The changes as sled makes them.
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

    /// Returns true if every row in the database is as the changes leave it.
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
