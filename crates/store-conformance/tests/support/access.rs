use std::collections::BTreeMap;
use std::thread::ThreadId;

use custom_models_core::Organisation;
use custom_models_core::access::{KeyDigest, KeyId, KeyRecord, RateLimit, Window};
use custom_models_core::store::{
    AccessChange, AccessOutcome, Admission, AdmissionRows, AdmissionRowsMut, Grant, Registration,
    StoreError, WindowState, admit, window_state,
};
use custom_models_core::tenant::PlanName;
use custom_models_core::time::UnixMillis;

use super::mutant::Mutant;

/// Plans of organisations, keys, and admissions with the threads that requested them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    pub(super) plans: BTreeMap<Organisation, PlanName>,
    pub(super) keys: Vec<KeyRecord>,
    admissions: Vec<(Window, UnixMillis, ThreadId)>,
}

impl Access {
    /// Prepares the state for an opened store.
    pub(crate) fn open(&mut self, mutant: Option<Mutant>) {
        match mutant {
            Some(Mutant::KeysForgottenAtOpening) => self.keys.clear(),
            Some(Mutant::AdmissionsForgottenAtOpening) => self.admissions.clear(),
            _ => {}
        }
    }

    pub(crate) fn apply(
        &mut self,
        mutant: Option<Mutant>,
        change: AccessChange,
        thread: ThreadId,
    ) -> AccessOutcome {
        match change {
            AccessChange::Register(Registration { organisation, plan }) => {
                let is_taken = self.plans.contains_key(&organisation);
                if is_taken && mutant != Some(Mutant::RegistersAgain) {
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
                let ignores_digests = mutant == Some(Mutant::DigestsTakenTwice);
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
                if key.revoked_at.is_none() || mutant == Some(Mutant::RevokesAgain) {
                    key.revoked_at = Some(at);
                }
            }
            AccessChange::Admit { window, limit, now } => {
                return self.admit(mutant, window, limit, (now, thread));
            }
            AccessChange::SweepWindows { longest, now, limit } => {
                return self.sweep(mutant, now.earlier(longest), now, limit);
            }
        }
        AccessOutcome::Done
    }

    fn admit(
        &mut self,
        mutant: Option<Mutant>,
        window: Window,
        limit: RateLimit,
        (now, thread): (UnixMillis, ThreadId),
    ) -> AccessOutcome {
        let (mut rows, judged_at) = self.rows(mutant, &window, (now, thread));
        let mut outcome = admit(&mut rows, &window, limit, judged_at).unwrap();
        if let AccessOutcome::Refused { rate_limit, retry_after } = &mut outcome {
            if mutant == Some(Mutant::RetryWaitsForTheOldest) {
                *retry_after = rate_limit.reset_at.seconds_since_up(now);
            }
            if mutant == Some(Mutant::RefusalsCount) {
                self.admissions.push((window, now, thread));
            }
        }
        outcome
    }

    /// Returns the admissions that a request is judged by, and its time.
    pub(super) fn rows(
        &mut self,
        mutant: Option<Mutant>,
        window: &Window,
        (now, thread): (UnixMillis, ThreadId),
    ) -> (Admissions<'_>, UnixMillis) {
        let mut counted = self.counted(mutant, window, Some(thread));
        if mutant == Some(Mutant::AdmissionsCountUntilDeleted) {
            counted.iter_mut().for_each(|counted| counted.at = counted.at.max(now));
        }
        let at = match mutant {
            Some(Mutant::WindowEndsLate) => UnixMillis::from_unix_millis(now.unix_millis() - 1),
            _ => now,
        };
        (Admissions { counted: Counted(counted), kept: &mut self.admissions, thread }, at)
    }

    /// Counts an admission without judging it.
    pub(super) fn count(&mut self, window: Window, at: UnixMillis, thread: ThreadId) {
        self.admissions.push((window, at, thread));
    }

    /// Deletes the admissions of keys.
    pub(super) fn forget_admissions(&mut self, keys: &[KeyId]) {
        self.admissions.retain(|(window, ..)| keys.iter().all(|key| window.key != (*key).into()));
    }

    fn sweep(
        &mut self,
        mutant: Option<Mutant>,
        until: UnixMillis,
        now: UnixMillis,
        limit: u32,
    ) -> AccessOutcome {
        let (before, mut left) = (self.admissions.len(), limit);
        self.admissions.retain(|(_, at, _)| {
            let goes = *at <= until
                && (left > 0 || mutant == Some(Mutant::SweepsOfWindowsIgnoreTheirLimit));
            left = left.saturating_sub(u32::from(goes));
            !goes
        });
        if mutant != Some(Mutant::SweepsLeaveTheFuture) {
            self.admissions.iter_mut().for_each(|(_, at, _)| *at = now.min(*at));
        }
        AccessOutcome::Swept((before - self.admissions.len()) as u64)
    }

    /// Returns the counted admissions of a window.
    fn counted(
        &self,
        mutant: Option<Mutant>,
        window: &Window,
        thread: Option<ThreadId>,
    ) -> Vec<Admission> {
        let key = |window: &Window| match mutant {
            Some(Mutant::WindowKeysEndAtOneByte) => {
                window.key.as_bytes().iter().take(1).copied().collect()
            }
            _ => window.key.as_bytes().to_vec(),
        };
        let counts = |(of, _, by): &&(Window, UnixMillis, ThreadId)| {
            key(of) == key(window)
                && (of.operation == window.operation
                    || mutant == Some(Mutant::OperationsShareAWindow))
                && (thread.is_none_or(|thread| *by == thread)
                    || mutant != Some(Mutant::WindowCountedByThread))
        };
        let mut counted: Vec<_> = self.admissions.iter().filter(counts).map(|it| it.1).collect();
        counted.sort_unstable();
        if mutant == Some(Mutant::AdmissionsOfOneMomentMerge) {
            counted.dedup();
        }
        (1..).zip(counted).map(|(number, at)| Admission { number, at }).collect()
    }

    pub(crate) fn window(
        &self,
        mutant: Option<Mutant>,
        window: &Window,
        limit: RateLimit,
        now: UnixMillis,
    ) -> WindowState {
        window_state(&mut Counted(self.counted(mutant, window, None)), window, limit, now).unwrap()
    }

    pub(crate) fn registrations(&self) -> Vec<Registration> {
        let registration = |(organisation, plan): (&Organisation, &PlanName)| Registration {
            organisation: organisation.clone(),
            plan: plan.clone(),
        };
        self.plans.iter().map(registration).collect()
    }

    pub(crate) fn grant(&self, mutant: Option<Mutant>, digest: &KeyDigest) -> Option<Grant> {
        let bytes = match mutant {
            Some(Mutant::DigestsAreCutShort) => 16,
            _ => 32,
        };
        let cut =
            |digest: &KeyDigest| digest.as_bytes().iter().take(bytes).copied().collect::<Vec<_>>();
        let mut key = self.keys.iter().find(|key| cut(&key.digest) == cut(digest))?.clone();
        if mutant == Some(Mutant::KeysNeverExpire) {
            key.expires_at = None;
        }
        let plan = self.plans.get(&key.organisation)?.clone();
        Some(Grant { key, plan })
    }

    pub(crate) fn keys(&self, mutant: Option<Mutant>, of: &Organisation) -> Vec<KeyRecord> {
        let shows_all = mutant == Some(Mutant::KeysOfAllAreListed);
        let is_of = |key: &&KeyRecord| key.organisation == *of || shows_all;
        self.keys.iter().filter(is_of).cloned().collect()
    }
}

/// The counted admissions of a window, in order.
pub(super) struct Counted(Vec<Admission>);

impl AdmissionRows for Counted {
    type Error = StoreError;

    fn last(&mut self, _: &Window) -> Result<Option<Admission>, StoreError> {
        Ok(self.0.last().copied())
    }

    fn first_after(
        &mut self,
        _: &Window,
        after: UnixMillis,
    ) -> Result<Option<Admission>, StoreError> {
        Ok(self.0.iter().find(|counted| counted.at > after).copied())
    }

    fn numbered(&mut self, _: &Window, number: u64) -> Result<Option<Admission>, StoreError> {
        Ok(self.0.iter().find(|counted| counted.number == number).copied())
    }
}

/// The counted and the stored admissions.
pub(super) struct Admissions<'a> {
    counted: Counted,
    kept: &'a mut Vec<(Window, UnixMillis, ThreadId)>,
    thread: ThreadId,
}

impl AdmissionRows for Admissions<'_> {
    type Error = StoreError;

    fn last(&mut self, window: &Window) -> Result<Option<Admission>, StoreError> {
        self.counted.last(window)
    }

    fn first_after(
        &mut self,
        window: &Window,
        after: UnixMillis,
    ) -> Result<Option<Admission>, StoreError> {
        self.counted.first_after(window, after)
    }

    fn numbered(&mut self, window: &Window, number: u64) -> Result<Option<Admission>, StoreError> {
        self.counted.numbered(window, number)
    }
}

impl AdmissionRowsMut for Admissions<'_> {
    fn insert(&mut self, window: &Window, admission: Admission) -> Result<(), StoreError> {
        self.kept.push((*window, admission.at, self.thread));
        Ok(())
    }

    fn delete_first(
        &mut self,
        window: &Window,
        until: UnixMillis,
        mut most: u32,
    ) -> Result<(), StoreError> {
        self.kept.retain(|(of, at, _)| {
            let is_old = of == window && *at <= until && most > 0;
            most -= u32::from(is_old);
            !is_old
        });
        Ok(())
    }
}
