//! Rows of `data`: pairs of audio and transcript, as JSON.

use custom_models_core::model::{DataId, DataPair};
use custom_models_core::{ModelId, Organisation};
use rusqlite::{Connection, Row, params};

use crate::error::{damaged, serialize_error};

pub(crate) const PAGE: &str = "SELECT id, record FROM data
    WHERE organisation = ?1 AND model = ?2 AND id > ?3 ORDER BY id LIMIT ?4";

/// A page of a model's data, by number.
pub(crate) fn page(
    connection: &Connection,
    organisation: &Organisation,
    model: ModelId,
    after: u32,
    limit: u32,
) -> rusqlite::Result<Vec<DataPair>> {
    connection
        .prepare_cached(PAGE)?
        .query_map(params![organisation.as_str(), i64::from(model), after, limit], pair)?
        .collect()
}

/// A pair of a model's data.
pub(crate) fn one(
    connection: &Connection,
    organisation: &Organisation,
    model: ModelId,
    id: DataId,
) -> rusqlite::Result<Option<DataPair>> {
    let before = id.get() - 1;
    let first = page(connection, organisation, model, before, 1)?.into_iter().next();
    Ok(first.filter(|pair| pair.id == id))
}

/// The highest number of a model's pairs.
pub(crate) fn last(
    connection: &Connection,
    organisation: &Organisation,
    model: ModelId,
) -> rusqlite::Result<Option<DataId>> {
    connection
        .prepare_cached("SELECT max(id) FROM data WHERE organisation = ?1 AND model = ?2")?
        .query_row(params![organisation.as_str(), i64::from(model)], |row| {
            let last = row.get::<_, Option<u32>>(0)?.map(DataId::new).transpose();
            last.map_err(|_| damaged("a pair without a number"))
        })
}

/// Adds a pair to a model's data.
pub(crate) fn insert(
    connection: &Connection,
    organisation: &Organisation,
    model: ModelId,
    pair: &DataPair,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO data (organisation, model, id, record, checksum)
            VALUES (?1, ?2, ?3, ?4, row_sum(?1, ?2, ?3, ?4))",
        )?
        .execute(params![
            organisation.as_str(),
            i64::from(model),
            pair.id.get(),
            serde_json::to_string(pair).map_err(serialize_error)?,
        ])?;
    Ok(())
}

/// Deletes a pair of a model's data.
pub(crate) fn delete(
    connection: &Connection,
    organisation: &Organisation,
    model: ModelId,
    id: DataId,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM data WHERE organisation = ?1 AND model = ?2 AND id = ?3")?
        .execute(params![organisation.as_str(), i64::from(model), id.get()])?;
    Ok(())
}

/// Deletes all data of a model.
pub(crate) fn delete_all(
    connection: &Connection,
    organisation: &Organisation,
    model: ModelId,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM data WHERE organisation = ?1 AND model = ?2")?
        .execute(params![organisation.as_str(), i64::from(model)])?;
    Ok(())
}

pub(crate) fn pair(row: &Row<'_>) -> rusqlite::Result<DataPair> {
    let id = DataId::new(row.get(0)?).map_err(|_| damaged("a pair without a number"))?;
    let pair: DataPair = serde_json::from_str(row.get_ref(1)?.as_str()?)
        .map_err(|_| damaged("an invalid pair of data"))?;
    if pair.id == id { Ok(pair) } else { Err(damaged("a pair under another's number")) }
}
