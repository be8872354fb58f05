//! Requests that are admitted with their change, from the gate to the engine: RATE-1, RATE-3, RATE-5.

use custom_models_core::access::{
    AccessRefusal, Authorized, Gate, Limits, Operation, OperationLimit, RateLimitStatus, Scope,
};
use custom_models_core::engine::{Edited, Limited};
use custom_models_core::model::{Edit, Expected};
use custom_models_core::store::{IdempotencyKey, IdempotentRequest, NewIdempotencyRecord};
use custom_models_core::tenant::Plans;
use custom_models_core::time::UnixMillis;
use custom_models_core::{Caller, CustomModel, Engine, ModelId, Plan, Refusal, UpdateModel};

use crate::support::{Clock, House, block_on, request};

/// An engine and a gate over one store, with a window of two requests in ten seconds per key for creates and
/// updates.
struct Desk {
    engine: Engine,
    gate: Gate,
    key: String,
    clock: Clock,
    /// The time at which the clock begins.
    start: UnixMillis,
}

impl Desk {
    /// Creates a desk with a plan for this many models.
    fn new(models: u64) -> Self {
        let house = House::new();
        let requests = Some("2/10s".parse().unwrap());
        let limit = OperationLimit { requests, at_once: None };
        let limits = Limits::NONE.with(Operation::Create, limit).with(Operation::Update, limit);
        let plans = Plans::default().with(Plan::new("Gold", Some(models)));
        Desk {
            engine: house.clock.engine(house.store.clone()),
            gate: house.gate_with(plans, limits),
            key: house.key(7, "acme", &Scope::ALL),
            start: house.clock.now(),
            clock: house.clock,
        }
    }

    fn enter(&self, operation: Operation) -> Authorized {
        self.gate.enter(Some(&*self.key), operation).unwrap()
    }

    fn caller(&self) -> Caller {
        self.enter(Operation::Get).caller().clone()
    }

    fn create(&self, key: Option<&'static str>) -> Limited<CustomModel> {
        let entered = self.enter(Operation::Create);
        let (caller, admission) = (entered.caller(), entered.admission());
        self.engine.create_limited(caller, request("n"), key.map(once), admission).unwrap()
    }

    fn update(&self, id: ModelId, expected: Expected) -> Limited<Edited> {
        let entered = self.enter(Operation::Update);
        let (caller, admission) = (entered.caller(), entered.admission());
        let edit = Edit::from(UpdateModel::default());
        block_on(self.engine.edit_limited_async(caller, id, edit, &expected, None, admission))
            .unwrap()
    }

    /// Returns the status of a window whose oldest request came this many milliseconds after the start.
    fn rate_limit(&self, remaining: u32, since: i64) -> RateLimitStatus {
        let reset_at = UnixMillis::from_unix_millis(self.start.unix_millis() + since + 10_000);
        RateLimitStatus { limit: 2, remaining, reset_at }
    }
}

fn once(key: &'static str) -> IdempotentRequest {
    IdempotentRequest {
        key: IdempotencyKey::new(key).unwrap(),
        request: NewIdempotencyRecord::digest(b"body"),
    }
}

fn made<T: std::fmt::Debug>(limited: Limited<T>, right: RateLimitStatus) -> T {
    match limited {
        Limited::Admitted { rate_limit, result } => {
            assert_eq!(rate_limit, Some(right));
            result.unwrap()
        }
        other => panic!("{other:?}"),
    }
}

fn refused<T: std::fmt::Debug>(limited: Limited<T>, right: RateLimitStatus) -> Refusal {
    match limited {
        Limited::Admitted { rate_limit, result } => {
            assert_eq!(rate_limit, Some(right));
            result.unwrap_err()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn rate_3_a_create_counts_whether_it_is_made_or_refused() {
    let desk = Desk::new(1);
    let model = made(desk.create(None), desk.rate_limit(1, 0));
    let refusal = refused(desk.create(None), desk.rate_limit(0, 0));
    assert_eq!(refusal.status(), 402);
    desk.clock.go(9_001);
    match desk.create(None) {
        Limited::Full { rate_limit, retry_after } => {
            assert_eq!((rate_limit, retry_after), (desk.rate_limit(0, 0), 1));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(desk.engine.get(&desk.caller(), model.id).unwrap(), model);
    desk.clock.go(999);
    assert_eq!(refused(desk.create(None), desk.rate_limit(1, 10_000)).status(), 402);
}

#[test]
fn rate_3_an_edit_counts_whether_it_is_made_or_refused() {
    let desk = Desk::new(1);
    let model = made(desk.create(None), desk.rate_limit(1, 0));
    let missing = ModelId::new(model.id.get() + 1).unwrap();
    let refusal = refused(desk.update(missing, Expected::Anything), desk.rate_limit(1, 0));
    assert_eq!(refusal.status(), 404);
    let stale = Expected::OneOf(vec![model.revision().next()]);
    assert_eq!(refused(desk.update(model.id, stale), desk.rate_limit(0, 0)).status(), 412);
    let full = desk.update(model.id, Expected::Anything);
    assert!(matches!(full, Limited::Full { .. }), "{full:?}");
    desk.clock.go(10_000);
    let edited = made(desk.update(model.id, Expected::Anything), desk.rate_limit(1, 10_000));
    assert!(matches!(edited, Edited::Changed { .. }), "{edited:?}");
}

#[test]
fn rate_3_and_idem_1_a_repeat_does_not_count_and_is_answered_when_the_window_is_full() {
    let desk = Desk::new(9);
    made(desk.create(Some("key")), desk.rate_limit(1, 0));
    made(desk.create(None), desk.rate_limit(0, 0));
    for _ in 0..3 {
        let Limited::Replayed(kept) = desk.create(Some("key")) else { panic!("done again") };
        assert_eq!(kept.status, 201);
    }
    let entered = desk.enter(Operation::Create);
    let (caller, admission) = (entered.caller(), entered.admission());
    let other =
        IdempotentRequest { request: NewIdempotencyRecord::digest(b"another"), ..once("key") };
    let refusal = desk.engine.create_limited(caller, request("n"), Some(other), admission);
    assert_eq!(refusal.unwrap_err().status(), 422);
    assert!(matches!(desk.create(Some("new")), Limited::Full { .. }));
    desk.clock.go(10_000);
    made(desk.create(Some("new")), desk.rate_limit(1, 10_000));
}

#[test]
fn rate_3_and_rate_5_a_window_that_is_seen_to_be_full_refuses_before_anything_is_written() {
    let desk = Desk::new(9);
    for remaining in [1, 0] {
        desk.enter(Operation::Create).check_window().unwrap();
        made(desk.create(None), desk.rate_limit(remaining, 0));
    }
    desk.clock.go(2_500);
    let entered = desk.enter(Operation::Create);
    match entered.check_window().unwrap_err() {
        AccessRefusal::RateLimited { rate_limit, retry_after } => {
            assert_eq!((rate_limit, retry_after), (desk.rate_limit(0, 0), 8));
        }
        other => panic!("{other:?}"),
    }
    // A repeat is authorized nevertheless, and shows the window without it.
    assert_eq!(entered.repeats().rate_limit(), Some(desk.rate_limit(0, 0)));
    let after = Some(desk.rate_limit(1, 9));
    assert_eq!(desk.enter(Operation::Create).counted(after).rate_limit(), after);
    let get = desk.enter(Operation::Get);
    assert_eq!(get.admission(), None);
    get.check_window().unwrap();
    assert_eq!(get.repeats().rate_limit(), None);
}

#[test]
fn rate_3_a_create_without_an_admission_is_not_limited() {
    let desk = Desk::new(9);
    let caller = desk.caller();
    for _ in 0..4 {
        let limited = block_on(desk.engine.create_limited_async(&caller, request("n"), None, None));
        match limited.unwrap() {
            Limited::Admitted { rate_limit: None, result } => drop(result.unwrap()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn rate_3_a_fault_of_the_store_is_told_and_nothing_counts() {
    let desk = Desk::new(9);
    let entered = desk.enter(Operation::Create);
    desk.engine.close().unwrap();
    let (caller, admission) = (entered.caller(), entered.admission());
    let refusal = desk.engine.create_limited(caller, request("n"), None, admission).unwrap_err();
    assert_eq!(refusal.status(), 503);
}
