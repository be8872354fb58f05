//! Values that are too long for one row, split into several.
//!
//! Sled splits a page when it has more than 16 rows, whatever their sizes. A page larger than 131
//! 020 bytes goes to a file of its own, which sled never syncs. After an insert a page has at most
//! 17 rows. Pages with fewer than 4 rows are merged into their neighbours; two such merges before
//! the next split give at most 23 rows. So a row may have [`MAX_ROW`] bytes beside its key of at
//! most 110.
//!
//! A value begins with the number of its form, which is not zero. The first row of a longer value
//! is a zero, the number of further rows, and the beginning of the value. The further rows have the
//! same key with their number, one byte, appended. No other key sorts between them, so a scan in
//! order finds the rows of a value together.

use custom_models_core::store::StoreError;

use crate::error::damaged;

/// The most bytes of a row without its key.
pub(crate) const MAX_ROW: usize = 5500;

/// The first byte of a value that continues in further rows.
const CONTINUES: u8 = 0;

/// Rows that a write changes, with their new values; `None` removes a row.
pub(crate) type Edits = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Puts a value under a key. `before` is the first row of the value that it replaces.
pub(crate) fn put(
    edits: &mut Edits,
    key: &[u8],
    value: Vec<u8>,
    before: Option<&[u8]>,
) -> Result<(), StoreError> {
    let mut continuations = 0;
    if value.len() <= MAX_ROW {
        edits.push((key.to_vec(), Some(value)));
    } else {
        let (beginning, rest) = value.split_at(MAX_ROW - 2);
        let too_long = |_| damaged("a text that is too long to be stored");
        continuations = u8::try_from(rest.len().div_ceil(MAX_ROW)).map_err(too_long)?;
        edits.push((key.to_vec(), Some([&[CONTINUES, continuations], beginning].concat())));
        for (number, piece) in (1..=continuations).zip(rest.chunks(MAX_ROW)) {
            edits.push((continuation_key(key, number), Some(piece.to_vec())));
        }
    }
    remove_rest(edits, key, continuations, before);
    Ok(())
}

/// Removes a value whose first row is `before`.
pub(crate) fn remove(edits: &mut Edits, key: &[u8], before: &[u8]) {
    edits.push((key.to_vec(), None));
    remove_rest(edits, key, 0, Some(before));
}

/// Removes the rows of the old value that the new one does not overwrite.
fn remove_rest(edits: &mut Edits, key: &[u8], needed: u8, before: Option<&[u8]>) {
    let had = before.map_or(0, continuations);
    for number in (1..=had).skip(needed.into()) {
        edits.push((continuation_key(key, number), None));
    }
}

/// The number of rows of a value after its first one.
pub(crate) fn continuations(first: &[u8]) -> u8 {
    match first {
        [CONTINUES, continuations, ..] => *continuations,
        _ => 0,
    }
}

/// Assembles a value from its first row; `row` reads the others.
pub(crate) fn whole(
    key: &[u8],
    first: Vec<u8>,
    row: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, StoreError>,
) -> Result<Vec<u8>, StoreError> {
    let continuations = continuations(&first);
    if continuations == 0 {
        return Ok(first);
    }
    let mut value = beginning(&first);
    for number in 1..=continuations {
        value.extend(row(&continuation_key(key, number))?.ok_or_else(cut_short)?);
    }
    Ok(value)
}

/// Assembles values from rows in key order, each under the key of its first row.
pub(crate) fn values<'a, B: AsRef<[u8]> + 'a>(
    mut rows: impl Iterator<Item = Result<(B, B), StoreError>> + 'a,
) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StoreError>> + 'a {
    let mut next = move || {
        let Some(row) = rows.next() else { return Ok(None) };
        let (key, first) = row?;
        let (key, first) = (key.as_ref(), first.as_ref());
        let continuations = continuations(first);
        if continuations == 0 {
            return Ok(Some((key.to_vec(), first.to_vec())));
        }
        let mut value = beginning(first);
        for number in 1..=continuations {
            let (its_key, piece) = rows.next().ok_or_else(cut_short)??;
            if its_key.as_ref() != continuation_key(key, number) {
                return Err(cut_short());
            }
            value.extend(piece.as_ref());
        }
        Ok(Some((key.to_vec(), value)))
    };
    std::iter::from_fn(move || next().transpose())
}

fn beginning(first: &[u8]) -> Vec<u8> {
    first.get(2..).unwrap_or_default().to_vec()
}

/// The key of the row with this number of the value under `key`.
fn continuation_key(key: &[u8], number: u8) -> Vec<u8> {
    [key, &[number]].concat()
}

fn cut_short() -> StoreError {
    damaged("a value whose further rows are missing")
}

#[cfg(test)]
mod tests;
