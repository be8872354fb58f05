//! Conversions of single columns to and from values.

use custom_models_core::model::{Revision, TrainingStatus};
use custom_models_core::time::Timestamp;
use custom_models_core::{ModelId, Organisation};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::error::Fault;

pub(crate) fn organisation_of(row: &Row, index: usize) -> Result<Organisation, Fault> {
    text(row, index)?.parse().map_err(|_| Fault::Row("an invalid organisation name"))
}

/// A column, which must have the expected type.
pub(crate) fn column<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Result<T, Fault> {
    row.try_get(index).map_err(|_| Fault::Row("a column of another type"))
}

/// A text stored as bytes.
pub(crate) fn text(row: &Row, index: usize) -> Result<&str, Fault> {
    str::from_utf8(column(row, index)?).map_err(|_| Fault::Row("a text that is not UTF-8"))
}

pub(crate) fn optional_text(row: &Row, index: usize) -> Result<Option<&str>, Fault> {
    let bytes: Option<&[u8]> = column(row, index)?;
    bytes.map(str::from_utf8).transpose().map_err(|_| Fault::Row("a text that is not UTF-8"))
}

pub(crate) fn model_id(row: &Row, index: usize) -> Result<ModelId, Fault> {
    let id: i64 = column(row, index)?;
    ModelId::try_from(id).map_err(|_| Fault::Row("an id out of range"))
}

pub(crate) fn revision(row: &Row, index: usize) -> Result<Revision, Fault> {
    let number = unsigned(column(row, index)?)?;
    Revision::new(number).ok_or(Fault::Row("a revision of zero"))
}

pub(crate) fn timestamp(seconds: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_unix_seconds(seconds).map_err(|_| Fault::Row("a time out of range"))
}

pub(crate) fn unsigned(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|_| Fault::Row("a negative number"))
}

/// Converts a number to PostgreSQL's `bigint`. A larger number exceeds every stored one, so it
/// saturates.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn status_number(status: TrainingStatus) -> i64 {
    i64::from(status.number())
}

pub(crate) fn bytes(organisation: &Organisation) -> &[u8] {
    organisation.as_str().as_bytes()
}
