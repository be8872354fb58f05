//! Snapshots: long consistent reads, while writes go on.
//!
//! Sled has no snapshots. While one is open here, the writer records the old values of the rows
//! that it changes. The reader takes the rows chunk by chunk, blocks the writer for each chunk, and
//! restores the old values in it.

use std::collections::{BTreeMap, btree_map};
use std::ops::Range;

use custom_models_core::store::StoreError;
use sled::Db;

use crate::database::Database;
use crate::error::call_sled;

/// The number of rows read at a time while the writer is blocked.
const CHUNK: usize = 256;

/// The rows below some prefixes, as they were when the snapshot was opened.
pub(crate) struct Snapshot<'a> {
    database: &'a Database,
    db: &'a Db,
    number: u64,
}

impl<'a> Snapshot<'a> {
    /// Opens a snapshot. `read` runs while the writer is blocked, so its result belongs to the
    /// snapshot.
    pub(crate) fn open<T>(
        database: &'a Database,
        db: &'a Db,
        prefixes: Vec<Vec<u8>>,
        read: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<(Self, T), StoreError> {
        let mut undo_log = database.block_writer();
        let found = read()?;
        let number = undo_log.begin(prefixes);
        Ok((Snapshot { database, db, number }, found))
    }

    /// A row of the snapshot.
    pub(crate) fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let undo_log = self.database.block_writer();
        match undo_log.row(self.number, key) {
            Some(before) => Ok(before.map(<[u8]>::to_vec)),
            None => Ok(call_sled(|| self.db.get(key))?.map(|row| row.to_vec())),
        }
    }

    /// The rows of a range of keys, in order.
    pub(crate) fn rows(&self, keys: Keys) -> Rows<'_> {
        Rows { snapshot: self, rest: Some(keys), chunk: BTreeMap::new().into_iter() }
    }

    /// The first rows of a range, and the range of the remaining keys.
    fn chunk(&self, keys: Keys) -> Result<(Chunk, Option<Keys>), StoreError> {
        let undo_log = self.database.block_writer();
        let mut chunk = Chunk::new();
        let mut found = self.db.range(keys.clone()).take(CHUNK);
        while let Some((key, row)) = call_sled(|| found.next().transpose())? {
            chunk.insert(key.to_vec(), row.to_vec());
        }
        let rest = match chunk.last_key_value() {
            Some((last, _)) if chunk.len() == CHUNK => {
                Some([last, &b"\0"[..]].concat()..keys.end.clone())
            }
            _ => None,
        };
        let end = rest.as_ref().map_or(&keys.end, |rest| &rest.start);
        for (key, before) in undo_log.rows(self.number, &keys.start..end) {
            match before {
                Some(row) => chunk.insert(key.clone(), row.clone()),
                None => chunk.remove(key),
            };
        }
        Ok((chunk, rest))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        self.database.block_writer().end(self.number);
    }
}

/// A range of keys.
type Keys = Range<Vec<u8>>;

/// Rows by their keys.
type Chunk = BTreeMap<Vec<u8>, Vec<u8>>;

/// An iterator over rows of a snapshot.
pub(crate) struct Rows<'a> {
    snapshot: &'a Snapshot<'a>,
    /// The keys after the chunk; `None` at the end.
    rest: Option<Keys>,
    chunk: btree_map::IntoIter<Vec<u8>, Vec<u8>>,
}

impl Iterator for Rows<'_> {
    type Item = Result<(Vec<u8>, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.chunk.next() {
                return Some(Ok(row));
            }
            match self.snapshot.chunk(self.rest.take()?) {
                Ok((chunk, rest)) => {
                    self.chunk = chunk.into_iter();
                    self.rest = rest;
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
