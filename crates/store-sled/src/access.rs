//! Registrations, API keys and request limits in sled.

use custom_models_core::{
    AccessChange, AccessOutcome, AccessStore, AdmissionRows, Completion, Grant, Job, Judged,
    KeyDigest, KeyId, KeyRecord, Moment, Organisation, Registration, RequestLimit, StoreError,
    Timestamp, Window, WindowState, admit, window_state,
};
use sled::Db;

use crate::SledStore;
use crate::access_rows::{
    KEYS, REGISTRATIONS, below, grant, key_at, key_key, key_to_bytes, plan,
    registration_from_bytes, registration_key,
};
use crate::admission_rows::{self, Admissions};
use crate::changes::Changes;
use crate::long::Edits;

impl AccessStore for SledStore {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        self.commits.submit(Job::Access(change), |it| done(it.and_then(Judged::access)));
    }

    fn apply_access(&self, change: AccessChange) -> Result<AccessOutcome, StoreError> {
        self.commits.apply(Job::Access(change))?.access()
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

    fn keeps_windows(&self) -> bool {
        true
    }

    fn window(
        &self,
        window: &Window,
        limit: RequestLimit,
        now: Moment,
    ) -> Result<WindowState, StoreError> {
        self.database.read(|db| {
            let (changes, mut edits) = (Changes::default(), Edits::new());
            let mut rows = Admissions { db, changes: &changes, edits: &mut edits };
            let last = rows.last(window)?;
            let state = window_state(&mut rows, window, limit, now)?;
            if rows.last(window)? == last {
                return Ok(state);
            }
            let _still = self.database.stand_still();
            window_state(&mut rows, window, limit, now)
        })
    }
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
        AccessChange::Admit { window, limit, now } => {
            let mut edits = Edits::new();
            let mut rows = Admissions { db, changes, edits: &mut edits };
            let outcome = admit(&mut rows, window, *limit, *now)?;
            changes.set_all(db, edits)?;
            Ok(outcome)
        }
        AccessChange::SweepWindows { longest, now, limit } => {
            let until = now.earlier(*longest);
            let swept = admission_rows::sweep(db, changes, until, *now, *limit)?;
            Ok(AccessOutcome::Swept(swept))
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

fn find_key(db: &Db, changes: &Changes, id: KeyId) -> Result<Option<KeyRecord>, StoreError> {
    for (key, row) in changes.rows(db, KEYS)? {
        let key = key_at(&key, &row)?;
        if key.id == id {
            return Ok(Some(key));
        }
    }
    Ok(None)
}
