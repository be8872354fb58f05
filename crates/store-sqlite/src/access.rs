//! Who may use the store, and how often.

use custom_models_core::{
    AccessChange, AccessOutcome, AccessStore, Admission, Completion, Grant, KeyDigest, KeyId,
    KeyRecord, Moment, Operation, Organisation, Registration, RequestLimit, StoreError,
};
use rusqlite::Connection;

use crate::{SqliteStore, access_rows};

impl AccessStore for SqliteStore {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        match self.commits() {
            Ok(commits) => commits.submit_access(change, done),
            Err(fault) => done(Err(fault)),
        }
    }

    fn apply_access(&self, change: AccessChange) -> Result<AccessOutcome, StoreError> {
        self.commits()?.apply_access(change)
    }

    fn registration(
        &self,
        organisation: &Organisation,
    ) -> Result<Option<Registration>, StoreError> {
        self.readers.read(|connection| access_rows::registration(connection, organisation))
    }

    fn registrations(&self) -> Result<Vec<Registration>, StoreError> {
        self.readers.read(|connection| access_rows::registrations(connection))
    }

    fn key(&self, digest: &KeyDigest) -> Result<Option<Grant>, StoreError> {
        self.readers.read(|connection| access_rows::grant(connection, digest))
    }

    fn keys(&self, organisation: &Organisation) -> Result<Vec<KeyRecord>, StoreError> {
        self.readers.read(|connection| access_rows::keys(connection, organisation))
    }

    fn admissions(
        &self,
        key: KeyId,
        operation: Operation,
        after: Moment,
    ) -> Result<Vec<Moment>, StoreError> {
        self.readers.read(|connection| access_rows::admissions(connection, key, operation, after))
    }
}

/// Judges a change within a transaction, and makes it.
pub(crate) fn apply(
    connection: &Connection,
    change: &AccessChange,
) -> rusqlite::Result<AccessOutcome> {
    let done_or = |is_done, otherwise| if is_done { AccessOutcome::Done } else { otherwise };
    Ok(match change {
        AccessChange::Register(registration) => {
            let is_new = access_rows::register(connection, registration)?;
            done_or(is_new, AccessOutcome::Taken)
        }
        AccessChange::SetPlan(registration) => {
            let is_there = access_rows::set_plan(connection, registration)?;
            done_or(is_there, AccessOutcome::NotFound)
        }
        AccessChange::AddKey(key) => {
            if access_rows::registration(connection, &key.organisation)?.is_none() {
                return Ok(AccessOutcome::NotFound);
            }
            done_or(access_rows::add_key(connection, key)?, AccessOutcome::Taken)
        }
        AccessChange::RevokeKey { id, at } => {
            done_or(access_rows::revoke(connection, *id, *at)?, AccessOutcome::NotFound)
        }
        AccessChange::Admit { key, operation, limit, now } => {
            admit(connection, *key, *operation, *limit, *now)?
        }
    })
}

fn admit(
    connection: &Connection,
    key: KeyId,
    operation: Operation,
    limit: RequestLimit,
    now: Moment,
) -> rusqlite::Result<AccessOutcome> {
    let counts_after = limit.counts_after(now);
    let admissions = access_rows::admissions(connection, key, operation, counts_after)?;
    Ok(match limit.judge(admissions, now) {
        Admission::Refused { standing, retry_at } => {
            AccessOutcome::Refused { standing, retry_after: retry_at.seconds_since_up(now) }
        }
        Admission::Admitted(standing) => {
            access_rows::admit(connection, key, operation, now, counts_after)?;
            AccessOutcome::Admitted(standing)
        }
    })
}
