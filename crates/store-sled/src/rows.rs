//! Rows, read and written. What is read is judged again on its way in: a file can be damaged in ways
//! that sled's checksums cannot see.
//!
//! A model's row, numbers big-endian: the form's number 1, training status, revision (8 bytes),
//! created at and updated at (8 each), language (2), base model with its length before it (1), name
//! with its length before it (2), and then 0, or 1 and the description up to the end. Texts are
//! UTF-8 as they were sent. A row is at most 4.9 KB, so that the rows of one of sled's pages, 17 at
//! most, never reach the size at which it writes a page to a file of its own, which it never syncs.

use custom_models_core::{
    CustomModel, Description, Listing, ModelId, Name, Organisation, Revision, Selection,
    StoreError, Timestamp, TrainingStatus,
};
use sled::Db;

use crate::database::Database;
use crate::fault::{damaged, guarded};
use crate::schema::{Counter, LAST_ID, counter_key, id_of, model_key, model_keys, number};

/// How often a listing is read again, because a write came between, before it asks the writer to
/// wait for it.
const ATTEMPTS: usize = 3;

/// One model of an organisation.
pub(crate) fn get(
    db: &Db,
    organisation: &Organisation,
    id: ModelId,
) -> Result<Option<CustomModel>, StoreError> {
    let key = model_key(organisation, id.get());
    match guarded(|| db.get(key))? {
        None => Ok(None),
        Some(row) => from_bytes(id, &row).map(Some),
    }
}

/// The last id that was given away.
pub(crate) fn last_id(db: &Db) -> Result<u64, StoreError> {
    match guarded(|| db.get(LAST_ID))? {
        None => Ok(0),
        Some(id) => number(&id)
            .filter(|id| *id <= ModelId::MAX)
            .ok_or_else(|| damaged("a last id that is none")),
    }
}

/// What is kept of an organisation beside its models.
pub(crate) fn counter(db: &Db, organisation: &Organisation) -> Result<Counter, StoreError> {
    match guarded(|| db.get(counter_key(organisation)))? {
        None => Ok(Counter::default()),
        Some(counter) => {
            Counter::from_bytes(&counter).ok_or_else(|| damaged("a counter that is none"))
        }
    }
}

/// A part of an organisation's models with their total, both of one moment.
///
/// Sled has no snapshots. A batch becomes visible in one step, and every batch that changes an
/// organisation's models changes its counter: so a walk between two readings of the same counter saw
/// one moment. When writes keep coming between, the last attempt keeps the writer from making
/// anything visible; it does not wait for a sync.
pub(crate) fn list(
    database: &Database,
    organisation: &Organisation,
    selection: &Selection,
) -> Result<Listing, StoreError> {
    database.read(|db| {
        settled(
            || counter(db, organisation),
            |counter| walk(db, organisation, selection, counter.models),
            || database.stand_still(),
        )
    })
}

/// Reads until nothing came between, at last while everything stands still.
fn settled<S: PartialEq + Copy, T, G>(
    stamp: impl Fn() -> Result<S, StoreError>,
    read: impl Fn(S) -> Result<T, StoreError>,
    stand_still: impl FnOnce() -> G,
) -> Result<T, StoreError> {
    for _ in 0..ATTEMPTS {
        let before = stamp()?;
        let found = read(before)?;
        if stamp()? == before {
            return Ok(found);
        }
    }
    let _standing_still = stand_still();
    read(stamp()?)
}

fn walk(
    db: &Db,
    organisation: &Organisation,
    selection: &Selection,
    models: u64,
) -> Result<Listing, StoreError> {
    if selection.filter.is_empty() {
        return Ok(Listing { models: page(db, organisation, selection)?, total: models });
    }
    let mut found = Listing::default();
    let mut to_skip = selection.skip;
    let limit = usize::try_from(selection.limit).unwrap_or(usize::MAX);
    let mut all = db.range(model_keys(organisation, None));
    while let Some((key, row)) = guarded(|| all.next().transpose())? {
        let model = model(&key, &row)?;
        if !selection.filter.matches(&model) {
            continue;
        }
        found.total += 1;
        if selection.after.is_some_and(|after| model.id <= after) {
            continue;
        }
        if to_skip > 0 {
            to_skip -= 1;
        } else if found.models.len() < limit {
            found.models.push(model);
        }
    }
    Ok(found)
}

/// A page of all models of an organisation; those before it are not looked at.
fn page(
    db: &Db,
    organisation: &Organisation,
    selection: &Selection,
) -> Result<Vec<CustomModel>, StoreError> {
    let mut models = Vec::new();
    let mut to_skip = selection.skip;
    let limit = usize::try_from(selection.limit).unwrap_or(usize::MAX);
    let mut rest = db.range(model_keys(organisation, selection.after));
    while models.len() < limit
        && let Some((key, row)) = guarded(|| rest.next().transpose())?
    {
        if to_skip > 0 {
            to_skip -= 1;
        } else {
            models.push(model(&key, &row)?);
        }
    }
    Ok(models)
}

fn model(key: &[u8], row: &[u8]) -> Result<CustomModel, StoreError> {
    let id = id_of(key).ok_or_else(|| damaged("an id out of range"))?;
    from_bytes(id, row)
}

/// The number of this form of a row. Another form gets another number; old ones stay readable.
const FORM: u8 = 1;

/// A model as it is stored.
pub(crate) fn to_bytes(model: &CustomModel) -> Result<Vec<u8>, StoreError> {
    let (name, base_model) = (model.name.as_str(), model.base_model.as_str());
    // The rules of a name leave no other case.
    let too_long = |_| damaged("a text that is too long to be stored");
    let mut row = vec![FORM, model.training_status.number()];
    row.extend(model.revision.get().to_be_bytes());
    row.extend(model.created_at.unix_seconds().to_be_bytes());
    row.extend(model.updated_at.unix_seconds().to_be_bytes());
    row.extend(model.language.as_str().as_bytes());
    row.push(u8::try_from(base_model.len()).map_err(too_long)?);
    row.extend(base_model.as_bytes());
    row.extend(u16::try_from(name.len()).map_err(too_long)?.to_be_bytes());
    row.extend(name.as_bytes());
    row.push(u8::from(model.description.is_some()));
    if let Some(description) = &model.description {
        row.extend(description.as_str().as_bytes());
    }
    Ok(row)
}

/// The model that a row holds.
pub(crate) fn from_bytes(id: ModelId, row: &[u8]) -> Result<CustomModel, StoreError> {
    let mut row = Cursor(row);
    if row.byte()? != FORM {
        return Err(damaged("an unknown form of a row"));
    }
    Ok(CustomModel {
        id,
        training_status: TrainingStatus::from_number(row.byte()?)
            .ok_or_else(|| damaged("an unknown training status"))?,
        revision: Revision::new(u64::from_be_bytes(row.array()?))
            .ok_or_else(|| damaged("a revision of zero"))?,
        created_at: row.moment()?,
        updated_at: row.moment()?,
        language: row.text(2)?.parse().map_err(|_| damaged("an unknown language"))?,
        base_model: {
            let length = row.byte()?;
            row.text(length.into())?.parse().map_err(|_| damaged("an unknown base model"))?
        },
        name: {
            let length = u16::from_be_bytes(row.array()?);
            Name::try_from(row.text(length.into())?.to_owned())
                .map_err(|_| damaged("a name against the rules"))?
        },
        description: match (row.byte()?, row.0.len()) {
            (0, 0) => None,
            (1, length) => Some(
                Description::try_from(row.text(length)?.to_owned())
                    .map_err(|_| damaged("a description against the rules"))?,
            ),
            _ => return Err(damaged("a row that does not end")),
        },
    })
}

/// The rest of a row.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn byte(&mut self) -> Result<u8, StoreError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let (array, rest) = self.0.split_first_chunk().ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(*array)
    }

    fn text(&mut self, length: usize) -> Result<&'a str, StoreError> {
        let (text, rest) = self.0.split_at_checked(length).ok_or_else(cut_short)?;
        self.0 = rest;
        str::from_utf8(text).map_err(|_| damaged("a text that is not UTF-8"))
    }

    fn moment(&mut self) -> Result<Timestamp, StoreError> {
        Timestamp::from_unix_seconds(i64::from_be_bytes(self.array()?))
            .map_err(|_| damaged("a time out of range"))
    }
}

fn cut_short() -> StoreError {
    damaged("a row that is cut short")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Reads while `writes` writes come, one in the middle of every reading.
    fn read_among(writes: u64) -> (u64, bool) {
        let (version, has_stood_still) = (Cell::new(0), Cell::new(false));
        let read = |before| {
            if version.get() < writes && !has_stood_still.get() {
                version.set(version.get() + 1);
            }
            Ok((before, version.get()))
        };
        let stand_still = || has_stood_still.set(true);
        let (before, after) = settled(|| Ok(version.get()), read, stand_still).unwrap();
        assert_eq!(before, after, "of two moments");
        (after, has_stood_still.get())
    }

    #[test]
    fn a_reading_that_a_write_came_between_is_done_again() {
        assert_eq!(read_among(0), (0, false));
        assert_eq!(read_among(1), (1, false));
        assert_eq!(read_among(2), (2, false));
    }

    #[test]
    fn a_reading_that_is_always_disturbed_makes_the_writer_wait() {
        assert_eq!(read_among(u64::MAX), (3, true));
    }
}
