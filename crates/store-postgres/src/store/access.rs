//! Registrations, API keys and rate limits.

use custom_models_core::Organisation;
use custom_models_core::access::{KeyDigest, KeyRecord, Operation, RateLimit, Window};
use custom_models_core::store::{
    AccessChange, AccessOutcome, AccessStore, AdmissionRequest, Completion, Grant, Job, JobOutcome,
    Registration, StoreError, WindowState,
};
use custom_models_core::time::UnixMillis;

use crate::rows::access;
use crate::rows::admissions::{self, WindowQuery};
use crate::store::PostgresStore;

impl AccessStore for PostgresStore {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        match self.queues() {
            Ok(queues) => {
                queues.submit(Job::Access(change), |it| done(it.and_then(JobOutcome::access)))
            }
            Err(refused) => done(Err(refused)),
        }
    }

    fn apply_access(&self, change: AccessChange) -> Result<AccessOutcome, StoreError> {
        self.queues()?.apply(Job::Access(change))?.access()
    }

    fn registration(
        &self,
        organisation: &Organisation,
    ) -> Result<Option<Registration>, StoreError> {
        let organisation = organisation.clone();
        self.readers.read(async move |reader| access::registration(reader, &organisation).await)
    }

    fn registrations(&self) -> Result<Vec<Registration>, StoreError> {
        self.readers.read(access::registrations)
    }

    fn key(&self, digest: &KeyDigest) -> Result<Option<Grant>, StoreError> {
        let digest = *digest;
        self.readers.read(async move |reader| access::grant(reader, &digest).await)
    }

    fn key_with_window(
        &self,
        digest: &KeyDigest,
        operation: Operation,
        limit: RateLimit,
        now: UnixMillis,
    ) -> Result<Option<(Grant, WindowState)>, StoreError> {
        let (digest, given) = (*digest, self.settings.clock.given(now));
        self.readers.read(async move |reader| {
            access::grant_with_window(reader, &digest, operation, limit, given).await
        })
    }

    fn keys(&self, organisation: &Organisation) -> Result<Vec<KeyRecord>, StoreError> {
        let organisation = organisation.clone();
        self.readers.read(async move |reader| access::keys(reader, &organisation).await)
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
        let request = AdmissionRequest { window: *window, limit };
        let window_query = WindowQuery::new(&request, now, self.settings.clock);
        self.readers.read(move |reader| admissions::state(reader, window_query))
    }
}
