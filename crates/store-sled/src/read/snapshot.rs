//! Long readings of one moment, while writes go on.
//!
//! Sled has no snapshots. So whoever reads for long opens a moment; from then on the writer keeps for
//! it what it changes, as it was. The reader takes piece after piece, each while the writer stands
//! still, and puts back into it what changed since the moment.

use std::collections::{BTreeMap, btree_map};
use std::ops::Range;

use custom_models_core::store::StoreError;
use sled::Db;

use crate::database::Database;
use crate::error::guarded;

/// The number of rows that are read at a time while the writer waits.
const PIECE: usize = 256;

/// The rows below some prefixes, as they were at one moment.
pub(crate) struct UnixMillis<'a> {
    database: &'a Database,
    db: &'a Db,
    number: u64,
}

impl<'a> UnixMillis<'a> {
    /// Makes this the moment. What `read` reads is of it.
    pub(crate) fn open<T>(
        database: &'a Database,
        db: &'a Db,
        prefixes: Vec<Vec<u8>>,
        read: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<(Self, T), StoreError> {
        let mut moments = database.stand_still();
        let found = read()?;
        let number = moments.begin(prefixes);
        Ok((UnixMillis { database, db, number }, found))
    }

    /// One row.
    pub(crate) fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let moments = self.database.stand_still();
        match moments.row(self.number, key) {
            Some(before) => Ok(before.map(<[u8]>::to_vec)),
            None => Ok(guarded(|| self.db.get(key))?.map(|row| row.to_vec())),
        }
    }

    /// The rows below these keys, in order.
    pub(crate) fn rows(&self, keys: Keys) -> Rows<'_> {
        Rows { moment: self, rest: Some(keys), piece: BTreeMap::new().into_iter() }
    }

    /// The first of these rows, and the keys behind them.
    fn piece(&self, keys: Keys) -> Result<(Piece, Option<Keys>), StoreError> {
        let moments = self.database.stand_still();
        let mut piece = Piece::new();
        let mut found = self.db.range(keys.clone()).take(PIECE);
        while let Some((key, row)) = guarded(|| found.next().transpose())? {
            piece.insert(key.to_vec(), row.to_vec());
        }
        let rest = match piece.last_key_value() {
            Some((last, _)) if piece.len() == PIECE => {
                Some([last, &b"\0"[..]].concat()..keys.end.clone())
            }
            _ => None,
        };
        let end = rest.as_ref().map_or(&keys.end, |rest| &rest.start);
        for (key, before) in moments.rows(self.number, &keys.start..end) {
            match before {
                Some(row) => piece.insert(key.clone(), row.clone()),
                None => piece.remove(key),
            };
        }
        Ok((piece, rest))
    }
}

impl Drop for UnixMillis<'_> {
    fn drop(&mut self) {
        self.database.stand_still().end(self.number);
    }
}

/// From one key to before another one.
type Keys = Range<Vec<u8>>;

/// Rows by their keys.
type Piece = BTreeMap<Vec<u8>, Vec<u8>>;

/// Rows as they were at a moment.
pub(crate) struct Rows<'a> {
    moment: &'a UnixMillis<'a>,
    /// The keys behind the piece; `None` at the end.
    rest: Option<Keys>,
    piece: btree_map::IntoIter<Vec<u8>, Vec<u8>>,
}

impl Iterator for Rows<'_> {
    type Item = Result<(Vec<u8>, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.piece.next() {
                return Some(Ok(row));
            }
            match self.moment.piece(self.rest.take()?) {
                Ok((piece, rest)) => {
                    self.piece = piece.into_iter();
                    self.rest = rest;
                }
                Err(fault) => return Some(Err(fault)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
