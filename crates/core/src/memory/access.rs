//! The organisations, keys and admissions of a [`MemoryStore`], for hosts that use API keys.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::access::{KeyDigest, KeyId, KeyRecord, RateLimit, Window, WindowKey};
use crate::memory::MemoryStore;
use crate::store::{
    AccessChange, AccessOutcome, AccessStore, Admission, AdmissionRows, AdmissionRowsMut,
    Completion, Grant, Registration, StoreError, WindowState, apply_access, window_state,
};
use crate::tenant::{Organisation, PlanName};
use crate::time::UnixMillis;

#[derive(Debug, Default)]
pub(crate) struct AccessState {
    plans: BTreeMap<Organisation, PlanName>,
    pub(crate) keys: BTreeMap<KeyId, KeyRecord>,
    /// INVARIANT: the digests of `keys`, each with the id of its key.
    pub(crate) ids: HashMap<KeyDigest, KeyId>,
    admissions: HashMap<Window, VecDeque<Admission>>,
}

impl AccessState {
    pub(crate) fn admissions(&mut self) -> Admissions<'_> {
        Admissions(&mut self.admissions)
    }

    pub(crate) fn sweep(&mut self, until: UnixMillis, now: UnixMillis, limit: u32) -> u64 {
        let mut swept = 0;
        for window in self.admissions.values_mut() {
            while swept < u64::from(limit)
                && window.pop_front_if(|admission| admission.at <= until).is_some()
            {
                swept += 1;
            }
            window.iter_mut().for_each(|admission| admission.at = admission.at.min(now));
        }
        self.admissions.retain(|_, window| !window.is_empty());
        swept
    }

    pub(crate) fn registrations(&self) -> impl Iterator<Item = Registration> {
        self.plans.iter().map(|(organisation, plan)| Registration {
            organisation: organisation.clone(),
            plan: plan.clone(),
        })
    }

    /// Returns every key, ordered by organisation.
    pub(crate) fn all_keys(&self) -> impl Iterator<Item = KeyRecord> {
        let mut keys: Vec<_> = self.keys.values().cloned().collect();
        keys.sort_by(|a, b| (&a.organisation, a.id).cmp(&(&b.organisation, b.id)));
        keys.into_iter()
    }

    pub(crate) fn put_registration(&mut self, Registration { organisation, plan }: Registration) {
        self.plans.insert(organisation, plan);
    }

    pub(crate) fn put_key(&mut self, key: KeyRecord) {
        if let Some(old) = self.keys.get(&key.id) {
            self.ids.remove(&old.digest);
        }
        if let Some(old) = self.ids.get(&key.digest) {
            self.keys.remove(old);
        }
        self.ids.insert(key.digest, key.id);
        self.keys.insert(key.id, key);
    }

    /// Erases the registration and the keys of an organisation, and returns their number. Erases the
    /// admissions of the keys too, without counting them.
    pub(crate) fn erase(&mut self, organisation: &Organisation) -> u64 {
        let keys = self.keys.extract_if(.., |_, key| key.organisation == *organisation);
        let keys: Vec<KeyRecord> = keys.map(|(_, key)| key).collect();
        for key in &keys {
            self.ids.remove(&key.digest);
            self.admissions.retain(|window, _| window.key != WindowKey::from(key.id));
        }
        keys.len() as u64 + u64::from(self.plans.remove(organisation).is_some())
    }

    pub(crate) fn registration(&self, organisation: &Organisation) -> Option<Registration> {
        let plan = self.plans.get(organisation)?.clone();
        Some(Registration { organisation: organisation.clone(), plan })
    }

    fn grant(&self, digest: &KeyDigest) -> Option<Grant> {
        let key = self.keys.get(self.ids.get(digest)?)?;
        let plan = self.plans.get(&key.organisation)?;
        Some(Grant { key: key.clone(), plan: plan.clone() })
    }
}

impl AccessStore for MemoryStore {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        let answer = self.open_state().and_then(|mut state| apply_access(&mut *state, &change));
        done(answer);
    }

    fn registration(
        &self,
        organisation: &Organisation,
    ) -> Result<Option<Registration>, StoreError> {
        Ok(self.open_state()?.access.registration(organisation))
    }

    fn registrations(&self) -> Result<Vec<Registration>, StoreError> {
        let state = self.open_state()?;
        Ok(state.access.registrations().collect())
    }

    fn key(&self, digest: &KeyDigest) -> Result<Option<Grant>, StoreError> {
        Ok(self.open_state()?.access.grant(digest))
    }

    fn keys(&self, organisation: &Organisation) -> Result<Vec<KeyRecord>, StoreError> {
        let state = self.open_state()?;
        let keys = state.access.keys.values().filter(|key| key.organisation == *organisation);
        Ok(keys.cloned().collect())
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
        window_state(&mut self.open_state()?.access.admissions(), window, limit, now)
    }
}

/// The admissions of all windows.
pub(crate) struct Admissions<'a>(&'a mut HashMap<Window, VecDeque<Admission>>);

impl AdmissionRows for Admissions<'_> {
    type Error = StoreError;

    fn last(&mut self, window: &Window) -> Result<Option<Admission>, StoreError> {
        Ok(self.0.get(window).and_then(|all| all.back().copied()))
    }

    fn first_after(
        &mut self,
        window: &Window,
        after: UnixMillis,
    ) -> Result<Option<Admission>, StoreError> {
        let Some(all) = self.0.get(window) else { return Ok(None) };
        Ok(all.get(all.partition_point(|admission| admission.at <= after)).copied())
    }

    fn numbered(&mut self, window: &Window, number: u64) -> Result<Option<Admission>, StoreError> {
        let Some(all) = self.0.get(window) else { return Ok(None) };
        Ok(all.get(all.partition_point(|admission| admission.number < number)).copied())
    }
}

impl AdmissionRowsMut for Admissions<'_> {
    fn insert(&mut self, window: &Window, admission: Admission) -> Result<(), StoreError> {
        self.0.entry(*window).or_default().push_back(admission);
        Ok(())
    }

    fn delete_first(
        &mut self,
        window: &Window,
        until: UnixMillis,
        most: u32,
    ) -> Result<(), StoreError> {
        let Some(all) = self.0.get_mut(window) else { return Ok(()) };
        for _ in 0..most {
            if all.pop_front_if(|admission| admission.at <= until).is_none() {
                break;
            }
        }
        Ok(())
    }
}
