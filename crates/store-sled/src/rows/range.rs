//! Rows that are read in the order of their keys.

use std::ops::Range;

use custom_models_core::store::StoreError;
use sled::Db;

use crate::error::call_sled;

/// The rows of a prefix, as they are when it is their turn.
pub(crate) type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// A row and its key.
type Row = (sled::IVec, sled::IVec);

/// The rows below a prefix.
pub(crate) fn below(db: &Db, prefix: &[u8]) -> Result<Rows, StoreError> {
    collect(db.scan_prefix(prefix))
}

fn collect(mut found: sled::Iter) -> Result<Rows, StoreError> {
    let mut rows = Rows::new();
    while let Some((key, row)) = call_sled(|| found.next().transpose())? {
        rows.push((key.to_vec(), row.to_vec()));
    }
    Ok(rows)
}

/// The rows of a range of keys, in order.
pub(crate) fn range<'a>(
    db: &Db,
    keys: Range<&'a [u8]>,
) -> impl Iterator<Item = Result<Row, StoreError>> + use<'a> {
    let mut rows = db.range(keys);
    std::iter::from_fn(move || call_sled(|| rows.next().transpose()).transpose())
}
