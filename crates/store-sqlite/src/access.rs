//! Registrations, API keys and request limits in SQLite.

use custom_models_core::{
    AccessChange, AccessOutcome, AccessStore, Completion, Grant, Job, Judged, KeyDigest, KeyRecord,
    Moment, Organisation, Registration, RequestLimit, StoreError, Window, WindowState, admit,
    window_state,
};
use rusqlite::Connection;

use crate::admission_rows::{Admissions, Known};
use crate::fault::Trouble;
use crate::{SqliteStore, access_rows, admission_rows};

impl AccessStore for SqliteStore {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        match self.commits() {
            Ok(commits) => {
                commits.submit(Job::Access(change), |it| done(it.and_then(Judged::access)))
            }
            Err(fault) => done(Err(fault)),
        }
    }

    fn apply_access(&self, change: AccessChange) -> Result<AccessOutcome, StoreError> {
        self.commits()?.apply(Job::Access(change))?.access()
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

    fn keeps_windows(&self) -> bool {
        true
    }

    fn window(
        &self,
        window: &Window,
        limit: RequestLimit,
        now: Moment,
    ) -> Result<WindowState, StoreError> {
        self.readers.read(|connection| {
            let snapshot = connection.transaction()?;
            let mut rows = Admissions { connection: &snapshot, known: &mut Known::new() };
            let state = window_state(&mut rows, window, limit, now);
            snapshot.finish()?;
            Ok(state.map_err(Trouble::into_fault))
        })?
    }
}

/// Judges a change within a transaction, and makes it.
pub(crate) fn apply(
    connection: &Connection,
    known: &mut Known,
    change: &AccessChange,
) -> Result<AccessOutcome, Trouble> {
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
        AccessChange::Admit { window, limit, now } => {
            admit(&mut Admissions { connection, known }, window, *limit, *now)?
        }
        AccessChange::SweepWindows { longest, now, limit } => {
            known.clear();
            let until = now.earlier(*longest);
            AccessOutcome::Swept(admission_rows::sweep(connection, until, *now, *limit)?)
        }
    })
}
