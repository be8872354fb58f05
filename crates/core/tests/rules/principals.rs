//! A host's own accounts before the gate: the checks and their order are those of keys (AUTH-2, RATE-1, RATE-2, ORDER).

use std::num::NonZeroU32;

use custom_models_core::access::{
    AccessRefusal, Authorized, Gate, Limits, Operation, OperationLimit, Principal, Scope, WindowKey,
};
use custom_models_core::wire::ErrorBody;
use custom_models_core::{Caller, Plan};

use crate::support::House;

fn limits(requests: &str, at_once: u32) -> Limits {
    let requests = Some(requests.parse().unwrap());
    Limits::NONE
        .with(Operation::Create, OperationLimit { requests, at_once: NonZeroU32::new(at_once) })
}

/// An account of `acme` that may write.
fn account(identity: &[u8]) -> Principal {
    let caller = Caller::new("acme".parse().unwrap(), Plan::new("Own", Some(7)));
    let caller = caller.acting_as("alice".parse().unwrap());
    let identity = WindowKey::new(identity).unwrap();
    Principal::new(caller, [Scope::Write].into_iter().collect(), identity)
}

fn create(gate: &Gate, identity: &[u8]) -> Result<Authorized, AccessRefusal> {
    gate.enter(account(identity), Operation::Create)
}

fn status<T>(answer: Result<T, AccessRefusal>) -> u16 {
    ErrorBody::from(&answer.err().expect("it was let in")).status
}

#[test]
fn auth_2_an_own_account_needs_no_key_and_no_registered_organisation() {
    let gate = House::new().gate(Limits::NONE);
    assert_eq!(account(b"alice").scopes().iter().collect::<Vec<_>>(), [Scope::Write]);
    let admitted = create(&gate, b"alice").unwrap().admit().unwrap();
    assert_eq!(admitted.caller(), account(b"alice").caller());
    assert_eq!(admitted.identity().as_bytes(), b"alice");
    assert_eq!(status(gate.enter(account(b"alice"), Operation::Get)), 403);
}

#[test]
fn auth_2_an_own_account_is_checked_again_without_a_place() {
    let gate = House::new().gate(limits("1/1h", 1));
    let at_work = create(&gate, b"alice").unwrap().admit().unwrap();
    let again = |operation, organisation: &str| {
        gate.recheck(account(b"alice"), operation, &organisation.parse().unwrap())
    };
    again(Operation::Create, "acme").unwrap();
    assert_eq!(status(again(Operation::Get, "acme")), 403);
    // The account has moved to another organisation.
    assert_eq!(status(again(Operation::Create, "other")), 401);
    drop(at_work);
}

#[test]
fn auth_2_a_key_of_another_organisation_does_not_pass_the_second_check() {
    let house = House::new();
    let gate = house.gate(Limits::NONE);
    let key = house.key(1, "acme", &[Scope::Write]);
    let again = |organisation: &str| {
        gate.recheck(Some(&*key), Operation::Create, &organisation.parse().unwrap())
    };
    again("acme").unwrap();
    assert_eq!(status(again("other")), 401);
}

#[test]
fn order_an_own_account_scope_before_places_and_places_before_the_window() {
    let gate = House::new().gate(limits("1/1h", 1));
    let at_work = create(&gate, b"alice").unwrap().admit().unwrap();
    let reader = Principal::new(
        account(b"alice").caller().clone(),
        [Scope::Read].into_iter().collect(),
        WindowKey::new(b"alice").unwrap(),
    );
    assert_eq!(status(gate.enter(reader, Operation::Create)), 403);
    let Err(AccessRefusal::ConcurrencyLimited { rate_limit: Some(rate_limit), .. }) =
        create(&gate, b"alice")
    else {
        panic!("no refusal that shows the window");
    };
    assert_eq!(rate_limit.remaining, 0);
    drop(at_work);
    let entered = create(&gate, b"alice").unwrap();
    assert!(matches!(entered.check_window(), Err(AccessRefusal::RateLimited { .. })));
    assert!(matches!(entered.admit(), Err(AccessRefusal::RateLimited { .. })));
}

#[test]
fn rate_1_and_rate_2_own_accounts_are_limited_by_their_identities() {
    let house = House::new();
    let gate = house.gate(limits("2/1h", 1));
    let longest = [7; WindowKey::MAX_BYTES];
    let (alice, bob) = (create(&gate, b"alice").unwrap(), create(&gate, &longest).unwrap());
    assert_eq!(status(create(&gate, b"alice")), 429);
    assert_eq!(alice.admit().unwrap().rate_limit().unwrap().remaining, 1);
    assert_eq!(
        create(&gate, b"alice").unwrap().admit().unwrap().rate_limit().unwrap().remaining,
        0
    );
    assert_eq!(status(create(&gate, b"alice").unwrap().check_window()), 429);
    assert_eq!(bob.admit().unwrap().rate_limit().unwrap().remaining, 1);
    house.clock.go(3_600_000);
    create(&gate, b"alice").unwrap().check_window().unwrap();
}
