//! Judges and makes changes of organisations, keys and admissions, over the rows that a store supplies.

use std::time::Duration;

use crate::access::{KeyDigest, KeyId, KeyRecord};
use crate::store::access_change::{AccessChange, AccessOutcome, Registration};
use crate::store::admit::admit;
use crate::store::rows::Rows;
use crate::store::write::AdmissionRequest;
use crate::tenant::Organisation;
use crate::time::UnixMillis;

/// The registrations and keys of a store within a transaction, for [`apply_access`]. The admissions are those
/// of [`Rows`].
pub trait AccessRows: Rows {
    /// Returns the registration of an organisation, if it is registered.
    fn registration(
        &mut self,
        organisation: &Organisation,
    ) -> Result<Option<Registration>, Self::Error>;

    /// Stores a registration. It replaces the one of the same organisation.
    fn put_registration(&mut self, registration: &Registration) -> Result<(), Self::Error>;

    /// Returns the key with this id.
    fn key(&mut self, id: KeyId) -> Result<Option<KeyRecord>, Self::Error>;

    /// Returns the id of the key with this digest.
    fn key_id(&mut self, digest: &KeyDigest) -> Result<Option<KeyId>, Self::Error>;

    /// Stores a key. It replaces those with the same id or digest.
    fn put_key(&mut self, key: &KeyRecord) -> Result<(), Self::Error>;

    /// Makes an [`AccessChange::SweepWindows`], and returns the number of deleted admissions. A store that uses
    /// its own clock takes it in place of `now`.
    fn sweep_windows(
        &mut self,
        longest: Duration,
        now: UnixMillis,
        limit: u32,
    ) -> Result<u64, Self::Error>;
}

/// Judges a change of organisations, keys or admissions, and makes it unless it is refused. Everything is
/// judged before the first row is written.
///
/// # Errors
///
/// Errors of the rows.
pub fn apply_access<R: AccessRows>(
    rows: &mut R,
    change: &AccessChange,
) -> Result<AccessOutcome, R::Error> {
    match change {
        AccessChange::Register(new) => {
            if rows.registration(&new.organisation)?.is_some() {
                return Ok(AccessOutcome::Taken);
            }
            rows.put_registration(new)?;
        }
        AccessChange::SetPlan(new) => {
            if rows.registration(&new.organisation)?.is_none() {
                return Ok(AccessOutcome::NotFound);
            }
            rows.put_registration(new)?;
        }
        AccessChange::AddKey(key) => {
            if rows.registration(&key.organisation)?.is_none() {
                return Ok(AccessOutcome::NotFound);
            }
            if rows.key_id(&key.digest)?.is_some() || rows.key(key.id)?.is_some() {
                return Ok(AccessOutcome::Taken);
            }
            rows.put_key(key)?;
        }
        AccessChange::RevokeKey { id, at } => match rows.key(*id)? {
            None => return Ok(AccessOutcome::NotFound),
            Some(key) if key.revoked_at.is_some() => {}
            Some(key) => rows.put_key(&KeyRecord { revoked_at: Some(*at), ..key })?,
        },
        AccessChange::Admit { window, limit, now } => {
            let request = AdmissionRequest { window: *window, limit: *limit };
            let (mut admissions, now) = rows.admissions(&request, *now)?;
            return admit(&mut admissions, window, *limit, now);
        }
        AccessChange::SweepWindows { longest, now, limit } => {
            return Ok(AccessOutcome::Swept(rows.sweep_windows(*longest, *now, *limit)?));
        }
    }
    Ok(AccessOutcome::Done)
}
