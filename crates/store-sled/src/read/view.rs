//! Consistent reads.
//!
//! A batch becomes visible in one step, and every write to the rows in question changes a version
//! row. So a read is consistent if the version was the same before and after it. If a write came
//! between, the read is repeated on a snapshot.

use std::ops::Range;

use custom_models_core::store::StoreError;
use sled::Db;

use crate::database::Database;
use crate::error::call_sled;
use crate::read::snapshot::Snapshot;
use crate::rows::overflow;

/// The rows that a read sees.
pub(crate) enum View<'a> {
    /// The current rows: the caller checks afterwards that no write came between.
    Live(&'a Db),
    /// The rows of a snapshot.
    Snapshot(&'a Snapshot<'a>),
}

/// Values with their keys, in order.
type Values<'a> = Box<dyn Iterator<Item = Result<(Vec<u8>, Vec<u8>), StoreError>> + 'a>;

impl View<'_> {
    /// The values of a range of keys, in order.
    pub(crate) fn values(&self, keys: Range<Vec<u8>>) -> Values<'_> {
        match self {
            View::Live(db) => {
                let mut rows = db.range(keys);
                let next = move || call_sled(|| rows.next().transpose()).transpose();
                Box::new(overflow::values(std::iter::from_fn(next)))
            }
            View::Snapshot(snapshot) => Box::new(overflow::values(snapshot.rows(keys))),
        }
    }
}

/// Reads rows below a prefix consistently. `version` reads what every write to them changes.
pub(crate) fn read_consistent<S: PartialEq + Copy, T>(
    database: &Database,
    prefix: Vec<u8>,
    version: impl Fn(&Db) -> Result<S, StoreError>,
    read: impl Fn(S, &View) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    database.read(|db| {
        let now = read_if_unchanged(|| version(db), |version| read(version, &View::Live(db)));
        if let Some(found) = now? {
            return found;
        }
        let prefixes = vec![prefix.clone()];
        let (snapshot, version) = Snapshot::open(database, db, prefixes, || version(db))?;
        read(version, &View::Snapshot(&snapshot))
    })
}

/// The value under a key.
pub(crate) fn read_value(database: &Database, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    database.read(|db| {
        let row = |key: &[u8]| Ok(call_sled(|| db.get(key))?.map(|row| row.to_vec()));
        match row(key)? {
            Some(first) if overflow::continuations(&first) > 0 => {
                let _blocked = database.block_writer();
                row(key)?.map(|first| overflow::whole(key, first, row)).transpose()
            }
            found => Ok(found),
        }
    })
}

/// Returns the result of `read`, or `None` if the version changed meanwhile; then the result, even
/// an error, means nothing.
fn read_if_unchanged<S: PartialEq + Copy, T>(
    version: impl Fn() -> Result<S, StoreError>,
    read: impl FnOnce(S) -> T,
) -> Result<Option<T>, StoreError> {
    let before = version()?;
    let found = read(before);
    Ok((version()? == before).then_some(found))
}

#[cfg(test)]
mod tests;
