//! What a [`MemoryStore`] keeps for hosts that use keys.

use std::collections::{BTreeMap, HashMap};

use crate::{
    AccessChange, AccessOutcome, AccessStore, Admission, Completion, Grant, KeyDigest, KeyId,
    KeyRecord, MemoryStore, Moment, Operation, Organisation, PlanName, Registration, StoreError,
};

#[derive(Debug, Default)]
pub(crate) struct AccessState {
    plans: BTreeMap<Organisation, PlanName>,
    keys: BTreeMap<KeyId, KeyRecord>,
    /// INVARIANT: the digests of `keys`, each with its id.
    ids: HashMap<KeyDigest, KeyId>,
    admissions: HashMap<(KeyId, Operation), Vec<Moment>>,
}

impl AccessState {
    fn apply(&mut self, change: AccessChange) -> AccessOutcome {
        match change {
            AccessChange::Register(Registration { organisation, plan }) => {
                if self.plans.contains_key(&organisation) {
                    return AccessOutcome::Taken;
                }
                self.plans.insert(organisation, plan);
                AccessOutcome::Done
            }
            AccessChange::SetPlan(Registration { organisation, plan }) => {
                match self.plans.get_mut(&organisation) {
                    None => AccessOutcome::NotFound,
                    Some(old) => {
                        *old = plan;
                        AccessOutcome::Done
                    }
                }
            }
            AccessChange::AddKey(key) => self.add_key(key),
            AccessChange::RevokeKey { id, at } => match self.keys.get_mut(&id) {
                None => AccessOutcome::NotFound,
                Some(key) => {
                    key.revoked_at.get_or_insert(at);
                    AccessOutcome::Done
                }
            },
            AccessChange::Admit { key, operation, limit, now } => {
                let admissions = self.admissions.entry((key, operation)).or_default();
                match limit.judge(admissions.iter().copied(), now) {
                    Admission::Refused { standing, retry_at } => AccessOutcome::Refused {
                        standing,
                        retry_after: retry_at.seconds_since_up(now),
                    },
                    Admission::Admitted(standing) => {
                        let counts_after = limit.counts_after(now);
                        admissions.retain(|admission| *admission > counts_after);
                        admissions.push(now);
                        AccessOutcome::Admitted(standing)
                    }
                }
            }
        }
    }

    pub(crate) fn registrations(&self) -> impl Iterator<Item = Registration> {
        self.plans.iter().map(|(organisation, plan)| Registration {
            organisation: organisation.clone(),
            plan: plan.clone(),
        })
    }

    /// Every key, in the order of their organisations.
    pub(crate) fn all_keys(&self) -> impl Iterator<Item = KeyRecord> {
        let mut keys: Vec<_> = self.keys.values().cloned().collect();
        keys.sort_by(|a, b| (&a.organisation, a.id).cmp(&(&b.organisation, b.id)));
        keys.into_iter()
    }

    pub(crate) fn put_registration(&mut self, Registration { organisation, plan }: Registration) {
        self.plans.insert(organisation, plan);
    }

    pub(crate) fn put_key(&mut self, key: KeyRecord) {
        self.ids.insert(key.digest, key.id);
        self.keys.insert(key.id, key);
    }

    /// How many records went.
    pub(crate) fn erase(&mut self, organisation: &Organisation) -> u64 {
        let keys = self.keys.extract_if(.., |_, key| key.organisation == *organisation);
        let keys: Vec<KeyRecord> = keys.map(|(_, key)| key).collect();
        for key in &keys {
            self.ids.remove(&key.digest);
            self.admissions.retain(|(id, _), _| *id != key.id);
        }
        keys.len() as u64 + u64::from(self.plans.remove(organisation).is_some())
    }

    fn add_key(&mut self, key: KeyRecord) -> AccessOutcome {
        if !self.plans.contains_key(&key.organisation) {
            return AccessOutcome::NotFound;
        }
        if self.keys.contains_key(&key.id) || self.ids.contains_key(&key.digest) {
            return AccessOutcome::Taken;
        }
        self.ids.insert(key.digest, key.id);
        self.keys.insert(key.id, key);
        AccessOutcome::Done
    }

    fn grant(&self, digest: &KeyDigest) -> Option<Grant> {
        let key = self.keys.get(self.ids.get(digest)?)?;
        let plan = self.plans.get(&key.organisation)?;
        Some(Grant { key: key.clone(), plan: plan.clone() })
    }
}

impl AccessStore for MemoryStore {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        let answer = self.open_state().map(|mut state| state.access.apply(change));
        done(answer);
    }

    fn registration(
        &self,
        organisation: &Organisation,
    ) -> Result<Option<Registration>, StoreError> {
        let state = self.open_state()?;
        let registration = |plan: &PlanName| Registration {
            organisation: organisation.clone(),
            plan: plan.clone(),
        };
        Ok(state.access.plans.get(organisation).map(registration))
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

    fn admissions(
        &self,
        key: KeyId,
        operation: Operation,
        after: Moment,
    ) -> Result<Vec<Moment>, StoreError> {
        let state = self.open_state()?;
        let admissions = state.access.admissions.get(&(key, operation));
        let admissions = admissions.into_iter().flatten().copied();
        Ok(admissions.filter(|admission| *admission > after).collect())
    }
}
