//! Registrations, API keys and rate limits.

use custom_models_core::Organisation;
use custom_models_core::access::{KeyDigest, KeyRecord, RateLimit, Window};
use custom_models_core::store::{
    AccessChange, AccessOutcome, AccessStore, AdmissionRows, Completion, Grant, Job, JobOutcome,
    Registration, StoreError, WindowState, window_state,
};
use custom_models_core::time::UnixMillis;

use crate::rows::access::{KEYS, REGISTRATIONS, decode_key, grant, plan, registration_from_bytes};
use crate::rows::admissions::Admissions;
use crate::rows::overflow::Edits;
use crate::rows::range::below;
use crate::rows::write_set::WriteSet;
use crate::store::SledStore;

impl AccessStore for SledStore {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        self.queue.submit(Job::Access(change), |it| done(it.and_then(JobOutcome::access)));
    }

    fn apply_access(&self, change: AccessChange) -> Result<AccessOutcome, StoreError> {
        self.queue.apply(Job::Access(change))?.access()
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
        let keys: Result<Vec<_>, _> = rows.iter().map(|(key, row)| decode_key(key, row)).collect();
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
        limit: RateLimit,
        now: UnixMillis,
    ) -> Result<WindowState, StoreError> {
        self.database.read(|db| {
            let (changes, mut edits) = (WriteSet::default(), Edits::new());
            let mut newest = None;
            let mut rows =
                Admissions { db, changes: &changes, edits: &mut edits, newest: &mut newest };
            let last = rows.last(window)?;
            let state = window_state(&mut rows, window, limit, now)?;
            *rows.newest = None;
            if rows.last(window)? == last {
                return Ok(state);
            }
            let _blocked = self.database.block_writer();
            *rows.newest = None;
            window_state(&mut rows, window, limit, now)
        })
    }
}
