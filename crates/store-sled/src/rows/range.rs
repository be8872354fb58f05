//! Scans of rows in the order of their keys.

use std::ops::Range;

use custom_models_core::store::StoreError;
use sled::Db;

use crate::error::call_sled;

/// Rows with their keys.
pub(crate) type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// A key and its row.
type Row = (sled::IVec, sled::IVec);

/// All rows below a prefix. A concurrent write may be seen in part.
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
