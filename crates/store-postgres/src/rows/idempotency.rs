//! Rows of `answers`: the responses kept under idempotency keys.

use custom_models_core::access::Operation;
use custom_models_core::model::ContentDigest;
use custom_models_core::store::{IdempotencyRecord, IdempotencyScope};
use custom_models_core::time::UnixMillis;
use custom_models_core::{ModelId, Organisation};
use tokio_postgres::Row;

use crate::connection::reader::Reader;
use crate::connection::statement::{Statement, parameter};
use crate::error::Fault;
use crate::rows::columns::{bytes, column, organisation_of, revision, text};

macro_rules! kept {
    () => {
        "SELECT a.request, a.at, a.status, a.revision, a.body, a.organisation, a.operation, a.target,
        a.key FROM custom_models.answers a"
    };
}

pub(crate) const ONE: &str = concat!(
    kept!(),
    " WHERE a.organisation = $1 AND a.operation = $2 AND a.target = $3 AND a.key = $4"
);

/// The answers under several keys.
pub(crate) const SEVERAL: &str = concat!(
    kept!(),
    " JOIN unnest($1::bytea[], $2::text[], $3::bigint[], $4::bytea[])
        AS wanted (organisation, operation, target, key)
    ON a.organisation = wanted.organisation AND a.operation = wanted.operation
        AND a.target = wanted.target AND a.key = wanted.key"
);

/// Deletes old answers. The time is compared again, since an answer may have been replaced
/// meanwhile.
pub(crate) const DELETE_EXPIRED: &str = "WITH old AS (
        SELECT organisation, operation, target, key FROM custom_models.answers
        WHERE at <= $1 ORDER BY at LIMIT $2
    ), gone AS (
        DELETE FROM custom_models.answers a USING old
        WHERE a.organisation = old.organisation AND a.operation = old.operation
            AND a.target = old.target AND a.key = old.key AND a.at <= $1
        RETURNING 1
    )
    SELECT count(*) FROM gone";

/// The answer under a key, expired or not.
pub(crate) async fn get(
    reader: Reader,
    organisation: &Organisation,
    key: &IdempotencyScope,
) -> Result<Option<IdempotencyRecord>, Fault> {
    let IdempotencyScope { operation, target, key } = key;
    let parameters = [
        parameter(bytes(organisation)),
        parameter(operation.as_str()),
        parameter(target_number(*target)),
        parameter(key.as_str().as_bytes()),
    ];
    let rows = reader.query(Statement::new(ONE, parameters)).await?;
    rows.first().map(kept).transpose()
}

/// The statement that deletes answers given until `until`, the oldest first.
pub(crate) fn delete_expired(until: UnixMillis, limit: u32) -> Statement<'static> {
    Statement::new(DELETE_EXPIRED, [parameter(until.unix_millis()), parameter(i64::from(limit))])
}

/// Decodes the organisation and the key of an answer, and the answer, which may be damaged by
/// itself.
pub(crate) fn owned(
    row: &Row,
) -> Result<(Organisation, IdempotencyScope, Result<IdempotencyRecord, Fault>), Fault> {
    let operation: Operation =
        column::<&str>(row, 6)?.parse().map_err(|_| Fault::Row("an unknown operation"))?;
    let target: i64 = column(row, 7)?;
    let target = (target != 0).then(|| ModelId::try_from(target)).transpose();
    let key = IdempotencyScope {
        operation,
        target: target.map_err(|_| Fault::Row("an id out of range"))?,
        key: text(row, 8)?.parse().map_err(|_| Fault::Row("an invalid idempotency key"))?,
    };
    Ok((organisation_of(row, 5)?, key, kept(row)))
}

/// The number of a target; 0 for none, since a column of the primary key cannot be NULL.
pub(crate) fn target_number(target: Option<ModelId>) -> i64 {
    target.map_or(0, i64::from)
}

fn kept(row: &Row) -> Result<IdempotencyRecord, Fault> {
    let request: [u8; 32] =
        column::<&[u8]>(row, 0)?.try_into().map_err(|_| Fault::Row("an invalid request digest"))?;
    let status = u16::try_from(column::<i64>(row, 2)?).ok();
    let status = status.filter(|status| (100..600).contains(status));
    Ok(IdempotencyRecord {
        request: ContentDigest::from_bytes(request),
        at: UnixMillis::from_unix_millis(column(row, 1)?),
        status: status.ok_or(Fault::Row("an answer with an invalid status"))?,
        revision: revision(row, 3)?,
        body: text(row, 4)?.to_owned(),
    })
}
