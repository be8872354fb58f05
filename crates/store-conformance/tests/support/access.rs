use std::collections::BTreeMap;
use std::thread::ThreadId;

use custom_models_core::{
    AccessChange, AccessOutcome, Admission, Grant, KeyDigest, KeyId, KeyRecord, Moment, Operation,
    Organisation, PlanName, Registration, RequestLimit,
};

use super::flaw::Flaw;

/// Who is registered, the keys, and the admissions with the threads that asked for them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    pub(super) plans: BTreeMap<Organisation, PlanName>,
    pub(super) keys: Vec<KeyRecord>,
    admissions: Vec<(KeyId, Operation, Moment, ThreadId)>,
}

impl Access {
    /// What an opened store begins with.
    pub(crate) fn open(&mut self, flaw: Option<Flaw>) {
        match flaw {
            Some(Flaw::KeysForgottenAtOpening) => self.keys.clear(),
            Some(Flaw::AdmissionsForgottenAtOpening) => self.admissions.clear(),
            _ => {}
        }
    }

    pub(crate) fn apply(
        &mut self,
        flaw: Option<Flaw>,
        change: AccessChange,
        thread: ThreadId,
    ) -> AccessOutcome {
        match change {
            AccessChange::Register(Registration { organisation, plan }) => {
                let is_taken = self.plans.contains_key(&organisation);
                if is_taken && flaw != Some(Flaw::RegistersAgain) {
                    return AccessOutcome::Taken;
                }
                self.plans.insert(organisation, plan);
            }
            AccessChange::SetPlan(Registration { organisation, plan }) => {
                let Some(known) = self.plans.get_mut(&organisation) else {
                    return AccessOutcome::NotFound;
                };
                *known = plan;
            }
            AccessChange::AddKey(key) => {
                if !self.plans.contains_key(&key.organisation) {
                    return AccessOutcome::NotFound;
                }
                let ignores_digests = flaw == Some(Flaw::DigestsTakenTwice);
                let is_same = |known: &KeyRecord| {
                    known.id == key.id || known.digest == key.digest && !ignores_digests
                };
                if self.keys.iter().any(is_same) {
                    return AccessOutcome::Taken;
                }
                self.keys.push(key);
                self.keys.sort_by_key(|key| key.id);
            }
            AccessChange::RevokeKey { id, at } => {
                let Some(key) = self.keys.iter_mut().find(|key| key.id == id) else {
                    return AccessOutcome::NotFound;
                };
                if key.revoked_at.is_none() || flaw == Some(Flaw::RevokesAgain) {
                    key.revoked_at = Some(at);
                }
            }
            AccessChange::Admit { key, operation, limit, now } => {
                return self.admit(flaw, (key, operation, now, thread), limit);
            }
        }
        AccessOutcome::Done
    }

    fn admit(
        &mut self,
        flaw: Option<Flaw>,
        admission: (KeyId, Operation, Moment, ThreadId),
        limit: RequestLimit,
    ) -> AccessOutcome {
        let (key, operation, now, thread) = admission;
        let counts = |other: &&(KeyId, Operation, Moment, ThreadId)| {
            other.0 == key
                && (other.1 == operation || flaw == Some(Flaw::OperationsShareAWindow))
                && (other.3 == thread || flaw != Some(Flaw::WindowCountedByThread))
        };
        let mut counted: Vec<_> =
            self.admissions.iter().filter(counts).map(|admission| admission.2).collect();
        if flaw == Some(Flaw::AdmissionsOfOneMomentMerge) {
            counted.sort_unstable();
            counted.dedup();
        }
        let judged_at = match flaw {
            Some(Flaw::WindowEndsLate) => Moment::from_unix_millis(now.unix_millis() - 1),
            _ => now,
        };
        let outcome = match limit.judge(counted, judged_at) {
            Admission::Admitted(standing) => AccessOutcome::Admitted(standing),
            Admission::Refused { standing, retry_at } => {
                AccessOutcome::Refused { standing, retry_after: retry_at.seconds_since_up(now) }
            }
        };
        let is_admitted = matches!(outcome, AccessOutcome::Admitted(_));
        if is_admitted {
            let counts_after = limit.counts_after(now);
            self.admissions
                .retain(|other| (other.0, other.1) != (key, operation) || other.2 > counts_after);
        }
        if is_admitted || flaw == Some(Flaw::RefusalsCount) {
            self.admissions.push(admission);
        }
        outcome
    }

    pub(crate) fn registrations(&self) -> Vec<Registration> {
        let registration = |(organisation, plan): (&Organisation, &PlanName)| Registration {
            organisation: organisation.clone(),
            plan: plan.clone(),
        };
        self.plans.iter().map(registration).collect()
    }

    pub(crate) fn grant(&self, flaw: Option<Flaw>, digest: &KeyDigest) -> Option<Grant> {
        let mut key = self.keys.iter().find(|key| key.digest == *digest)?.clone();
        if flaw == Some(Flaw::KeysNeverExpire) {
            key.expires_at = None;
        }
        let plan = self.plans.get(&key.organisation)?.clone();
        Some(Grant { key, plan })
    }

    pub(crate) fn keys(&self, flaw: Option<Flaw>, of: &Organisation) -> Vec<KeyRecord> {
        let shows_all = flaw == Some(Flaw::KeysOfAllAreListed);
        let is_of = |key: &&KeyRecord| key.organisation == *of || shows_all;
        self.keys.iter().filter(is_of).cloned().collect()
    }

    pub(crate) fn admissions(
        &self,
        key: KeyId,
        operation: Operation,
        after: Moment,
    ) -> Vec<Moment> {
        let is_asked_for = |admission: &&(KeyId, Operation, Moment, ThreadId)| {
            (admission.0, admission.1) == (key, operation) && admission.2 > after
        };
        self.admissions.iter().filter(is_asked_for).map(|admission| admission.2).collect()
    }
}
