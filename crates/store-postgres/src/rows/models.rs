//! Rows of `models` and `organisations`.

use custom_models_core::model::{InvalidModelRow, ModelRow};
use custom_models_core::store::{Filter, Listing, Selection};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};
use tokio_postgres::Row;

use crate::connection::reader::Reader;
use crate::connection::statement::{Statement, parameter};
use crate::error::Fault;
use crate::rows::columns::{
    bytes, column, optional_text, organisation_of, signed, status_number, text, unsigned,
};

macro_rules! columns {
    () => {
        "m.id, m.revision, m.beats, m.name, m.description, m.language, m.base_model,
        m.training_status, m.course, m.claimable_at, m.created_at, m.updated_at, m.organisation"
    };
}

macro_rules! matching {
    () => {
        " FROM custom_models.models m WHERE m.organisation = $1
        AND ($2::bigint IS NULL OR m.training_status = $2)
        AND ($3::text IS NULL OR m.language = $3) AND ($4::text IS NULL OR m.base_model = $4)"
    };
}

macro_rules! page {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            matching!(),
            " AND m.id > $5 ORDER BY m.id LIMIT $6 OFFSET $7"
        )
    };
}

const ONE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM custom_models.models m WHERE m.organisation = $1 AND m.id = $2"
);
/// Several models, by organisation and id.
pub(crate) const SEVERAL: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM unnest($1::bytea[], $2::bigint[]) AS wanted (organisation, id)
    JOIN custom_models.models m ON m.organisation = wanted.organisation AND m.id = wanted.id"
);
/// A page of models with their total. If the page is empty, one row still has the total.
pub(crate) const PAGE: &str = concat!(
    "SELECT m.*, total.models FROM (SELECT coalesce((SELECT models
        FROM custom_models.organisations WHERE organisation = $1), 0) AS models) total
    LEFT JOIN (",
    page!(),
    ") m ON true ORDER BY m.id"
);
const FILTERED_PAGE: &str = concat!(
    "SELECT m.*, total.models FROM (SELECT count(*) AS models",
    matching!(),
    ") total
    LEFT JOIN (",
    page!(),
    ") m ON true ORDER BY m.id"
);
/// The trainings that can be claimed. Few run at a time, so those of one organisation are filtered.
pub(crate) const CLAIMABLE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM custom_models.models m WHERE m.claimable_at <= $1
    AND ($2::bytea IS NULL OR m.organisation = $2) ORDER BY m.claimable_at, m.id LIMIT $3"
);

/// Every model, by organisation.
pub(crate) const ALL: &str =
    concat!("SELECT ", columns!(), " FROM custom_models.models m ORDER BY m.organisation, m.id");

/// The index of the column with the organisation.
pub(crate) const ORGANISATION: usize = 12;
/// The index of the column with the total, on each row of a page.
const TOTAL: usize = 13;

/// One model of an organisation.
pub(crate) async fn get(
    reader: Reader,
    organisation: &Organisation,
    id: ModelId,
) -> Result<Option<CustomModel>, Fault> {
    let parameters = [parameter(bytes(organisation)), parameter(i64::from(id))];
    let rows = reader.query(Statement::new(ONE, parameters)).await?;
    rows.first().map(model).transpose()
}

/// A page of an organisation's models and their total, in one statement.
pub(crate) async fn list(
    reader: Reader,
    organisation: &Organisation,
    selection: &Selection,
) -> Result<Listing, Fault> {
    let Selection { filter, after, skip, limit } = selection;
    let Filter { status, language, base_model } = filter;
    let statement = if filter.is_empty() { PAGE } else { FILTERED_PAGE };
    let parameters = [
        parameter(bytes(organisation)),
        parameter(status.map(status_number)),
        parameter(language.map(|language| language.as_str())),
        parameter(base_model.map(|base_model| base_model.as_str())),
        parameter(after.map_or(0, i64::from)),
        parameter(i64::from(*limit)),
        parameter(signed(*skip)),
    ];
    let rows = reader.query(Statement::new(statement, parameters)).await?;
    let total = rows.first().ok_or(Fault::Row("a list without a total"))?;
    let total = unsigned(column(total, TOTAL)?)?;
    let is_there = |row: &&Row| !matches!(row.try_get::<_, Option<i64>>(0), Ok(None));
    let models = rows.iter().filter(is_there).map(model).collect::<Result<_, _>>()?;
    Ok(Listing { models, total })
}

/// Models whose training waits for a worker, the longest-waiting first.
pub(crate) async fn claimable(
    reader: Reader,
    organisation: Option<&Organisation>,
    at: UnixMillis,
    limit: u32,
) -> Result<Vec<(Organisation, CustomModel)>, Fault> {
    let parameters = [
        parameter(at.unix_millis()),
        parameter(organisation.map(bytes)),
        parameter(i64::from(limit)),
    ];
    let rows = reader.query(Statement::new(CLAIMABLE, parameters)).await?;
    rows.iter().map(|row| Ok((organisation_of(row, ORGANISATION)?, model(row)?))).collect()
}

/// Decodes a model.
pub(crate) fn model(row: &Row) -> Result<CustomModel, Fault> {
    let model = ModelRow {
        id: unsigned(column(row, 0)?)?,
        revision: unsigned(column(row, 1)?)?,
        heartbeats: column::<i64>(row, 2)?
            .try_into()
            .map_err(|_| Fault::Row("heartbeats out of range"))?,
        name: text(row, 3)?,
        description: optional_text(row, 4)?,
        language: column(row, 5)?,
        base_model: column(row, 6)?,
        training_status: column::<i64>(row, 7)?
            .try_into()
            .map_err(|_| Fault::Row("an unknown training status"))?,
        training: optional_text(row, 8)?,
        claimable_at: Some(column(row, 9)?),
        created_at: column(row, 10)?,
        updated_at: column(row, 11)?,
    };
    model.try_into().map_err(|InvalidModelRow(what)| Fault::Row(what))
}
