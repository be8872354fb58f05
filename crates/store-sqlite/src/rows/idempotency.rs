//! Rows of `answers`: the responses kept under idempotency keys.

use custom_models_core::model::{ContentDigest, Revision};
use custom_models_core::store::{IdempotencyRecord, IdempotencyScope, NewIdempotencyRecord};
use custom_models_core::time::UnixMillis;
use custom_models_core::{ModelId, Organisation};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::damaged;

macro_rules! under_a_key {
    () => {
        " FROM answers WHERE hash = ?1 AND organisation = ?2 AND operation = ?3 AND target IS ?4
        AND key = ?5"
    };
}

pub(crate) const ONE: &str = concat!("SELECT request, at, status, revision, body", under_a_key!());
pub(crate) const REPLACE: &str = concat!("DELETE", under_a_key!());
pub(crate) const DELETE_EXPIRED: &str = "DELETE FROM answers WHERE number IN
    (SELECT number FROM answers WHERE at <= ?1 ORDER BY at LIMIT ?2)";

/// The answer under a key, expired or not.
pub(crate) fn get(
    connection: &Connection,
    organisation: &Organisation,
    key: &IdempotencyScope,
) -> rusqlite::Result<Option<IdempotencyRecord>> {
    let IdempotencyScope { operation, target, key: name } = key;
    connection
        .prepare_cached(ONE)?
        .query_row(
            params![
                hash(organisation, key),
                organisation.as_str(),
                operation.as_str(),
                target.map(i64::from),
                name.as_str(),
            ],
            record,
        )
        .optional()
}

/// Stores an answer, in place of any other under its key.
pub(crate) fn put(
    connection: &Connection,
    organisation: &Organisation,
    answer_key: &IdempotencyScope,
    record: &IdempotencyRecord,
) -> rusqlite::Result<()> {
    let IdempotencyScope { operation, target, key } = answer_key;
    let IdempotencyRecord { request, at, status, revision, body } = record;
    let hash = hash(organisation, answer_key);
    let (organisation, operation) = (organisation.as_str(), operation.as_str());
    let (target, key) = (target.map(i64::from), key.as_str());
    connection.prepare_cached(REPLACE)?.execute(params![
        hash,
        organisation,
        operation,
        target,
        key
    ])?;
    connection
        .prepare_cached(
            "INSERT INTO answers (hash, organisation, operation, target, key, request, at, status,
                revision, body, checksum)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
                row_sum(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10))",
        )?
        .execute(params![
            hash,
            organisation,
            operation,
            target,
            key,
            request.as_bytes(),
            at.unix_millis(),
            status,
            revision.get(),
            body,
        ])?;
    Ok(())
}

/// Deletes answers given until `until`, the oldest first, and returns their number.
pub(crate) fn delete_expired(
    connection: &Connection,
    until: UnixMillis,
    limit: u32,
) -> rusqlite::Result<u64> {
    let deleted =
        connection.prepare_cached(DELETE_EXPIRED)?.execute(params![until.unix_millis(), limit])?;
    Ok(deleted as u64)
}

/// A 64-bit hash of the organisation and the key. It is part of the file, and cut from SHA-256 so
/// that nobody can construct collisions to slow lookups down.
pub(crate) fn hash(organisation: &Organisation, key: &IdempotencyScope) -> i64 {
    let IdempotencyScope { operation, target, key } = key;
    // No part contains a space.
    let target = target.map_or(0, ModelId::get);
    let digest = NewIdempotencyRecord::digest(
        format!("{organisation} {operation} {target} {key}").as_bytes(),
    );
    let [a, b, c, d, e, f, g, h, ..] = *digest.as_bytes();
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

pub(crate) fn record(row: &Row<'_>) -> rusqlite::Result<IdempotencyRecord> {
    let status = Some(row.get(2)?).filter(|status| (100..600).contains(status));
    Ok(IdempotencyRecord {
        request: ContentDigest::from_bytes(row.get(0)?),
        at: UnixMillis::from_unix_millis(row.get(1)?),
        status: status.ok_or_else(|| damaged("an answer with an invalid status"))?,
        revision: Revision::new(row.get(3)?).ok_or_else(|| damaged("a revision of zero"))?,
        body: row.get(4)?,
    })
}

/// The organisation and the key of an answer, from the four columns that start at `column`.
pub(crate) fn key_of(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<(Organisation, IdempotencyScope)> {
    let organisation = row.get_ref(column)?.as_str()?.parse();
    let operation = row.get_ref(column + 1)?.as_str()?.parse();
    let target = row.get::<_, Option<i64>>(column + 2)?.map(ModelId::try_from).transpose();
    let key = row.get_ref(column + 3)?.as_str()?.parse();
    let key = IdempotencyScope {
        operation: operation.map_err(|_| damaged("an unknown operation"))?,
        target: target.map_err(|_| damaged("an id out of range"))?,
        key: key.map_err(|_| damaged("an invalid idempotency key"))?,
    };
    Ok((organisation.map_err(|_| damaged("an invalid organisation name"))?, key))
}
