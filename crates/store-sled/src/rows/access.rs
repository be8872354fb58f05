//! Rows of registrations and API keys.
//!
//! The row of a key, numbers big-endian: form 1, id (6 bytes), `created_at` (8), `expires_at` and
//! `revoked_at` (each 0, or 1 and 8 bytes), organisation after its length (1), and the names of its
//! scopes up to the end. The only row of a key is under its digest, so a key is written completely
//! or not at all. A lookup by id scans all keys; only administrative commands do that.

use custom_models_core::Organisation;
use custom_models_core::access::{KeyDigest, KeyId, KeyRecord};
use custom_models_core::store::{Grant, Registration, StoreError};
use custom_models_core::tenant::PlanName;
use custom_models_core::time::Timestamp;
use sled::Db;

use crate::error::{call_sled, damaged};

/// The key prefix of all registrations.
pub(crate) const REGISTRATIONS: &[u8] = b"o";

/// The key prefix of all API keys.
pub(crate) const KEYS: &[u8] = b"k";

/// The key of an organisation's registration.
pub(crate) fn registration_key(organisation: &Organisation) -> Vec<u8> {
    [REGISTRATIONS, organisation.as_str().as_bytes()].concat()
}

/// The row key of an API key.
pub(crate) fn key_key(digest: &KeyDigest) -> Vec<u8> {
    [KEYS, digest.as_bytes().as_slice()].concat()
}

/// The plan of an organisation, if it is registered.
pub(crate) fn plan(db: &Db, organisation: &Organisation) -> Result<Option<PlanName>, StoreError> {
    let row = call_sled(|| db.get(registration_key(organisation)))?;
    row.map(|row| plan_from_bytes(&row)).transpose()
}

/// Decodes a registration.
pub(crate) fn registration_from_bytes(key: &[u8], row: &[u8]) -> Result<Registration, StoreError> {
    let organisation = key.strip_prefix(REGISTRATIONS).and_then(organisation_from_bytes);
    Ok(Registration {
        organisation: organisation.ok_or_else(|| damaged("an invalid organisation name"))?,
        plan: plan_from_bytes(row)?,
    })
}

fn plan_from_bytes(row: &[u8]) -> Result<PlanName, StoreError> {
    let plan = str::from_utf8(row).ok().and_then(|name| name.parse().ok());
    plan.ok_or_else(|| damaged("an invalid plan name"))
}

/// The key with a digest, and its organisation's plan.
pub(crate) fn grant(db: &Db, digest: &KeyDigest) -> Result<Option<Grant>, StoreError> {
    let stored = || call_sled(|| db.get(key_key(digest)));
    let mut row = stored()?;
    loop {
        let Some(found) = &row else { return Ok(None) };
        let key = key_from_bytes(digest, found)?;
        let plan = plan(db, &key.organisation)?;
        let plan = plan.ok_or_else(|| damaged("a key of an unregistered organisation"))?;
        // If the key has not changed, both rows belong together. A key changes at most once.
        let again = stored()?;
        if again == row {
            return Ok(Some(Grant { key, plan }));
        }
        row = again;
    }
}

/// The digest in a row key.
pub(crate) fn digest_of(key: &[u8]) -> Option<KeyDigest> {
    key.strip_prefix(KEYS)?.try_into().ok().map(KeyDigest::from_bytes)
}

/// Decodes a key.
pub(crate) fn decode_key(key: &[u8], row: &[u8]) -> Result<KeyRecord, StoreError> {
    let digest = digest_of(key).ok_or_else(|| damaged("a key without a digest"))?;
    key_from_bytes(&digest, row)
}

/// Encodes a key.
pub(crate) fn key_to_bytes(key: &KeyRecord) -> Result<Vec<u8>, StoreError> {
    let KeyRecord { id, digest: _, organisation, scopes, created_at, expires_at, revoked_at } = key;
    let mut row = vec![FORM];
    row.extend(id.to_bytes());
    row.extend(created_at.unix_seconds().to_be_bytes());
    for moment in [expires_at, revoked_at] {
        row.push(u8::from(moment.is_some()));
        row.extend(moment.iter().flat_map(|moment| moment.unix_seconds().to_be_bytes()));
    }
    let name = organisation.as_str().as_bytes();
    row.push(u8::try_from(name.len()).map_err(|_| damaged("a name that is too long"))?);
    row.extend(name);
    row.extend(scopes.to_string().as_bytes());
    Ok(row)
}

const FORM: u8 = 1;

fn key_from_bytes(digest: &KeyDigest, row: &[u8]) -> Result<KeyRecord, StoreError> {
    key_of(digest, row).ok_or_else(|| damaged("an invalid key"))
}

fn key_of(digest: &KeyDigest, row: &[u8]) -> Option<KeyRecord> {
    let (form, row) = row.split_first()?;
    let (id, row) = row.split_first_chunk()?;
    let (created_at, row) = seconds(row)?;
    let (expires_at, row) = optional_seconds(row)?;
    let (revoked_at, row) = optional_seconds(row)?;
    let (length, row) = row.split_first()?;
    let (organisation, scopes) = row.split_at_checked(usize::from(*length))?;
    (*form == FORM).then_some(KeyRecord {
        id: KeyId::from_bytes(*id),
        digest: *digest,
        organisation: organisation_from_bytes(organisation)?,
        scopes: str::from_utf8(scopes).ok()?.parse().ok()?,
        created_at,
        expires_at,
        revoked_at,
    })
}

fn optional_seconds(row: &[u8]) -> Option<(Option<Timestamp>, &[u8])> {
    match row.split_first()? {
        (0, row) => Some((None, row)),
        (1, row) => seconds(row).map(|(moment, row)| (Some(moment), row)),
        _ => None,
    }
}

fn seconds(row: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (seconds, row) = row.split_first_chunk()?;
    Some((Timestamp::from_unix_seconds(i64::from_be_bytes(*seconds)).ok()?, row))
}

pub(crate) fn organisation_from_bytes(name: &[u8]) -> Option<Organisation> {
    str::from_utf8(name).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
