//! Who may use the store, and how often.

use custom_models_core::{
    AccessChange, AccessOutcome, AccessStore, Admission, Completion, Grant, KeyDigest, KeyId,
    KeyRecord, Moment, Operation, Organisation, Registration, RequestLimit, StoreError, Timestamp,
};
use sled::Db;

use crate::SledStore;
use crate::access_rows::{
    KEYS, REGISTRATIONS, admission_key, admission_of, admissions_key, below, grant, key_at,
    key_key, key_to_bytes, plan, registration_from_bytes, registration_key, within,
};
use crate::changes::Changes;
use crate::fault::damaged;
use crate::long::Edits;

impl AccessStore for SledStore {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        self.commits.submit_access(change, done);
    }

    fn apply_access(&self, change: AccessChange) -> Result<AccessOutcome, StoreError> {
        self.commits.apply_access(change)
    }

    fn registration(
        &self,
        organisation: &Organisation,
    ) -> Result<Option<Registration>, StoreError> {
        let plan = self.database.read(|db| plan(db, organisation))?;
        Ok(plan.map(|plan| Registration { organisation: organisation.clone(), plan }))
    }

    fn registrations(&self) -> Result<Vec<Registration>, StoreError> {
        let rows = self.database.read(|db| below(db, REGISTRATIONS))?;
        rows.iter().map(|(key, row)| registration_from_bytes(key, row)).collect()
    }

    fn key(&self, digest: &KeyDigest) -> Result<Option<Grant>, StoreError> {
        self.database.read(|db| grant(db, digest))
    }

    fn keys(&self, organisation: &Organisation) -> Result<Vec<KeyRecord>, StoreError> {
        let rows = self.database.read(|db| below(db, KEYS))?;
        let keys: Result<Vec<_>, _> = rows.iter().map(|(key, row)| key_at(key, row)).collect();
        let mut keys = keys?;
        keys.retain(|key| key.organisation == *organisation);
        keys.sort_by_key(|key| key.id);
        Ok(keys)
    }

    fn admissions(
        &self,
        key: KeyId,
        operation: Operation,
        after: Moment,
    ) -> Result<Vec<Moment>, StoreError> {
        let rows = self.database.read(|db| {
            let end = end_of(&admissions_key(key, operation));
            within(db, admission_key(key, operation, after, 0)..end)
        })?;
        let admissions: Result<Vec<_>, _> =
            rows.iter().map(|(key, _)| moment_of(key).map(|(at, _)| at)).collect();
        let mut admissions = admissions?;
        admissions.retain(|at| *at > after);
        Ok(admissions)
    }
}

/// What lies behind everything below a prefix that ends with a zero.
fn end_of(prefix: &[u8]) -> Vec<u8> {
    match prefix.split_last() {
        Some((_, rest)) => [rest, b"\x01"].concat(),
        None => Vec::new(),
    }
}

fn moment_of(key: &[u8]) -> Result<(Moment, u32), StoreError> {
    admission_of(key).ok_or_else(|| damaged("an admission of no moment"))
}

/// Judges a change on what is stored and what its group changed before it, and makes it a change of
/// the group.
pub(crate) fn apply(
    db: &Db,
    changes: &mut Changes,
    change: &AccessChange,
) -> Result<AccessOutcome, StoreError> {
    match change {
        AccessChange::Register(registration) => register(db, changes, registration, false),
        AccessChange::SetPlan(registration) => register(db, changes, registration, true),
        AccessChange::AddKey(key) => add_key(db, changes, key),
        AccessChange::RevokeKey { id, at } => revoke(db, changes, *id, *at),
        AccessChange::Admit { key, operation, limit, now } => {
            admit(db, changes, (*key, *operation), *limit, *now)
        }
    }
}

fn register(
    db: &Db,
    changes: &mut Changes,
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

fn add_key(db: &Db, changes: &mut Changes, key: &KeyRecord) -> Result<AccessOutcome, StoreError> {
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
    changes: &mut Changes,
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

fn admit(
    db: &Db,
    changes: &mut Changes,
    (key, operation): (KeyId, Operation),
    limit: RequestLimit,
    now: Moment,
) -> Result<AccessOutcome, StoreError> {
    let rows = changes.rows(db, &admissions_key(key, operation))?;
    let admissions: Result<Vec<_>, _> = rows.keys().map(|row| moment_of(row)).collect();
    let admissions = admissions?;
    Ok(match limit.judge(admissions.iter().map(|(at, _)| *at), now) {
        Admission::Refused { standing, retry_at } => {
            AccessOutcome::Refused { standing, retry_after: retry_at.seconds_since_up(now) }
        }
        Admission::Admitted(standing) => {
            let counts_after = limit.counts_after(now);
            let mut edits = Edits::new();
            for (row, (at, _)) in rows.into_keys().zip(&admissions) {
                if *at <= counts_after {
                    edits.push((row, None));
                }
            }
            let of_now = admissions.iter().filter(|(at, _)| *at == now).map(|(_, number)| *number);
            let number = of_now.max().map_or(0, |last| last.wrapping_add(1));
            edits.push((admission_key(key, operation, now, number), Some(Vec::new())));
            changes.set_all(db, edits)?;
            AccessOutcome::Admitted(standing)
        }
    })
}

fn find_key(db: &Db, changes: &Changes, id: KeyId) -> Result<Option<KeyRecord>, StoreError> {
    for (key, row) in changes.rows(db, KEYS)? {
        let key = key_at(&key, &row)?;
        if key.id == id {
            return Ok(Some(key));
        }
    }
    Ok(None)
}
