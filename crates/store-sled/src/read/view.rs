//! Readings of one moment.
//!
//! A batch becomes visible in one step, and every write that changes what is read changes a stamp: so a
//! reading between two readings of the same stamp saw one moment. When a write came between, it is read
//! again, with the writer's help.

use std::ops::Range;

use custom_models_core::store::StoreError;
use sled::Db;

use crate::database::Database;
use crate::error::guarded;
use crate::read::snapshot::UnixMillis;
use crate::rows::overflow;

/// The rows that a reading sees: as they are when it is their turn, or as they were at a moment.
pub(crate) enum View<'a> {
    /// For those who find out afterwards whether a write came between.
    Now(&'a Db),
    /// With the writer's help.
    Then(&'a UnixMillis<'a>),
}

/// Values under their keys, in order.
type Values<'a> = Box<dyn Iterator<Item = Result<(Vec<u8>, Vec<u8>), StoreError>> + 'a>;

impl View<'_> {
    /// The values of a range of keys, in order.
    pub(crate) fn values(&self, keys: Range<Vec<u8>>) -> Values<'_> {
        match self {
            View::Now(db) => {
                let mut rows = db.range(keys);
                let next = move || guarded(|| rows.next().transpose()).transpose();
                Box::new(overflow::values(std::iter::from_fn(next)))
            }
            View::Then(moment) => Box::new(overflow::values(moment.rows(keys))),
        }
    }
}

/// Reads what lies below a prefix, as it is at one moment, together with the stamp that every write to
/// it changes.
pub(crate) fn view<S: PartialEq + Copy, T>(
    database: &Database,
    prefix: Vec<u8>,
    stamp: impl Fn(&Db) -> Result<S, StoreError>,
    read: impl Fn(S, &View) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    database.read(|db| {
        let now = undisturbed(|| stamp(db), |stamp| read(stamp, &View::Now(db)));
        if let Some(found) = now? {
            return found;
        }
        let prefixes = vec![prefix.clone()];
        let (moment, stamp) = UnixMillis::open(database, db, prefixes, || stamp(db))?;
        read(stamp, &View::Then(&moment))
    })
}

/// The value of one key.
pub(crate) fn value(database: &Database, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    database.read(|db| {
        let row = |key: &[u8]| Ok(guarded(|| db.get(key))?.map(|row| row.to_vec()));
        match row(key)? {
            Some(first) if overflow::others(&first) > 0 => {
                let _still = database.stand_still();
                row(key)?.map(|first| overflow::whole(key, first, row)).transpose()
            }
            found => Ok(found),
        }
    })
}

/// Returns the result of `read`, or `None` if the stamp changed meanwhile. Then the result may be
/// anything, and an error as well.
fn undisturbed<S: PartialEq + Copy, T>(
    stamp: impl Fn() -> Result<S, StoreError>,
    read: impl FnOnce(S) -> T,
) -> Result<Option<T>, StoreError> {
    let before = stamp()?;
    let found = read(before);
    Ok((stamp()? == before).then_some(found))
}

#[cfg(test)]
mod tests;
