//! The rows of registrations and API keys of a group.

use std::time::Duration;

use custom_models_core::Organisation;
use custom_models_core::access::{KeyDigest, KeyId, KeyRecord};
use custom_models_core::store::{AccessRows, Registration, StoreError};
use custom_models_core::time::UnixMillis;

use crate::rows::access::{
    KEYS, decode_key, key_key, key_to_bytes, registration_from_bytes, registration_key,
};
use crate::rows::admissions::sweep::sweep;
use crate::write::group::PendingWrite;

impl AccessRows for PendingWrite<'_, '_> {
    fn registration(&mut self, of: &Organisation) -> Result<Option<Registration>, StoreError> {
        let key = registration_key(of);
        let row = self.group.changes.row(self.group.db, &key)?;
        row.map(|row| registration_from_bytes(&key, &row)).transpose()
    }

    fn put_registration(&mut self, registration: &Registration) -> Result<(), StoreError> {
        let Registration { organisation, plan } = registration;
        self.edits.push((registration_key(organisation), Some(plan.as_str().as_bytes().to_vec())));
        Ok(())
    }

    fn key(&mut self, id: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        for (key, row) in self.group.changes.rows(self.group.db, KEYS)? {
            let key = decode_key(&key, &row)?;
            if key.id == id {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    fn key_id(&mut self, digest: &KeyDigest) -> Result<Option<KeyId>, StoreError> {
        let key = key_key(digest);
        let row = self.group.changes.row(self.group.db, &key)?;
        row.map(|row| Ok(decode_key(&key, &row)?.id)).transpose()
    }

    fn put_key(&mut self, key: &KeyRecord) -> Result<(), StoreError> {
        if let Some(old) = self.key(key.id)? {
            self.edits.push((key_key(&old.digest), None));
        }
        self.edits.push((key_key(&key.digest), Some(key_to_bytes(key)?)));
        Ok(())
    }

    fn sweep_windows(
        &mut self,
        longest: Duration,
        now: UnixMillis,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let (db, changes) = (self.group.db, &self.group.changes);
        sweep(db, changes, &mut self.edits, now.earlier(longest), now, limit)
    }
}
