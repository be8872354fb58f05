//! Rows of `models` and `organisations`.

use custom_models_core::field::Description;
use custom_models_core::model::{InvalidModelRow, ModelRow, TrainingStatus, Version};
use custom_models_core::store::{Counters, Filter, Listing, Selection};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::{damaged, serialize_error};

macro_rules! models {
    () => {
        "SELECT id, revision, beats, name, description, language, base_model, training_status, course,
        claimable_at, created_at, updated_at, organisation FROM models"
    };
}

macro_rules! matching {
    () => {
        " WHERE organisation = ?1 AND (?2 IS NULL OR training_status = ?2)
        AND (?3 IS NULL OR language = ?3) AND (?4 IS NULL OR base_model = ?4)"
    };
}

pub(crate) const ONE: &str = concat!(models!(), " WHERE organisation = ?1 AND id = ?2");
pub(crate) const PAGE: &str =
    concat!(models!(), matching!(), " AND id > ?5 ORDER BY id LIMIT ?6 OFFSET ?7");
const COUNT: &str = concat!("SELECT count(*) FROM models", matching!());
/// Every model, by organisation, which is the last column.
pub(crate) const ALL: &str = concat!(models!(), " ORDER BY organisation, id");
/// The trainings that can be claimed. Few run at a time, so those of one organisation are filtered.
pub(crate) const CLAIMABLE: &str = concat!(
    models!(),
    " INDEXED BY claimable_models WHERE claimable_at <= ?2 AND (?1 IS NULL OR organisation = ?1)
    ORDER BY claimable_at, id LIMIT ?3"
);

/// One model of an organisation.
pub(crate) fn get(
    connection: &Connection,
    organisation: &Organisation,
    id: ModelId,
) -> rusqlite::Result<Option<CustomModel>> {
    connection
        .prepare_cached(ONE)?
        .query_row(params![organisation.as_str(), i64::from(id)], model)
        .optional()
}

/// A page of an organisation's models and their total, in one transaction.
pub(crate) fn list(
    connection: &mut Connection,
    organisation: &Organisation,
    selection: &Selection,
) -> rusqlite::Result<Listing> {
    let snapshot = connection.transaction()?;
    let total = total(&snapshot, organisation, &selection.filter)?;
    let models = page(&snapshot, organisation, selection)?;
    snapshot.finish()?;
    Ok(Listing { models, total })
}

fn page(
    connection: &Connection,
    organisation: &Organisation,
    selection: &Selection,
) -> rusqlite::Result<Vec<CustomModel>> {
    let Filter { status, language, base_model } = selection.filter;
    connection
        .prepare_cached(PAGE)?
        .query_map(
            params![
                organisation.as_str(),
                status.map(TrainingStatus::number),
                language.map(|language| language.as_str()),
                base_model.map(|base_model| base_model.as_str()),
                selection.after.map_or(0, i64::from),
                selection.limit,
                i64::try_from(selection.skip).unwrap_or(i64::MAX),
            ],
            model,
        )?
        .collect()
}

/// The number of models that match. Without a filter it is the stored counter.
fn total(
    connection: &Connection,
    organisation: &Organisation,
    filter: &Filter,
) -> rusqlite::Result<u64> {
    if filter.is_empty() {
        return Ok(counters(connection, organisation)?.models);
    }
    let Filter { status, language, base_model } = filter;
    connection.prepare_cached(COUNT)?.query_row(
        params![
            organisation.as_str(),
            status.map(TrainingStatus::number),
            language.map(|language| language.as_str()),
            base_model.map(|base_model| base_model.as_str()),
        ],
        |row| row.get(0),
    )
}

/// Models whose training waits for a worker, the longest-waiting first.
pub(crate) fn claimable(
    connection: &Connection,
    organisation: Option<&Organisation>,
    at: UnixMillis,
    limit: u32,
) -> rusqlite::Result<Vec<(Organisation, CustomModel)>> {
    let of = organisation.map(Organisation::as_str);
    connection
        .prepare_cached(CLAIMABLE)?
        .query_map(params![of, at.unix_millis(), limit], |row| {
            let organisation = row.get_ref(12)?.as_str()?.parse();
            let organisation = organisation.map_err(|_| damaged("an invalid organisation name"))?;
            Ok((organisation, model(row)?))
        })?
        .collect()
}

/// The counters of an organisation.
pub(crate) fn counters(
    connection: &Connection,
    organisation: &Organisation,
) -> rusqlite::Result<Counters> {
    let counters = connection
        .prepare_cached("SELECT models, events FROM organisations WHERE organisation = ?1")?
        .query_row([organisation.as_str()], |row| {
            Ok(Counters { models: row.get(0)?, events: row.get(1)? })
        })
        .optional()?;
    Ok(counters.unwrap_or_default())
}

/// Writes the counters of an organisation.
pub(crate) fn write_counters(
    connection: &Connection,
    organisation: &Organisation,
    Counters { models, events }: Counters,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO organisations (organisation, models, events) VALUES (?1, ?2, ?3)
            ON CONFLICT (organisation) DO UPDATE
            SET models = excluded.models, events = excluded.events",
        )?
        .execute((organisation.as_str(), models, events))?;
    Ok(())
}

/// Adds a new model.
pub(crate) fn insert(
    connection: &Connection,
    organisation: &Organisation,
    model: &CustomModel,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO models (organisation, id, revision, name, description, language,
                base_model, training_status, created_at, updated_at, checksum)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
                row_sum(?2, ?1, ?3, 0, ?4, ?5, ?6, ?7, ?8, NULL, NULL, ?9, ?10))",
        )?
        .execute(params![
            organisation.as_str(),
            i64::from(model.id),
            model.revision().get(),
            model.name.as_str(),
            model.description.as_ref().map(Description::as_str),
            model.language.as_str(),
            model.base_model.as_str(),
            model.training_status().number(),
            model.created_at.unix_seconds(),
            model.updated_at.unix_seconds(),
        ])?;
    Ok(())
}

/// Updates a model. The columns fixed at its creation stay.
pub(crate) fn update(
    connection: &Connection,
    organisation: &Organisation,
    model: &CustomModel,
) -> rusqlite::Result<()> {
    let Version { revision, heartbeats } = model.version;
    connection
        .prepare_cached(
            "UPDATE models SET revision = ?3, beats = ?4, name = ?5, description = ?6,
                training_status = ?7, course = ?8, claimable_at = ?9, updated_at = ?10,
                checksum = row_sum(id, organisation, ?3, ?4, ?5, ?6, language, base_model, ?7, ?8, ?9,
                    created_at, ?10)
            WHERE organisation = ?1 AND id = ?2",
        )?
        .execute(params![
            organisation.as_str(),
            i64::from(model.id),
            revision.get(),
            heartbeats,
            model.name.as_str(),
            model.description.as_ref().map(Description::as_str),
            model.training_status().number(),
            model.training.to_record().map_err(serialize_error)?,
            model.training.claimable_at().map(UnixMillis::unix_millis),
            model.updated_at.unix_seconds(),
        ])?;
    Ok(())
}

/// Deletes a model.
pub(crate) fn delete(
    connection: &Connection,
    organisation: &Organisation,
    id: ModelId,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM models WHERE organisation = ?1 AND id = ?2")?
        .execute(params![organisation.as_str(), i64::from(id)])?;
    Ok(())
}

pub(crate) fn model(row: &Row<'_>) -> rusqlite::Result<CustomModel> {
    let model = ModelRow {
        id: row.get(0)?,
        revision: row.get(1)?,
        heartbeats: row.get(2)?,
        name: row.get_ref(3)?.as_str()?,
        description: row.get_ref(4)?.as_str_or_null()?,
        language: row.get_ref(5)?.as_str()?,
        base_model: row.get_ref(6)?.as_str()?,
        training_status: row.get(7)?,
        training: row.get_ref(8)?.as_str_or_null()?,
        claimable_at: Some(row.get(9)?),
        created_at: row.get(10)?,
        updated_at: row.get(11)?,
    };
    model.try_into().map_err(|InvalidModelRow(what)| damaged(what))
}
