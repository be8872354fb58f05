//! A store with access and without rate-limit windows (RATE-1).

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use custom_models_core::access::{
    ApiKey, Gate, KeyDigest, KeyId, KeyRecord, Limits, Operation, OperationLimit, RateLimit, Scope,
    Window,
};
use custom_models_core::store::{
    AccessChange, AccessOutcome, AccessStore, Completion, Grant, Registration, StoreError,
    StoreErrorKind,
};
use custom_models_core::tenant::Plans;
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_core::{MemoryStore, Organisation};

/// A store of registrations and keys alone.
struct Keys(MemoryStore);

impl AccessStore for Keys {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        match change {
            AccessChange::Admit { .. } | AccessChange::SweepWindows { .. } => {
                done(Err(StoreErrorKind::NoWindows.into()));
            }
            other => self.0.submit_access(other, done),
        }
    }

    fn registration(&self, of: &Organisation) -> Result<Option<Registration>, StoreError> {
        self.0.registration(of)
    }

    fn registrations(&self) -> Result<Vec<Registration>, StoreError> {
        self.0.registrations()
    }

    fn key(&self, digest: &KeyDigest) -> Result<Option<Grant>, StoreError> {
        self.0.key(digest)
    }

    fn keys(&self, of: &Organisation) -> Result<Vec<KeyRecord>, StoreError> {
        self.0.keys(of)
    }
}

fn api_key() -> ApiKey {
    ApiKey::new(KeyId::from_bytes([1; 6]), [1; 32])
}

fn store() -> Arc<Keys> {
    let store = Keys(MemoryStore::new());
    let organisation: Organisation = "acme".parse().unwrap();
    let plan = "Gold".parse().unwrap();
    let registration = Registration { organisation: organisation.clone(), plan };
    let key = KeyRecord {
        id: api_key().id(),
        digest: api_key().digest(),
        organisation,
        scopes: [Scope::Write].into_iter().collect(),
        created_at: Timestamp::MIN,
        expires_at: None,
        revoked_at: None,
    };
    for change in [AccessChange::Register(registration), AccessChange::AddKey(key)] {
        assert_eq!(store.apply_access(change).unwrap(), AccessOutcome::Done);
    }
    Arc::new(store)
}

fn gate(store: &Arc<Keys>, limits: Limits) -> Result<Gate, StoreError> {
    Gate::new(store.clone(), Plans::default(), limits, || UNIX_EPOCH)
}

#[test]
fn rate_1_a_store_without_windows_says_so_when_a_gate_with_windows_is_made() {
    let store = store();
    let fault = gate(&store, Limits::default()).unwrap_err();
    assert_eq!(fault.kind(), StoreErrorKind::NoWindows);
    assert_eq!(fault.to_string(), "the store keeps no windows of request limits");
    let window = Window { key: api_key().id().into(), operation: Operation::Create };
    let now = UnixMillis::from_unix_millis(0);
    let looked_at = store.window(&window, RateLimit::CREATE, now).unwrap_err();
    assert_eq!(looked_at.kind(), StoreErrorKind::NoWindows);
}

#[test]
fn rate_2_a_store_without_windows_has_a_gate_with_places() {
    let limit = OperationLimit { requests: None, at_once: NonZeroU32::new(1) };
    let gate = gate(&store(), Limits::NONE.with(Operation::Create, limit)).unwrap();
    let authorization = format!("Bearer {}", api_key().expose());
    let enter = || gate.enter(Some(&*authorization), Operation::Create);
    let entered = enter().unwrap();
    assert!(enter().is_err(), "one at a time");
    let admitted = entered.admit().unwrap();
    assert_eq!(admitted.rate_limit(), None);
    drop(admitted);
    assert!(enter().is_ok());
    assert_eq!(gate.sweep().unwrap(), 0);
}
