//! Registrations, API keys and rate limits.

use custom_models_core::Organisation;
use custom_models_core::access::{KeyDigest, KeyRecord, RateLimit, Window};
use custom_models_core::store::{
    AccessChange, AccessOutcome, AccessStore, Completion, Grant, Job, JobOutcome, Registration,
    StoreError, WindowState, window_state,
};
use custom_models_core::time::UnixMillis;

use crate::error::WriteError;
use crate::rows::access;
use crate::rows::admissions::{Admissions, Windows};
use crate::store::SqliteStore;

impl AccessStore for SqliteStore {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        match self.queue() {
            Ok(queue) => {
                queue.submit(Job::Access(change), |it| done(it.and_then(JobOutcome::access)))
            }
            Err(error) => done(Err(error)),
        }
    }

    fn apply_access(&self, change: AccessChange) -> Result<AccessOutcome, StoreError> {
        self.queue()?.apply(Job::Access(change))?.access()
    }

    fn registration(
        &self,
        organisation: &Organisation,
    ) -> Result<Option<Registration>, StoreError> {
        self.readers.read(|connection| access::registration(connection, organisation))
    }

    fn registrations(&self) -> Result<Vec<Registration>, StoreError> {
        self.readers.read(|connection| access::registrations(connection))
    }

    fn key(&self, digest: &KeyDigest) -> Result<Option<Grant>, StoreError> {
        self.readers.read(|connection| access::grant(connection, digest))
    }

    fn keys(&self, organisation: &Organisation) -> Result<Vec<KeyRecord>, StoreError> {
        self.readers.read(|connection| access::keys(connection, organisation))
    }

    fn keeps_windows(&self) -> bool {
        true
    }

    fn window(
        &self,
        window: &Window,
        limit: RateLimit,
        now: UnixMillis,
    ) -> Result<WindowState, StoreError> {
        self.readers.read(|connection| {
            let snapshot = connection.transaction()?;
            let mut rows = Admissions { connection: &snapshot, windows: &mut Windows::default() };
            let state = window_state(&mut rows, window, limit, now);
            snapshot.finish()?;
            Ok(state.map_err(WriteError::into_store_error))
        })?
    }
}
