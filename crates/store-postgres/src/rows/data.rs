//! Rows of `data`: pairs of audio and transcript, as JSON.

use custom_models_core::model::{DataId, DataPair};
use custom_models_core::{ModelId, Organisation};
use tokio_postgres::Row;

use crate::connection::reader::Reader;
use crate::connection::statement::{Statement, parameter};
use crate::error::Fault;
use crate::rows::columns::{bytes, column, model_id, organisation_of, unsigned};

pub(crate) const PAGE: &str = "SELECT id, record FROM custom_models.data
    WHERE organisation = $1 AND model = $2 AND id > $3 ORDER BY id LIMIT $4";

/// Pairs by their numbers.
pub(crate) const SEVERAL: &str = "SELECT d.organisation, d.model, d.id, d.record
    FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS wanted (organisation, model, id)
    JOIN custom_models.data d ON d.organisation = wanted.organisation
        AND d.model = wanted.model AND d.id = wanted.id";

/// The highest number of each model's pairs, for models with data.
pub(crate) const LAST: &str = "SELECT wanted.organisation, wanted.model, last.id
    FROM unnest($1::bytea[], $2::bigint[]) AS wanted (organisation, model),
    LATERAL (SELECT d.id FROM custom_models.data d
        WHERE d.organisation = wanted.organisation AND d.model = wanted.model
        ORDER BY d.id DESC LIMIT 1) last";

/// A page of a model's data, by number.
pub(crate) async fn page(
    reader: Reader,
    organisation: &Organisation,
    model: ModelId,
    after: u32,
    limit: u32,
) -> Result<Vec<DataPair>, Fault> {
    let parameters = [
        parameter(bytes(organisation)),
        parameter(i64::from(model)),
        parameter(i64::from(after)),
        parameter(i64::from(limit)),
    ];
    let rows = reader.query(Statement::new(PAGE, parameters)).await?;
    rows.iter().map(pair).collect()
}

/// Decodes the organisation, the model and the number of a pair from the first three columns.
pub(crate) fn owned(row: &Row) -> Result<(Organisation, ModelId, DataId), Fault> {
    Ok((organisation_of(row, 0)?, model_id(row, 1)?, data_id(row, 2)?))
}

/// Decodes a pair from its number and record in the first two columns.
pub(crate) fn pair(row: &Row) -> Result<DataPair, Fault> {
    pair_at(row, 0)
}

/// Decodes a pair from the columns after its organisation and model.
pub(crate) fn owned_pair(row: &Row) -> Result<DataPair, Fault> {
    pair_at(row, 2)
}

fn pair_at(row: &Row, column_of_id: usize) -> Result<DataPair, Fault> {
    let id = data_id(row, column_of_id)?;
    let record = column(row, column_of_id + 1)?;
    let pair: DataPair =
        serde_json::from_slice(record).map_err(|_| Fault::Row("an invalid pair of data"))?;
    if pair.id == id { Ok(pair) } else { Err(Fault::Row("a pair under another's number")) }
}

fn data_id(row: &Row, index: usize) -> Result<DataId, Fault> {
    let number = unsigned(column(row, index)?)?;
    let number = u32::try_from(number).ok().map(DataId::new);
    number.and_then(Result::ok).ok_or(Fault::Row("a pair without a number"))
}
