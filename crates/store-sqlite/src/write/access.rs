//! The rows of registrations and API keys of a group.

use std::time::Duration;

use custom_models_core::Organisation;
use custom_models_core::access::{KeyDigest, KeyId, KeyRecord};
use custom_models_core::store::{AccessRows, Registration};
use custom_models_core::time::UnixMillis;

use crate::error::WriteError;
use crate::rows::access;
use crate::rows::admissions::sweep::sweep;
use crate::write::group::Group;

impl AccessRows for Group<'_> {
    fn registration(&mut self, of: &Organisation) -> Result<Option<Registration>, WriteError> {
        Ok(access::registration(self.connection, of)?)
    }

    fn put_registration(&mut self, registration: &Registration) -> Result<(), WriteError> {
        Ok(access::put_registration(self.connection, registration)?)
    }

    fn key(&mut self, id: KeyId) -> Result<Option<KeyRecord>, WriteError> {
        Ok(access::key(self.connection, id)?)
    }

    fn key_id(&mut self, digest: &KeyDigest) -> Result<Option<KeyId>, WriteError> {
        Ok(access::key_id(self.connection, digest)?)
    }

    fn put_key(&mut self, key: &KeyRecord) -> Result<(), WriteError> {
        Ok(access::put_key(self.connection, key)?)
    }

    fn sweep_windows(
        &mut self,
        longest: Duration,
        now: UnixMillis,
        limit: u32,
    ) -> Result<u64, WriteError> {
        self.windows.write(self.connection)?;
        self.windows.clear();
        Ok(sweep(self.connection, now.earlier(longest), now, limit)?)
    }
}
