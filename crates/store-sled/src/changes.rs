//! What a group of writes changes, key by key.

use std::collections::BTreeMap;

use custom_models_core::StoreError;
use sled::{Batch, Db};

use crate::fault::guarded;

/// The rows that a group changes, each as it was and as it is to be; `None` is no row.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    rows: BTreeMap<Vec<u8>, Change>,
}

#[derive(Debug)]
struct Change {
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
}

/// What is found of a group after the database was opened anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trace {
    /// All of it.
    Whole,
    /// None of it.
    Nothing,
    /// Some of it.
    Half,
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A row as the changes so far leave it; the outer `None` means that they leave it alone.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.rows.get(key).map(|change| change.after.as_deref())
    }

    /// Changes a row.
    ///
    /// Reads it as it was, which also brings its page into memory: so a page that cannot be read
    /// is found before a batch is begun, and not in the middle of it.
    pub(crate) fn set(
        &mut self,
        db: &Db,
        key: Vec<u8>,
        after: Option<Vec<u8>>,
    ) -> Result<(), StoreError> {
        if let Some(change) = self.rows.get_mut(&key) {
            change.after = after;
        } else {
            let before = stored(db, &key)?;
            self.rows.insert(key, Change { before, after });
        }
        Ok(())
    }

    /// The rows below a prefix that are changed, as they were.
    pub(crate) fn before(&self, prefix: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.below(prefix).map(|(key, change)| (key.as_slice(), change.before.as_deref()))
    }

    /// The rows below a prefix that are changed, as they are to be.
    pub(crate) fn after(&self, prefix: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.below(prefix).map(|(key, change)| (key.as_slice(), change.after.as_deref()))
    }

    fn below(&self, prefix: &[u8]) -> impl Iterator<Item = (&Vec<u8>, &Change)> {
        self.rows.range(prefix.to_vec()..).take_while(move |(key, _)| key.starts_with(prefix))
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

    /// The changes that take these back.
    pub(crate) fn undo(&self) -> Self {
        let back = |(key, change): (&Vec<u8>, &Change)| {
            let undone = Change { before: change.after.clone(), after: change.before.clone() };
            (key.clone(), undone)
        };
        Changes { rows: self.rows.iter().map(back).collect() }
    }

    /// How much of the changes is in the database.
    pub(crate) fn trace(&self, db: &Db) -> Result<Trace, StoreError> {
        let (mut is_whole, mut is_nothing) = (true, true);
        for (key, change) in &self.rows {
            let stored = stored(db, key)?;
            is_whole &= stored == change.after;
            is_nothing &= stored == change.before;
        }
        Ok(match (is_whole, is_nothing) {
            (true, _) => Trace::Whole,
            (_, true) => Trace::Nothing,
            (false, false) => Trace::Half,
        })
    }
}

fn stored(db: &Db, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(guarded(|| db.get(key))?.map(|value| value.to_vec()))
}
