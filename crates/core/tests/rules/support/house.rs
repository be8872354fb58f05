//! A store with organisations and keys, and a gate before it.

use std::sync::Arc;

use custom_models_core::MemoryStore;
use custom_models_core::access::{
    ApiKey, Gate, KeyId, KeyRecord, Limits, Operation, RateLimit, Scope, Window,
};
use custom_models_core::store::{AccessChange, AccessOutcome, AccessStore, Registration};
use custom_models_core::tenant::Plans;
use custom_models_core::time::Timestamp;

use super::Clock;

/// A store with organisations and keys, and a clock that changes only when it is set.
pub(crate) struct House {
    pub(crate) store: MemoryStore,
    pub(crate) clock: Clock,
}

impl House {
    /// Creates two organisations on the plan Gold, a thousand seconds after 1970.
    pub(crate) fn new() -> Self {
        let house = House { store: MemoryStore::new(), clock: Clock::at(1_000_000) };
        for organisation in ["acme", "other"] {
            let registration = Registration {
                organisation: organisation.parse().unwrap(),
                plan: "Gold".parse().unwrap(),
            };
            house.change(AccessChange::Register(registration));
        }
        house
    }

    pub(crate) fn change(&self, change: AccessChange) {
        assert_eq!(self.store.apply_access(change).unwrap(), AccessOutcome::Done);
    }

    /// Adds a key, and returns its `Authorization` header.
    pub(crate) fn key(&self, number: u8, organisation: &str, scopes: &[Scope]) -> String {
        self.key_until(number, organisation, scopes, None)
    }

    /// Adds a key that may expire at a given second.
    pub(crate) fn key_until(
        &self,
        number: u8,
        organisation: &str,
        scopes: &[Scope],
        expires_at: Option<i64>,
    ) -> String {
        let key = api_key(number);
        self.change(AccessChange::AddKey(KeyRecord {
            id: key.id(),
            digest: key.digest(),
            organisation: organisation.parse().unwrap(),
            scopes: scopes.iter().copied().collect(),
            created_at: second(0),
            expires_at: expires_at.map(second),
            revoked_at: None,
        }));
        format!("Bearer {}", key.expose())
    }

    pub(crate) fn gate(&self, limits: Limits) -> Gate {
        self.gate_with(Plans::default(), limits)
    }

    pub(crate) fn gate_with(&self, plans: Plans, limits: Limits) -> Gate {
        let (store, clock) = (Arc::new(self.store.clone()), self.clock.clone());
        Gate::new(store, plans, limits, move || clock.time()).unwrap()
    }

    /// Returns the number of stored admissions of a key for creates.
    pub(crate) fn admissions(&self, number: u8) -> usize {
        let all = RateLimit::new(RateLimit::MAX_REQUESTS, RateLimit::MAX_WINDOW).unwrap();
        let window = Window { key: api_key(number).id().into(), operation: Operation::Create };
        let rate_limit = self.store.window(&window, all, self.clock.now()).unwrap().rate_limit;
        (rate_limit.limit - rate_limit.remaining) as usize
    }
}

pub(crate) fn api_key(number: u8) -> ApiKey {
    ApiKey::new(KeyId::from_bytes([number; 6]), [number; 32])
}

pub(crate) fn second(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}
