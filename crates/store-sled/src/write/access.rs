//! Changes of registrations and API keys, and admissions of requests.

use custom_models_core::access::{KeyId, KeyRecord};
use custom_models_core::store::{AccessChange, AccessOutcome, Registration, StoreError, admit};
use custom_models_core::time::Timestamp;
use sled::Db;

use crate::rows::access::{KEYS, decode_key, key_key, key_to_bytes, registration_key};
use crate::rows::admissions::{self, Admissions};
use crate::rows::overflow::Edits;
use crate::rows::write_set::WriteSet;

/// Decides a change on the rows as its group has left them, and adds it to the group.
pub(crate) fn apply(
    db: &Db,
    changes: &mut WriteSet,
    change: &AccessChange,
) -> Result<AccessOutcome, StoreError> {
    match change {
        AccessChange::Register(registration) => register(db, changes, registration, false),
        AccessChange::SetPlan(registration) => register(db, changes, registration, true),
        AccessChange::AddKey(key) => add_key(db, changes, key),
        AccessChange::RevokeKey { id, at } => revoke(db, changes, *id, *at),
        AccessChange::Admit { window, limit, now } => {
            let mut edits = Edits::new();
            let mut rows = Admissions { db, changes, edits: &mut edits };
            let outcome = admit(&mut rows, window, *limit, *now)?;
            changes.set_all(db, edits)?;
            Ok(outcome)
        }
        AccessChange::SweepWindows { longest, now, limit } => {
            let until = now.earlier(*longest);
            let swept = admissions::sweep(db, changes, until, *now, *limit)?;
            Ok(AccessOutcome::Swept(swept))
        }
    }
}

fn register(
    db: &Db,
    changes: &mut WriteSet,
    registration: &Registration,
    is_known: bool,
) -> Result<AccessOutcome, StoreError> {
    let key = registration_key(&registration.organisation);
    if changes.row(db, &key)?.is_some() != is_known {
        let refused = if is_known { AccessOutcome::NotFound } else { AccessOutcome::Taken };
        return Ok(refused);
    }
    changes.set(db, key, Some(registration.plan.as_str().as_bytes().to_vec()))?;
    Ok(AccessOutcome::Done)
}

fn add_key(db: &Db, changes: &mut WriteSet, key: &KeyRecord) -> Result<AccessOutcome, StoreError> {
    if changes.row(db, &registration_key(&key.organisation))?.is_none() {
        return Ok(AccessOutcome::NotFound);
    }
    let is_taken = changes.row(db, &key_key(&key.digest))?.is_some();
    if is_taken || find_key(db, changes, key.id)?.is_some() {
        return Ok(AccessOutcome::Taken);
    }
    changes.set(db, key_key(&key.digest), Some(key_to_bytes(key)?))?;
    Ok(AccessOutcome::Done)
}

fn revoke(
    db: &Db,
    changes: &mut WriteSet,
    id: KeyId,
    at: Timestamp,
) -> Result<AccessOutcome, StoreError> {
    let Some(mut key) = find_key(db, changes, id)? else {
        return Ok(AccessOutcome::NotFound);
    };
    if key.revoked_at.is_none() {
        key.revoked_at = Some(at);
        changes.set(db, key_key(&key.digest), Some(key_to_bytes(&key)?))?;
    }
    Ok(AccessOutcome::Done)
}

fn find_key(db: &Db, changes: &WriteSet, id: KeyId) -> Result<Option<KeyRecord>, StoreError> {
    for (key, row) in changes.rows(db, KEYS)? {
        let key = decode_key(&key, &row)?;
        if key.id == id {
            return Ok(Some(key));
        }
    }
    Ok(None)
}
