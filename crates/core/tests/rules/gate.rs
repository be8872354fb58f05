//! The admission of requests, and the order of its checks: AUTH, RATE-2, RATE-3, RATE-5 and the part of ORDER
//! without HTTP.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use custom_models_core::Plan;
use custom_models_core::access::{
    AccessRefusal, Admitted, Authorized, Gate, Limits, Operation, OperationLimit, RateLimit,
    RateLimitStatus, Scope,
};
use custom_models_core::store::{AccessChange, ModelStore, Registration};
use custom_models_core::tenant::Plans;
use custom_models_core::wire::ErrorBody;
use proptest::prelude::*;

use crate::support::{House, api_key, block_on, config, second};

fn limits(requests: Option<RateLimit>, at_once: u32) -> Limits {
    Limits::NONE
        .with(Operation::Create, OperationLimit { requests, at_once: NonZeroU32::new(at_once) })
}

fn two_in_ten_seconds() -> RateLimit {
    "2/10s".parse().unwrap()
}

fn create(gate: &Gate, authorization: &str) -> Result<Authorized, AccessRefusal> {
    gate.enter(Some(authorization), Operation::Create)
}

fn admit(gate: &Gate, authorization: &str) -> Result<Admitted, AccessRefusal> {
    create(gate, authorization)?.admit()
}

fn status<T>(answer: Result<T, AccessRefusal>) -> u16 {
    ErrorBody::from(&answer.err().expect("it was let in")).status
}

#[test]
fn auth_1_missing_malformed_unknown_revoked_and_expired_keys_are_answered_alike() {
    let house = House::new();
    let write = [Scope::Write];
    let good = house.key(1, "acme", &write);
    let revoked = house.key(2, "acme", &write);
    house.change(AccessChange::RevokeKey { id: api_key(2).id(), at: second(1) });
    let expired = house.key_until(3, "acme", &write, Some(1000));
    let lasting = house.key_until(4, "acme", &write, Some(1001));
    let gate = house.gate(Limits::NONE);
    let unknown = format!("Bearer {}", api_key(9).expose());
    let truncated = good.strip_suffix(|_: char| true).unwrap();
    let basic = good.replace("Bearer", "Basic");
    let headers =
        [None, Some(""), Some("Bearer"), Some(&*unknown), Some(&*revoked), Some(&*expired)];
    for header in headers.into_iter().chain([Some(truncated), Some(&*basic)]) {
        let refusal = gate.enter(header, Operation::Create).unwrap_err();
        assert!(matches!(refusal, AccessRefusal::Unauthorized), "{header:?}: {refusal:?}");
    }
    for header in [&good, &lasting, &good.replace("Bearer", "bEARER")] {
        assert!(create(&gate, header).is_ok(), "{header}");
    }
    house.clock.go(1000);
    assert_eq!(status(create(&gate, &lasting)), 401);
}

#[test]
fn auth_2_a_key_acts_for_its_organisation_within_its_scopes_and_its_plan_of_now() {
    let house = House::new();
    let gate = house.gate(Limits::NONE);
    let sets: [&[Scope]; 4] = [&[], &[Scope::Read], &[Scope::Write], &Scope::ALL];
    for (number, scopes) in (1..).zip(sets) {
        let organisation = if number % 2 == 0 { "acme" } else { "other" };
        let key = house.key(number, organisation, scopes);
        for operation in Operation::ALL {
            match gate.enter(Some(&*key), operation) {
                Ok(entered) => {
                    assert!(scopes.contains(&operation.scope()), "{operation} with {scopes:?}");
                    assert_eq!(*entered.identity(), api_key(number).id().into());
                    let admitted = entered.admit().unwrap();
                    assert_eq!(admitted.caller().organisation().as_str(), organisation);
                    assert_eq!(*admitted.caller().plan(), Plan::gold());
                    assert_eq!(*admitted.identity(), api_key(number).id().into());
                    assert_eq!(admitted.rate_limit(), None);
                }
                Err(AccessRefusal::InsufficientScope { required }) => {
                    assert_eq!(required, operation.scope());
                    assert!(!scopes.contains(&required), "{operation} with {scopes:?}");
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    let registration =
        Registration { organisation: "acme".parse().unwrap(), plan: "Enterprise".parse().unwrap() };
    house.change(AccessChange::SetPlan(registration));
    let admitted = admit(&gate, &format!("Bearer {}", api_key(4).expose())).unwrap();
    assert_eq!(*admitted.caller().plan(), Plan::enterprise());
}

#[test]
fn quota_1_a_host_has_plans_of_its_own_and_a_plan_that_nobody_set_up_lets_nobody_in() {
    let house = House::new();
    let key = house.key(1, "acme", &[Scope::Write]);
    let registration =
        Registration { organisation: "acme".parse().unwrap(), plan: "Silver".parse().unwrap() };
    house.change(AccessChange::SetPlan(registration));
    let refusal = create(&house.gate(Limits::NONE), &key).unwrap_err();
    let error = ErrorBody::from(&refusal);
    assert_eq!(error.status, 500);
    assert!(refusal.to_string().contains("Silver"), "{refusal}");
    assert!(!error.to_json().contains("Silver"), "{}", error.to_json());

    let silver = Plan::new("Silver", Some(7));
    let gold = Plan::new("Gold", Some(6));
    let plans = Plans::default().with(silver.clone()).with(gold.clone());
    assert_eq!(plans.iter().collect::<Vec<_>>(), [&gold, &Plan::enterprise(), &silver]);
    let gate =
        Gate::new(Arc::new(house.store.clone()), plans, Limits::NONE, || UNIX_EPOCH).unwrap();
    assert_eq!(*admit(&gate, &key).unwrap().caller().plan(), silver);
}

#[test]
fn rate_1_and_rate_2_by_default_creates_are_limited_to_ten_an_hour_and_three_at_a_time() {
    let create = Limits::default().of(Operation::Create);
    assert_eq!(create.requests, Some(RateLimit::new(10, Duration::from_secs(3600)).unwrap()));
    assert_eq!(create.at_once, NonZeroU32::new(3));
    for operation in [Operation::List, Operation::Get, Operation::Delete] {
        assert_eq!(Limits::default().of(operation), OperationLimit::NONE);
    }
}

/// Of 401, 403, 429 by RATE-2 and 429 by RATE-1, the first one that applies is returned.
#[test]
fn order_of_the_gate_is_key_then_scope_then_place_then_window() {
    let house = House::new();
    let gate = house.gate(limits(Some("1/1h".parse().unwrap()), 1));
    let good = house.key(1, "acme", &[Scope::Write]);
    // Both the window and the permits are used up: the refusal is for the permit, with the status of the
    // window.
    let at_work = admit(&gate, &good).unwrap();
    let refusal = create(&gate, &good).unwrap_err();
    assert!(matches!(refusal, AccessRefusal::ConcurrencyLimited { .. }), "{refusal:?}");
    drop(at_work);
    let refusal = admit(&gate, &good).unwrap_err();
    assert!(matches!(refusal, AccessRefusal::RateLimited { .. }), "{refusal:?}");
    // A key without the scope gets the refusal for its scope, even without a free permit.
    let reader = house.key(2, "acme", &[Scope::Read]);
    let at_work = create(&gate, &good).unwrap();
    assert_eq!(status(create(&gate, &reader)), 403);
    drop(at_work);
    // A revoked key gets no refusal for its scope.
    house.change(AccessChange::RevokeKey { id: api_key(2).id(), at: second(1) });
    assert_eq!(status(create(&gate, &reader)), 401);
}

#[test]
fn auth_1_and_auth_2_a_request_that_was_let_in_is_looked_up_again_without_a_place() {
    let house = House::new();
    let gate = house.gate(limits(Some("1/1h".parse().unwrap()), 1));
    let good = house.key(1, "acme", &[Scope::Write]);
    let brief = house.key_until(2, "acme", &[Scope::Write], Some(1001));
    let acme = "acme".parse().unwrap();
    let again = |key: &str, operation| gate.recheck(Some(key), operation, &acme);
    let recheck = |key: &str| status(again(key, Operation::Create));
    // Neither its permits nor its window are checked.
    let at_work = admit(&gate, &good).unwrap();
    again(&good, Operation::Create).unwrap();
    again(&brief, Operation::Create).unwrap();
    assert_eq!(status(again(&good, Operation::Get)), 403);
    house.clock.go(3_600_000);
    assert_eq!(recheck(&brief), 401);
    house.change(AccessChange::RevokeKey { id: api_key(1).id(), at: second(1) });
    let without = gate.recheck(None, Operation::Create, &acme);
    assert_eq!((recheck(&good), status(without)), (401, 401));
    drop(at_work);
}

#[test]
fn rate_2_a_place_is_free_again_wherever_its_request_ends() {
    let house = House::new();
    let gate = house.gate(limits(Some(two_in_ten_seconds()), 1));
    let key = house.key(1, "acme", &[Scope::Write]);
    drop(create(&gate, &key).unwrap());
    drop(create(&gate, &key).unwrap().admit_async());
    drop(admit(&gate, &key).unwrap());
    // The window refuses every request of the key.
    assert_eq!(status(admit(&gate, &key)), 429);
    assert_eq!(status(block_on(create(&gate, &key).unwrap().admit_async())), 429);
    assert!(create(&gate, &key).is_ok());
    // An error of the store.
    let entered = create(&gate, &key).unwrap();
    let pending = create(&gate.clone(), &key).unwrap_err();
    assert!(matches!(pending, AccessRefusal::ConcurrencyLimited { .. }), "clones count together");
    house.store.close().unwrap();
    assert_eq!(status(entered.admit()), 503);
    assert_eq!(status(create(&gate, &key)), 503);
    let reopened = House { store: house.store.reopen(), clock: house.clock };
    assert!(create(&reopened.gate(limits(None, 1)), &key).is_ok());
}

#[test]
fn rate_1_and_rate_2_a_request_knows_whether_anything_limits_it() {
    let house = House::new();
    let key = house.key(1, "acme", &[Scope::Write]);
    let is_limited = |requests, at_once| {
        create(&house.gate(limits(requests, at_once)), &key).unwrap().is_limited()
    };
    assert!(!is_limited(None, 0));
    assert!(is_limited(None, 1));
    assert!(is_limited(Some(two_in_ten_seconds()), 0));
}

#[test]
fn rate_2_every_operation_and_key_has_places_of_its_own() {
    let house = House::new();
    let at_once = OperationLimit { requests: None, at_once: NonZeroU32::new(1) };
    let limits =
        Operation::ALL.into_iter().fold(Limits::NONE, |limits, of| limits.with(of, at_once));
    let gate = house.gate(limits);
    let keys = [1, 2].map(|number| house.key(number, "acme", &Scope::ALL));
    let mut at_work = Vec::new();
    for key in &keys {
        for operation in Operation::ALL {
            at_work.push(gate.enter(Some(key.as_str()), operation).unwrap());
            assert_eq!(status(gate.enter(Some(key.as_str()), operation)), 429, "{operation}");
        }
    }
}

#[test]
fn rate_5_a_refusal_for_want_of_a_place_says_how_the_window_stands() {
    let house = House::new();
    let gate = house.gate(limits(Some(two_in_ten_seconds()), 1));
    let key = house.key(1, "acme", &[Scope::Write]);
    drop(admit(&gate, &key).unwrap());
    let reset_at = house.clock.now().later(Duration::from_secs(10));
    house.clock.go(1);
    let _at_work = create(&gate, &key).unwrap();
    let standing_of = |refusal| match refusal {
        AccessRefusal::ConcurrencyLimited { rate_limit, .. } => rate_limit,
        other => panic!("{other:?}"),
    };
    let rate_limit = standing_of(create(&gate, &key).unwrap_err());
    assert_eq!(rate_limit, Some(RateLimitStatus { limit: 2, remaining: 1, reset_at }));
    // Without a window there is no status.
    let gate = house.gate(limits(None, 1));
    let _at_work = create(&gate, &key).unwrap();
    assert_eq!(standing_of(create(&gate, &key).unwrap_err()), None);
}

#[test]
fn rate_5_the_window_says_when_a_retry_is_admitted() {
    let house = House::new();
    let gate = house.gate(limits(Some(two_in_ten_seconds()), 3));
    let key = house.key(1, "acme", &[Scope::Write]);
    let reset_at = house.clock.now().later(Duration::from_secs(10));
    for remaining in [1, 0] {
        let admitted = block_on(create(&gate, &key).unwrap().admit_async()).unwrap();
        assert_eq!(admitted.rate_limit(), Some(RateLimitStatus { limit: 2, remaining, reset_at }));
        house.clock.go(500);
    }
    let Err(AccessRefusal::RateLimited { rate_limit, retry_after }) = admit(&gate, &key) else {
        panic!("the third of two was admitted");
    };
    assert_eq!(rate_limit, RateLimitStatus { limit: 2, remaining: 0, reset_at });
    assert_eq!(retry_after, 9);
    house.clock.go(8999);
    assert_eq!(status(admit(&gate, &key)), 429);
    house.clock.go(1);
    assert!(admit(&gate, &key).is_ok());
}

#[test]
fn rate_1_a_gate_sweeps_what_none_of_its_windows_counts() {
    let house = House::new();
    let gate = house.gate(limits(Some(two_in_ten_seconds()), 1));
    for number in 1..=3 {
        drop(admit(&gate, &house.key(number, "acme", &[Scope::Write])).unwrap());
    }
    house.clock.go(9_999);
    assert_eq!(gate.sweep().unwrap(), 0);
    house.clock.go(1);
    assert_eq!(gate.sweep().unwrap(), 3);
    assert_eq!(house.admissions(1), 0);
    assert_eq!(Limits::NONE.longest_window(), RateLimit::MAX_WINDOW);
    assert_eq!(limits(Some(two_in_ten_seconds()), 1).longest_window(), Duration::from_secs(10));
}

#[test]
fn rate_3_what_is_refused_does_not_count_and_what_is_admitted_counts_without_an_end() {
    let house = House::new();
    let gate = house.gate(limits(Some(two_in_ten_seconds()), 1));
    let key = house.key(1, "acme", &[Scope::Write]);
    let reader = house.key(2, "acme", &[Scope::Read]);
    assert_eq!(status(create(&gate, &reader)), 403);
    let at_work = admit(&gate, &key).unwrap();
    assert_eq!(status(create(&gate, &key)), 429);
    drop(at_work);
    assert_eq!((house.admissions(1), house.admissions(2)), (1, 0));
    // It counts even if its future is dropped before it is polled.
    drop(create(&gate, &key).unwrap().admit_async());
    assert_eq!(status(admit(&gate, &key)), 429);
    assert_eq!(house.admissions(1), 2);
}

proptest! {
    #![proptest_config(config())]

    /// In any sequence of requests, each key has at most its permits for an operation, and a request is
    /// refused only if all of them are in use.
    #[test]
    fn rate_2_a_request_finds_a_place_exactly_if_fewer_of_its_key_are_at_work(
        at_once in 1..4_u32,
        steps in prop::collection::vec((1..3_u8, any::<bool>(), any::<prop::sample::Index>()), 1..60),
    ) {
        let house = House::new();
        let gate = house.gate(
            limits(None, at_once).with(Operation::List, OperationLimit::NONE),
        );
        let keys = [1, 2].map(|number| house.key(number, "acme", &Scope::ALL));
        let mut at_work: Vec<(u8, Admitted)> = Vec::new();
        for (number, comes, which) in steps {
            if comes || at_work.is_empty() {
                let key = &keys[usize::from(number) - 1];
                let others = at_work.iter().filter(|(of, _)| *of == number).count();
                prop_assert!(gate.enter(Some(key.as_str()), Operation::List).is_ok(), "is not limited");
                match admit(&gate, key) {
                    Ok(admitted) => {
                        prop_assert!(others < at_once as usize);
                        at_work.push((number, admitted));
                    }
                    Err(refusal) => {
                        let is_busy = matches!(refusal, AccessRefusal::ConcurrencyLimited { .. });
                        prop_assert!(is_busy, "another refusal");
                        prop_assert_eq!(others, at_once as usize);
                    }
                }
            } else {
                drop(at_work.swap_remove(which.index(at_work.len())));
            }
        }
    }
}
