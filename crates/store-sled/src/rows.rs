//! Rows, read and written. What is read is judged again on its way in: a file can be damaged in ways
//! that sled's checksums cannot see.
//!
//! A model's row, numbers big-endian: the form's number 1, training status, revision (8 bytes),
//! created at and updated at (8 each), language (2), base model with its length before it (1), name
//! with its length before it (2), and then 0, or 1 and the description up to the end. Texts are
//! UTF-8 as they were sent. A row is at most 4.9 KB, so that the rows of one of sled's pages, 17 at
//! most, never reach the size at which it writes a page to a file of its own, which it never syncs.

use std::ops::Range;

use custom_models_core::{
    CustomModel, Description, Listing, ModelId, Name, Organisation, Revision, Selection,
    StoreError, Timestamp, TrainingStatus,
};
use sled::{Db, IVec};

use crate::database::Database;
use crate::fault::{damaged, guarded};
use crate::moments::Moment;
use crate::schema::{Counter, LAST_ID, counter_key, id_of, model_key, model_keys, number};

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
/// one moment. When a write came between, the walk is done again, with the writer's help.
pub(crate) fn list(
    database: &Database,
    organisation: &Organisation,
    selection: &Selection,
) -> Result<Listing, StoreError> {
    database.read(|db| {
        let found = undisturbed(
            || counter(db, organisation),
            |counter| walk(|keys| range(db, keys), organisation, selection, counter.models),
        )?;
        if let Some(found) = found {
            return Ok(found);
        }
        let moment = Moment::open(database, db, organisation)?;
        walk(|keys| moment.rows(keys), organisation, selection, moment.counter.models)
    })
}

/// What is read, if nothing came between.
fn undisturbed<S: PartialEq + Copy, T>(
    stamp: impl Fn() -> Result<S, StoreError>,
    read: impl FnOnce(S) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let before = stamp()?;
    let found = read(before)?;
    Ok((stamp()? == before).then_some(found))
}

/// The rows as they are when it is their turn.
fn range(db: &Db, keys: Range<Vec<u8>>) -> impl Iterator<Item = Result<(IVec, IVec), StoreError>> {
    let mut rows = db.range(keys);
    std::iter::from_fn(move || guarded(|| rows.next().transpose()).transpose())
}

fn walk<I, B>(
    rows: impl Fn(Range<Vec<u8>>) -> I,
    organisation: &Organisation,
    selection: &Selection,
    models: u64,
) -> Result<Listing, StoreError>
where
    I: Iterator<Item = Result<(B, B), StoreError>>,
    B: AsRef<[u8]>,
{
    if selection.filter.is_empty() {
        let page = page(rows(model_keys(organisation, selection.after)), selection);
        return Ok(Listing { models: page?, total: models });
    }
    let mut found = Listing::default();
    let mut to_skip = selection.skip;
    let limit = usize::try_from(selection.limit).unwrap_or(usize::MAX);
    for row in rows(model_keys(organisation, None)) {
        let (key, row) = row?;
        let model = model(key.as_ref(), row.as_ref())?;
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
fn page<B: AsRef<[u8]>>(
    mut rows: impl Iterator<Item = Result<(B, B), StoreError>>,
    selection: &Selection,
) -> Result<Vec<CustomModel>, StoreError> {
    let mut models = Vec::new();
    let mut to_skip = selection.skip;
    let limit = usize::try_from(selection.limit).unwrap_or(usize::MAX);
    while models.len() < limit
        && let Some(row) = rows.next()
    {
        let (key, row) = row?;
        if to_skip > 0 {
            to_skip -= 1;
        } else {
            models.push(model(key.as_ref(), row.as_ref())?);
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

    #[test]
    fn a_reading_that_a_write_came_between_is_not_believed() {
        let version = Cell::new(1);
        let stamp = || Ok(version.get());
        assert_eq!(undisturbed(stamp, Ok).unwrap(), Some(1));
        let disturbed = undisturbed(stamp, |before| {
            version.set(2);
            Ok(before)
        });
        assert_eq!(disturbed.unwrap(), None);
    }
}
