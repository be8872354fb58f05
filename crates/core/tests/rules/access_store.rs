//! AUTH and RATE in the reference store.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use custom_models_core::MemoryStore;
use custom_models_core::access::{
    Gate, KeyDigest, KeyId, KeyRecord, Limits, Operation, OperationLimit, RateLimit,
    RateLimitStatus, Scope, Window,
};
use custom_models_core::store::{
    AccessChange, AccessOutcome, AccessStore, Grant, ModelStore, Registration, StoreErrorKind,
};
use custom_models_core::tenant::{PlanName, Plans};
use custom_models_core::time::{Timestamp, UnixMillis};
use proptest::prelude::*;

fn registration(organisation: &str, plan: &str) -> Registration {
    Registration { organisation: organisation.parse().unwrap(), plan: plan.parse().unwrap() }
}

fn second(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}

fn key(number: u8, organisation: &str) -> KeyRecord {
    KeyRecord {
        id: KeyId::from_bytes([number; 6]),
        digest: KeyDigest::from_bytes([number; 32]),
        organisation: organisation.parse().unwrap(),
        scopes: [Scope::Read].into_iter().collect(),
        created_at: second(1),
        expires_at: None,
        revoked_at: None,
    }
}

fn apply(store: &MemoryStore, change: AccessChange) -> AccessOutcome {
    store.apply_access(change).unwrap()
}

fn admit(key: KeyId, operation: Operation, limit: RateLimit, now: UnixMillis) -> AccessChange {
    AccessChange::Admit { window: Window { key: key.into(), operation }, limit, now }
}

#[test]
fn auth_2_an_organisation_is_registered_once_and_changes_its_plan() {
    let store = MemoryStore::new();
    let [gold, enterprise] = ["Gold", "Enterprise"].map(|plan| registration("acme", plan));
    assert_eq!(apply(&store, AccessChange::SetPlan(gold.clone())), AccessOutcome::NotFound);
    assert_eq!(store.registration(&gold.organisation).unwrap(), None);
    assert_eq!(apply(&store, AccessChange::Register(gold.clone())), AccessOutcome::Done);
    assert_eq!(apply(&store, AccessChange::Register(enterprise.clone())), AccessOutcome::Taken);
    assert_eq!(store.registration(&gold.organisation).unwrap(), Some(gold));
    assert_eq!(apply(&store, AccessChange::SetPlan(enterprise.clone())), AccessOutcome::Done);
    let other = registration("a", "Gold");
    assert_eq!(apply(&store, AccessChange::Register(other.clone())), AccessOutcome::Done);
    assert_eq!(store.registrations().unwrap(), [other, enterprise]);
}

#[test]
fn auth_1_a_key_is_found_by_its_digest_with_its_organisations_plan() {
    let store = MemoryStore::new();
    assert_eq!(apply(&store, AccessChange::AddKey(key(1, "acme"))), AccessOutcome::NotFound);
    for name in ["acme", "other"] {
        apply(&store, AccessChange::Register(registration(name, "Gold")));
    }
    assert_eq!(apply(&store, AccessChange::AddKey(key(2, "acme"))), AccessOutcome::Done);
    assert_eq!(apply(&store, AccessChange::AddKey(key(1, "acme"))), AccessOutcome::Done);
    let same_id = KeyRecord { digest: KeyDigest::from_bytes([9; 32]), ..key(1, "other") };
    let same_digest = KeyRecord { id: KeyId::from_bytes([9; 6]), ..key(1, "other") };
    for taken in [same_id, same_digest] {
        assert_eq!(apply(&store, AccessChange::AddKey(taken)), AccessOutcome::Taken);
    }
    apply(&store, AccessChange::SetPlan(registration("acme", "Silver")));
    let found = store.key(&key(1, "acme").digest).unwrap();
    assert_eq!(found, Some(Grant { key: key(1, "acme"), plan: "Silver".parse().unwrap() }));
    assert_eq!(store.key(&KeyDigest::from_bytes([9; 32])).unwrap(), None);
    assert_eq!(store.keys(&"acme".parse().unwrap()).unwrap(), [key(1, "acme"), key(2, "acme")]);
    assert_eq!(store.keys(&"other".parse().unwrap()).unwrap(), []);
}

#[test]
fn auth_1_a_key_is_revoked_once_and_stays_in_the_list() {
    let store = MemoryStore::new();
    let revoke =
        |number, at| AccessChange::RevokeKey { id: KeyId::from_bytes([number; 6]), at: second(at) };
    apply(&store, AccessChange::Register(registration("acme", "Gold")));
    apply(&store, AccessChange::AddKey(key(1, "acme")));
    apply(&store, AccessChange::AddKey(key(2, "acme")));
    assert_eq!(apply(&store, revoke(3, 7)), AccessOutcome::NotFound);
    assert_eq!(apply(&store, revoke(1, 7)), AccessOutcome::Done);
    assert_eq!(apply(&store, revoke(1, 8)), AccessOutcome::Done);
    let revoked = KeyRecord { revoked_at: Some(second(7)), ..key(1, "acme") };
    assert_eq!(store.keys(&"acme".parse().unwrap()).unwrap(), [revoked.clone(), key(2, "acme")]);
    assert_eq!(store.key(&revoked.digest).unwrap().map(|grant| grant.key), Some(revoked));
}

proptest! {
    /// Every outcome is that of the window over the admissions of the same key and operation; nothing else
    /// changes it.
    #[test]
    fn rate_1_and_rate_3_admissions_count_by_key_and_operation_and_refusals_do_not(
        requests in prop::collection::vec((0..2_u8, any::<bool>(), 0..700_i64), 1..80),
    ) {
        let store = MemoryStore::new();
        let limit = RateLimit::new(3, Duration::from_secs(2)).unwrap();
        let mut admitted: BTreeMap<_, Vec<UnixMillis>> = BTreeMap::new();
        let mut now = 0;
        for (number, is_create, step) in requests {
            now += step;
            let moment = UnixMillis::from_unix_millis(now);
            let operation = if is_create { Operation::Create } else { Operation::Get };
            let id = KeyId::from_bytes([number; 6]);
            let past = admitted.entry((number, operation)).or_default();
            past.retain(|at| now - at.unix_millis() < 2000);
            let outcome = apply(&store, admit(id, operation, limit, moment));
            let has_room = past.len() < 3;
            if has_room {
                past.push(moment);
            }
            let remaining = u32::try_from(3 - past.len()).unwrap();
            let reset_at = past[0].later(Duration::from_secs(2));
            let rate_limit = RateLimitStatus { limit: 3, remaining, reset_at };
            let expected = if has_room {
                AccessOutcome::Admitted(rate_limit)
            } else {
                let millis = u64::try_from(reset_at.unix_millis() - now).unwrap();
                AccessOutcome::Refused { rate_limit, retry_after: millis.div_ceil(1000) }
            };
            prop_assert_eq!(outcome, expected);
            let window = Window { key: id.into(), operation };
            let rate_limit = store.window(&window, limit, moment).unwrap().rate_limit;
            prop_assert_eq!(rate_limit.limit - rate_limit.remaining, u32::try_from(past.len()).unwrap());
        }
    }
}

/// A new admission or a sweep deletes admissions that left the window, a bounded number at once.
#[test]
fn rate_1_a_store_in_memory_keeps_the_admissions_of_the_window_alone() {
    let store = MemoryStore::new();
    let id = KeyId::from_bytes([1; 6]);
    let limit = RateLimit::new(9, Duration::from_secs(1)).unwrap();
    let admit_at = |millis| {
        let change = admit(id, Operation::Create, limit, UnixMillis::from_unix_millis(millis));
        assert!(matches!(apply(&store, change), AccessOutcome::Admitted(_)), "at {millis}");
    };
    let sweep = |limit| {
        let (longest, now) = (Duration::from_secs(1), UnixMillis::from_unix_millis(9000));
        apply(&store, AccessChange::SweepWindows { longest, now, limit })
    };
    // Earlier admissions are deleted together with the first of the second four.
    [0, 1, 2, 3, 4000, 4001, 4002, 4003].into_iter().for_each(admit_at);
    for swept in [2, 2, 0] {
        assert_eq!(sweep(2), AccessOutcome::Swept(swept));
    }
}

#[test]
fn rate_1_a_sweep_deletes_more_admissions_than_a_store_does_at_once() {
    let store = MemoryStore::new();
    let limit = RateLimit::new(2000, Duration::from_secs(1)).unwrap();
    for _ in 0..1001 {
        let now = UnixMillis::from_unix_millis(0);
        apply(&store, admit(KeyId::from_bytes([1; 6]), Operation::Create, limit, now));
    }
    let requests = OperationLimit { requests: Some(limit), at_once: None };
    let limits = Limits::NONE.with(Operation::Create, requests);
    let clock = || UNIX_EPOCH + Duration::from_secs(9);
    let gate = Gate::new(Arc::new(store), Plans::default(), limits, clock).unwrap();
    assert_eq!(gate.sweep().unwrap(), 1001);
    assert_eq!(gate.sweep().unwrap(), 0);
}

#[test]
fn rate_1_a_sweep_counts_admissions_of_a_later_clock_from_now() {
    let store = MemoryStore::new();
    let limit = RateLimit::new(1, Duration::from_secs(10)).unwrap();
    let request = |millis| {
        let now = UnixMillis::from_unix_millis(millis);
        apply(&store, admit(KeyId::from_bytes([1; 6]), Operation::Create, limit, now))
    };
    assert!(matches!(request(60_000), AccessOutcome::Admitted(_)));
    let (longest, now) = (limit.window(), UnixMillis::from_unix_millis(5000));
    let swept = apply(&store, AccessChange::SweepWindows { longest, now, limit: 9 });
    assert_eq!(swept, AccessOutcome::Swept(0));
    assert!(matches!(request(14_999), AccessOutcome::Refused { .. }));
    assert!(matches!(request(15_000), AccessOutcome::Admitted(_)));
}

#[test]
fn rate_5_under_a_lowered_limit_a_store_in_memory_finds_the_admission_that_blocks() {
    let store = MemoryStore::new();
    let [high, low] = [9, 2].map(|most| RateLimit::new(most, Duration::from_secs(10)).unwrap());
    let id = KeyId::from_bytes([1; 6]);
    let request = |limit, millis| {
        let now = UnixMillis::from_unix_millis(millis);
        apply(&store, admit(id, Operation::Create, limit, now))
    };
    for millis in [1000, 2000, 3000, 4000] {
        assert!(matches!(request(high, millis), AccessOutcome::Admitted(_)));
    }
    let reset_at = UnixMillis::from_unix_millis(11_000);
    let rate_limit = RateLimitStatus { limit: 2, remaining: 0, reset_at };
    assert_eq!(request(low, 5000), AccessOutcome::Refused { rate_limit, retry_after: 8 });
}

#[test]
fn rate_1_threads_are_admitted_exactly_as_often_as_the_limit_says() {
    let store = MemoryStore::new();
    let admitted = AtomicUsize::new(0);
    let gate = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                gate.wait();
                for _ in 0..10 {
                    let id = KeyId::from_bytes([1; 6]);
                    let now = UnixMillis::from_unix_millis(5);
                    let change = admit(id, Operation::Create, RateLimit::CREATE, now);
                    if let AccessOutcome::Admitted(_) = apply(&store, change) {
                        admitted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(admitted.into_inner(), 10);
}

#[test]
fn rate_4_what_was_admitted_counts_after_a_reopen_and_a_closed_store_admits_nothing() {
    let store = MemoryStore::new();
    let id = KeyId::from_bytes([1; 6]);
    let limit = RateLimit::new(1, Duration::from_secs(1)).unwrap();
    let change = || admit(id, Operation::Create, limit, UnixMillis::from_unix_millis(0));
    apply(&store, AccessChange::Register(registration("acme", "Gold")));
    apply(&store, AccessChange::AddKey(key(1, "acme")));
    assert!(matches!(apply(&store, change()), AccessOutcome::Admitted(_)));
    let reopened = store.reopen();
    assert!(matches!(apply(&reopened, change()), AccessOutcome::Refused { retry_after: 1, .. }));
    assert!(reopened.key(&key(1, "acme").digest).unwrap().is_some());
    reopened.close().unwrap();
    let acme = "acme".parse().unwrap();
    let refusals = [
        reopened.apply_access(change()).unwrap_err(),
        store.apply_access(change()).unwrap_err(),
        reopened.registration(&acme).unwrap_err(),
        reopened.registrations().unwrap_err(),
        reopened.key(&key(1, "acme").digest).unwrap_err(),
        reopened.keys(&acme).unwrap_err(),
        reopened
            .window(
                &Window { key: id.into(), operation: Operation::Create },
                RateLimit::CREATE,
                UnixMillis::from_unix_millis(0),
            )
            .unwrap_err(),
    ];
    for refusal in refusals {
        assert_eq!(refusal.kind(), StoreErrorKind::Closed);
    }
}

#[test]
fn auth_2_every_operation_needs_the_scope_of_the_specification() {
    let scopes = Operation::ALL.map(|operation| (operation.as_str(), operation.scope()));
    assert_eq!(
        scopes,
        [
            ("create", Scope::Write),
            ("list", Scope::Read),
            ("get", Scope::Read),
            ("update", Scope::Write),
            ("delete", Scope::Write),
            ("upload", Scope::Write),
            ("resume", Scope::Write),
            ("list_data", Scope::Read),
            ("delete_data", Scope::Write),
            ("run", Scope::Write),
            ("cancel", Scope::Write),
            ("resolve", Scope::Read),
            ("events", Scope::Read),
            ("work", Scope::TrainingWork),
        ]
    );
    for operation in Operation::ALL {
        assert_eq!(operation.to_string().parse(), Ok(operation));
    }
    assert!("Create".parse::<Operation>().is_err());
}

#[test]
fn quota_1_a_plan_is_named_by_1_to_64_characters_that_can_be_shown() {
    for name in ["Gold", " ", "黄金", &"é".repeat(64)] {
        let plan: PlanName = name.parse().unwrap();
        assert_eq!(plan.as_str(), name);
        assert_eq!(plan.to_string(), name);
    }
    for name in ["", "Gold\n", "\u{7f}", "a\0", &"é".repeat(65)] {
        assert!(name.parse::<PlanName>().is_err(), "{name:?}");
    }
}
