//! Rows of `models`, read and written. What is read is judged again on its way in: a file can be
//! damaged in ways that SQLite cannot see.

use custom_models_core::{
    CustomModel, Description, Filter, Listing, ModelId, Name, Organisation, Revision, Selection,
    Timestamp, TrainingStatus,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::fault::damaged;

macro_rules! models {
    () => {
        "SELECT id, revision, name, description, language, base_model, training_status, created_at,
        updated_at FROM models WHERE organisation = ?1"
    };
}

macro_rules! matching {
    () => {
        "AND (?2 IS NULL OR training_status = ?2) AND (?3 IS NULL OR language = ?3)
        AND (?4 IS NULL OR base_model = ?4)"
    };
}

const ONE: &str = concat!(models!(), " AND id = ?2");
const PAGE: &str =
    concat!(models!(), " ", matching!(), " AND id > ?5 ORDER BY id LIMIT ?6 OFFSET ?7");
const COUNT: &str = concat!("SELECT count(*) FROM models WHERE organisation = ?1 ", matching!());

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

/// A part of an organisation's models with their total, both of one moment.
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

/// How many models match: the counter where all do, a count where a filter must be asked.
fn total(
    connection: &Connection,
    organisation: &Organisation,
    filter: &Filter,
) -> rusqlite::Result<u64> {
    if filter.is_empty() {
        return counter(connection, organisation);
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

/// How many models an organisation has, from its counter.
pub(crate) fn counter(
    connection: &Connection,
    organisation: &Organisation,
) -> rusqlite::Result<u64> {
    let counter = connection
        .prepare_cached("SELECT models FROM organisations WHERE organisation = ?1")?
        .query_row([organisation.as_str()], |row| row.get(0))
        .optional()?;
    Ok(counter.unwrap_or(0))
}

/// Adds a model.
pub(crate) fn insert(
    connection: &Connection,
    organisation: &Organisation,
    model: &CustomModel,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO models (organisation, id, revision, name, description, language,
                base_model, training_status, created_at, updated_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            organisation.as_str(),
            i64::from(model.id),
            model.revision.get(),
            model.name.as_str(),
            model.description.as_ref().map(Description::as_str),
            model.language.as_str(),
            model.base_model.as_str(),
            model.training_status.number(),
            model.created_at.unix_seconds(),
            model.updated_at.unix_seconds(),
        ])?;
    Ok(())
}

/// The revision of a model, if the organisation has it.
pub(crate) fn revision(
    connection: &Connection,
    organisation: &Organisation,
    id: ModelId,
) -> rusqlite::Result<Option<u64>> {
    connection
        .prepare_cached("SELECT revision FROM models WHERE organisation = ?1 AND id = ?2")?
        .query_row(params![organisation.as_str(), i64::from(id)], |row| row.get(0))
        .optional()
}

/// Removes a model.
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

fn model(row: &Row<'_>) -> rusqlite::Result<CustomModel> {
    let description = row.get::<_, Option<String>>(3)?.map(Description::try_from);
    let moment = |column| {
        Timestamp::from_unix_seconds(row.get(column)?).map_err(|_| damaged("a time out of range"))
    };
    Ok(CustomModel {
        id: ModelId::try_from(row.get::<_, i64>(0)?).map_err(|_| damaged("an id out of range"))?,
        revision: Revision::new(row.get(1)?).ok_or_else(|| damaged("a revision of zero"))?,
        name: Name::try_from(row.get::<_, String>(2)?)
            .map_err(|_| damaged("a name against the rules"))?,
        description: description
            .transpose()
            .map_err(|_| damaged("a description against the rules"))?,
        language: row.get_ref(4)?.as_str()?.parse().map_err(|_| damaged("an unknown language"))?,
        base_model: row
            .get_ref(5)?
            .as_str()?
            .parse()
            .map_err(|_| damaged("an unknown base model"))?,
        training_status: TrainingStatus::from_number(row.get(6)?)
            .ok_or_else(|| damaged("an unknown training status"))?,
        created_at: moment(7)?,
        updated_at: moment(8)?,
    })
}
