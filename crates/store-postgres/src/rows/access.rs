//! Rows of `registrations` and `keys`.

use custom_models_core::Organisation;
use custom_models_core::access::{KeyDigest, KeyId, KeyRecord, Operation, RateLimit, Window};
use custom_models_core::store::{Grant, Registration, WindowState};
use custom_models_core::tenant::PlanName;
use custom_models_core::time::{Timestamp, UnixMillis};
use tokio_postgres::Row;

use crate::connection::reader::Reader;
use crate::connection::statement::{Statement, parameter};
use crate::error::Fault;
use crate::rows::admissions;
use crate::rows::columns::{bytes, column, organisation_of, text, timestamp};

macro_rules! keys {
    () => {
        "SELECT k.id, k.digest, k.organisation, k.scopes, k.created_at, k.expires_at, k.revoked_at"
    };
}

pub(crate) const GRANT: &str = concat!(
    keys!(),
    ", r.plan FROM custom_models.keys k
    JOIN custom_models.registrations r ON r.organisation = k.organisation WHERE k.digest = $1"
);
pub(crate) const KEYS: &str =
    concat!(keys!(), " FROM custom_models.keys k WHERE k.organisation = $1 ORDER BY k.id");
const REGISTRATION: &str =
    "SELECT organisation, plan FROM custom_models.registrations WHERE organisation = $1";
const REGISTRATIONS: &str =
    "SELECT organisation, plan FROM custom_models.registrations ORDER BY organisation";

/// The registration of an organisation.
pub(crate) async fn registration(
    reader: Reader,
    organisation: &Organisation,
) -> Result<Option<Registration>, Fault> {
    let statement = Statement::new(REGISTRATION, [parameter(bytes(organisation))]);
    let rows = reader.query(statement).await?;
    rows.first().map(registration_of).transpose()
}

/// Every registration, by name.
pub(crate) async fn registrations(reader: Reader) -> Result<Vec<Registration>, Fault> {
    let rows = reader.query(Statement::new(REGISTRATIONS, [])).await?;
    rows.iter().map(registration_of).collect()
}

/// The key with a digest, and its organisation's plan.
pub(crate) async fn grant(reader: Reader, digest: &KeyDigest) -> Result<Option<Grant>, Fault> {
    let rows = reader.query(grant_of(digest)).await?;
    rows.first().map(granted).transpose()
}

fn grant_of(digest: &KeyDigest) -> Statement<'_> {
    Statement::new(GRANT, [parameter(digest.as_bytes().as_slice())])
}

fn granted(row: &Row) -> Result<Grant, Fault> {
    Ok(Grant { key: key_of(row)?, plan: plan_of(row, 7)? })
}

/// The key with a digest, its organisation's plan, and the state of its window.
pub(crate) async fn grant_with_window(
    reader: Reader,
    digest: &KeyDigest,
    operation: Operation,
    limit: RateLimit,
    given: Option<UnixMillis>,
) -> Result<Option<(Grant, WindowState)>, Fault> {
    let statement = admissions::window_rows_of_key(*digest, operation, limit, given);
    let [grants, window_rows] = reader.query_all([grant_of(digest), statement]).await?;
    // The key may be deleted between the two statements.
    let (Some(grant), false) = (grants.first(), window_rows.is_empty()) else { return Ok(None) };
    let grant = granted(grant)?;
    let window = Window { key: grant.key.id.into(), operation };
    let state = admissions::state_of(&window_rows, &window, limit)?;
    Ok(Some((grant, state)))
}

/// The keys of an organisation, by id.
pub(crate) async fn keys(
    reader: Reader,
    organisation: &Organisation,
) -> Result<Vec<KeyRecord>, Fault> {
    let rows = reader.query(Statement::new(KEYS, [parameter(bytes(organisation))])).await?;
    rows.iter().map(key_of).collect()
}

/// Deletes keys with the ids or the digests of these.
pub(crate) fn delete_keys(keys: &[KeyRecord]) -> Statement<'_> {
    const SQL: &str = "DELETE FROM custom_models.keys
        WHERE id = ANY ($1::bytea[]) OR digest = ANY ($2::bytea[])";
    Statement::new(SQL, [parameter(ids(keys)), parameter(digests(keys))])
}

/// Inserts keys.
pub(crate) fn insert_keys(keys: &[KeyRecord]) -> Statement<'_> {
    const SQL: &str =
        "INSERT INTO custom_models.keys (id, digest, organisation, scopes, created_at,
            expires_at, revoked_at)
        SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::text[], $5::bigint[],
            $6::bigint[], $7::bigint[])";
    let seconds = |at: fn(&KeyRecord) -> Option<Timestamp>| -> Vec<Option<i64>> {
        keys.iter().map(|key| at(key).map(Timestamp::unix_seconds)).collect()
    };
    Statement::new(
        SQL,
        [
            parameter(ids(keys)),
            parameter(digests(keys)),
            parameter(keys.iter().map(|key| bytes(&key.organisation)).collect::<Vec<_>>()),
            parameter(keys.iter().map(|key| key.scopes.to_string()).collect::<Vec<_>>()),
            parameter(seconds(|key| Some(key.created_at))),
            parameter(seconds(|key| key.expires_at)),
            parameter(seconds(|key| key.revoked_at)),
        ],
    )
}

fn ids(keys: &[KeyRecord]) -> Vec<Vec<u8>> {
    keys.iter().map(|key| key.id.to_bytes().into()).collect()
}

fn digests(keys: &[KeyRecord]) -> Vec<&[u8]> {
    keys.iter().map(|key| key.digest.as_bytes().as_slice()).collect()
}

pub(crate) fn registration_of(row: &Row) -> Result<Registration, Fault> {
    Ok(Registration { organisation: organisation_of(row, 0)?, plan: plan_of(row, 1)? })
}

fn plan_of(row: &Row, index: usize) -> Result<PlanName, Fault> {
    text(row, index)?.parse().map_err(|_| Fault::Row("an invalid plan name"))
}

pub(crate) fn key_of(row: &Row) -> Result<KeyRecord, Fault> {
    let moment = |index| -> Result<Option<Timestamp>, Fault> {
        column::<Option<i64>>(row, index)?.map(timestamp).transpose()
    };
    let digest =
        column::<&[u8]>(row, 1)?.try_into().map_err(|_| Fault::Row("an invalid digest"))?;
    Ok(KeyRecord {
        id: key_id(row)?,
        digest: KeyDigest::from_bytes(digest),
        organisation: organisation_of(row, 2)?,
        scopes: column::<&str>(row, 3)?.parse().map_err(|_| Fault::Row("an unknown scope"))?,
        created_at: timestamp(column(row, 4)?)?,
        expires_at: moment(5)?,
        revoked_at: moment(6)?,
    })
}

fn key_id(row: &Row) -> Result<KeyId, Fault> {
    let id = column::<&[u8]>(row, 0)?.try_into().map_err(|_| Fault::Row("an invalid key id"))?;
    Ok(KeyId::from_bytes(id))
}
