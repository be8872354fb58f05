//! The journal: the old contents of the rows that a group changes, so that a partial group can be
//! rolled back.
//!
//! A batch that sled aborts in the middle, for example on a full disk, is not atomic: any of its
//! rows may be there after recovery. So a group of several rows is three batches: write the
//! journal, make the changes, remove the journal. Sled's log keeps their order, and a crash cuts it
//! off at one point. So, when a database is opened:
//!
//! - A complete journal means that any of the changes may be there, and none was acknowledged. They
//!   are rolled back.
//! - A partial journal means that either no change was made yet, or all were. It is removed.
//!
//! The journal is one byte string, cut into rows under [`JOURNAL`] and a number. It starts with the
//! length of the rest (8 bytes). Then follows for each row: the key after its length (1 byte), and
//! 0 for a row that was absent, or 1 and its old value after its length (2 bytes). A group that
//! changes one row needs no journal, since a single row is atomic.

use custom_models_core::store::StoreError;
use sled::{Batch, Db};

use crate::error::damaged;
use crate::rows::keys::JOURNAL;
use crate::rows::overflow::{Edits, MAX_ROW};
use crate::rows::range::{Rows, below};
use crate::rows::write_set::WriteSet;

/// The batches that write a group, in order.
pub(crate) fn batches(changes: &WriteSet) -> Result<Vec<Batch>, StoreError> {
    if changes.len() <= 1 {
        return Ok(vec![changes.batch()]);
    }
    let (mut journal, mut removal) = (Batch::default(), Batch::default());
    let text = text(changes)?;
    for (number, piece) in (0_u32..).zip(text.chunks(MAX_ROW)) {
        let key = [JOURNAL, &number.to_be_bytes()].concat();
        journal.insert(key.as_slice(), piece);
        removal.remove(key);
    }
    Ok(vec![journal, changes.batch(), removal])
}

/// A group that may be partly written.
pub(crate) struct PartialGroup {
    /// The old rows; `None` if the group is either complete or absent.
    before: Option<Edits>,
    removal: Batch,
}

impl PartialGroup {
    /// Finds the group that a crash left behind.
    pub(crate) fn find(db: &Db) -> Result<Option<Self>, StoreError> {
        let rows = below(db, JOURNAL)?;
        if rows.is_empty() {
            return Ok(None);
        }
        let mut removal = Batch::default();
        rows.iter().for_each(|(key, _)| removal.remove(key.as_slice()));
        // A partial journal needs no rollback.
        let before = whole_text(&rows).map(|text| rows_before(&text)).transpose()?;
        Ok(Some(PartialGroup { before, removal }))
    }

    /// A row as it is after the rollback; `None` if the group does not change it.
    pub(crate) fn row(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        let (_, row) = self.before.as_ref()?.iter().find(|(changed, _)| changed == key)?;
        Some(row.as_deref())
    }

    /// The batches that roll the group back.
    pub(crate) fn batches(self) -> Vec<Batch> {
        let Some(before) = self.before else { return vec![self.removal] };
        let mut batch = Batch::default();
        for (key, row) in before {
            match row {
                Some(row) => batch.insert(key, row),
                None => batch.remove(key),
            }
        }
        vec![batch, self.removal]
    }
}

fn text(changes: &WriteSet) -> Result<Vec<u8>, StoreError> {
    // Never in practice: rows and keys are bounded.
    let too_long = |_| damaged("a row that is too long for the journal");
    let mut text = vec![0; 8];
    for (key, before) in changes.before(b"") {
        text.push(u8::try_from(key.len()).map_err(too_long)?);
        text.extend(key);
        text.push(u8::from(before.is_some()));
        if let Some(before) = before {
            text.extend(u16::try_from(before.len()).map_err(too_long)?.to_be_bytes());
            text.extend(before);
        }
    }
    let length = (text.len() as u64).saturating_sub(8);
    if let Some(place) = text.first_chunk_mut() {
        *place = length.to_be_bytes();
    }
    Ok(text)
}

/// The contents of a journal without its length; `None` if a part is missing.
fn whole_text(rows: &Rows) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    for ((key, piece), number) in rows.iter().zip(0_u32..) {
        if key.strip_prefix(JOURNAL)? != number.to_be_bytes() {
            return None;
        }
        text.extend(piece);
    }
    let (length, text) = text.split_first_chunk()?;
    (u64::from_be_bytes(*length) == text.len() as u64).then(|| text.to_vec())
}

fn rows_before(mut text: &[u8]) -> Result<Edits, StoreError> {
    let mut rows = Edits::new();
    while !text.is_empty() {
        let ((key, before), rest) = first_row(text).ok_or_else(|| damaged("an invalid journal"))?;
        rows.push((key.to_vec(), before.map(<[u8]>::to_vec)));
        text = rest;
    }
    Ok(rows)
}

/// A row of a journal: its key and its old value.
type Row<'a> = (&'a [u8], Option<&'a [u8]>);

/// Splits off the first row.
fn first_row(text: &[u8]) -> Option<(Row<'_>, &[u8])> {
    let (length, text) = text.split_first()?;
    let (key, text) = text.split_at_checked(usize::from(*length))?;
    match text.split_first()? {
        (0, rest) => Some(((key, None), rest)),
        (1, rest) => {
            let (length, rest) = rest.split_first_chunk()?;
            let (before, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            Some(((key, Some(before)), rest))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
