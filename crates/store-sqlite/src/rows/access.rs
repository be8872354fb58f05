//! Rows of `registrations` and `keys`.

use custom_models_core::Organisation;
use custom_models_core::access::{KeyDigest, KeyId, KeyRecord};
use custom_models_core::store::{Grant, Registration};
use custom_models_core::tenant::PlanName;
use custom_models_core::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::damaged;

macro_rules! keys {
    () => {
        "SELECT keys.id, keys.digest, keys.organisation, keys.scopes, keys.created_at,
        keys.expires_at, keys.revoked_at"
    };
}

pub(crate) const GRANT: &str = concat!(
    keys!(),
    ", registrations.plan FROM keys JOIN registrations USING (organisation) WHERE keys.digest = ?1"
);
/// Every key, by organisation and id.
pub(crate) const ALL_KEYS: &str = concat!(keys!(), " FROM keys ORDER BY organisation, id");
const KEY: &str = concat!(keys!(), " FROM keys WHERE keys.id = ?1");
const KEYS: &str = concat!(keys!(), " FROM keys WHERE keys.organisation = ?1 ORDER BY keys.id");

/// The registration of an organisation.
pub(crate) fn registration(
    connection: &Connection,
    organisation: &Organisation,
) -> rusqlite::Result<Option<Registration>> {
    connection
        .prepare_cached("SELECT organisation, plan FROM registrations WHERE organisation = ?1")?
        .query_row([organisation.as_str()], registration_of)
        .optional()
}

/// Every registration, by name.
pub(crate) fn registrations(connection: &Connection) -> rusqlite::Result<Vec<Registration>> {
    connection
        .prepare_cached("SELECT organisation, plan FROM registrations ORDER BY organisation")?
        .query_map([], registration_of)?
        .collect()
}

/// Stores a registration, in place of any other of the same organisation.
pub(crate) fn put_registration(
    connection: &Connection,
    registration: &Registration,
) -> rusqlite::Result<()> {
    let Registration { organisation, plan } = registration;
    connection
        .prepare_cached(
            "INSERT INTO registrations (organisation, plan, checksum)
            VALUES (?1, ?2, row_sum(?1, ?2)) ON CONFLICT (organisation) DO UPDATE
            SET plan = excluded.plan, checksum = excluded.checksum",
        )?
        .execute((organisation.as_str(), plan.as_str()))?;
    Ok(())
}

/// The key with a digest, and its organisation's plan.
pub(crate) fn grant(
    connection: &Connection,
    digest: &KeyDigest,
) -> rusqlite::Result<Option<Grant>> {
    connection
        .prepare_cached(GRANT)?
        .query_row([digest.as_bytes()], |row| {
            Ok(Grant { key: key_of(row)?, plan: plan_of(row, 7)? })
        })
        .optional()
}

/// The keys of an organisation, by id.
pub(crate) fn keys(
    connection: &Connection,
    organisation: &Organisation,
) -> rusqlite::Result<Vec<KeyRecord>> {
    connection.prepare_cached(KEYS)?.query_map([organisation.as_str()], key_of)?.collect()
}

/// The key with an id.
pub(crate) fn key(connection: &Connection, id: KeyId) -> rusqlite::Result<Option<KeyRecord>> {
    connection.prepare_cached(KEY)?.query_row([id.to_bytes()], key_of).optional()
}

/// The id of the key with a digest.
pub(crate) fn key_id(
    connection: &Connection,
    digest: &KeyDigest,
) -> rusqlite::Result<Option<KeyId>> {
    connection
        .prepare_cached("SELECT id FROM keys WHERE digest = ?1")?
        .query_row([digest.as_bytes()], |row| row.get(0).map(KeyId::from_bytes))
        .optional()
}

/// Stores a key, in place of those with the same id or digest.
pub(crate) fn put_key(connection: &Connection, key: &KeyRecord) -> rusqlite::Result<()> {
    let KeyRecord { id, digest, organisation, scopes, created_at, expires_at, revoked_at } = key;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO keys (id, digest, organisation, scopes, created_at, expires_at,
                revoked_at, checksum)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7))",
        )?
        .execute(params![
            id.to_bytes(),
            digest.as_bytes(),
            organisation.as_str(),
            scopes.to_string(),
            created_at.unix_seconds(),
            expires_at.map(Timestamp::unix_seconds),
            revoked_at.map(Timestamp::unix_seconds),
        ])?;
    Ok(())
}

pub(crate) fn registration_of(row: &Row<'_>) -> rusqlite::Result<Registration> {
    Ok(Registration { organisation: organisation_of(row, 0)?, plan: plan_of(row, 1)? })
}

fn organisation_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Organisation> {
    row.get_ref(column)?.as_str()?.parse().map_err(|_| damaged("an invalid organisation name"))
}

fn plan_of(row: &Row<'_>, column: usize) -> rusqlite::Result<PlanName> {
    row.get_ref(column)?.as_str()?.parse().map_err(|_| damaged("an invalid plan name"))
}

pub(crate) fn key_of(row: &Row<'_>) -> rusqlite::Result<KeyRecord> {
    let moment =
        |seconds| Timestamp::from_unix_seconds(seconds).map_err(|_| damaged("a time out of range"));
    Ok(KeyRecord {
        id: KeyId::from_bytes(row.get(0)?),
        digest: KeyDigest::from_bytes(row.get(1)?),
        organisation: organisation_of(row, 2)?,
        scopes: row.get_ref(3)?.as_str()?.parse().map_err(|_| damaged("an unknown scope"))?,
        created_at: moment(row.get(4)?)?,
        expires_at: row.get::<_, Option<i64>>(5)?.map(moment).transpose()?,
        revoked_at: row.get::<_, Option<i64>>(6)?.map(moment).transpose()?,
    })
}
