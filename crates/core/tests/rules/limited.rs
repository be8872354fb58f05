//! Requests that are admitted with their change, from the gate to the engine: RATE-1, RATE-3, RATE-5.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use custom_models_core::{
    AccessChange, AccessOutcome, AccessRefusal, AccessStore, ApiKey, Caller, CustomModel, Edit,
    Edited, Engine, Entered, Expected, Gate, IdempotencyKey, KeyId, KeyRecord, Limited, Limits,
    MemoryStore, ModelId, NewAnswer, Operation, OperationLimit, Plans, Refusal, Registration,
    Repeatable, Scope, Standing, Timestamp,
};

use crate::support::{block_on, request};

/// An engine and a gate over one store, with a clock that stands still until it is moved.
struct House {
    engine: Engine,
    gate: Gate,
    key: String,
    millis: Arc<AtomicU64>,
}

/// The beginning of the clock, in milliseconds.
const START: u64 = 1_000_000;

impl House {
    /// A window of two in ten seconds for creates and updates of one key, and room for so many models.
    fn new(models: u64) -> Self {
        let (store, millis) = (MemoryStore::new(), Arc::new(AtomicU64::new(START)));
        let key = ApiKey::new(KeyId::from_bytes([7; 6]), [7; 32]);
        let organisation = "acme".parse().unwrap();
        let plan = "Gold".parse().unwrap();
        let second = |seconds| Timestamp::from_unix_seconds(seconds).unwrap();
        for change in [
            AccessChange::Register(Registration { organisation, plan }),
            AccessChange::AddKey(KeyRecord {
                id: key.id(),
                digest: key.digest(),
                organisation: "acme".parse().unwrap(),
                scopes: Scope::ALL.into_iter().collect(),
                created_at: second(0),
                expires_at: None,
                revoked_at: None,
            }),
        ] {
            assert_eq!(store.apply_access(change).unwrap(), AccessOutcome::Done);
        }
        let requests = Some("2/10s".parse().unwrap());
        let limit = OperationLimit { requests, at_once: None };
        let limits = Limits::NONE.with(Operation::Create, limit).with(Operation::Update, limit);
        let plans = Plans::default().with(custom_models_core::Plan::new("Gold", Some(models)));
        let clock = |millis: &Arc<AtomicU64>| {
            let millis = Arc::clone(millis);
            move || -> SystemTime {
                UNIX_EPOCH + Duration::from_millis(millis.load(Ordering::Relaxed))
            }
        };
        House {
            engine: Engine::new(Arc::new(store.clone()), clock(&millis)),
            gate: Gate::new(Arc::new(store), plans, limits, clock(&millis)).unwrap(),
            key: format!("Bearer {}", key.expose()),
            millis,
        }
    }

    fn enter(&self, operation: Operation) -> Entered {
        self.gate.enter(Some(&self.key), operation).unwrap()
    }

    fn go_on(&self, millis: u64) {
        self.millis.fetch_add(millis, Ordering::Relaxed);
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
        let edit = Edit::Update(custom_models_core::UpdateModel::default());
        block_on(self.engine.edit_limited_async(caller, id, edit, expected, None, admission))
            .unwrap()
    }

    fn standing(&self, remaining: u32, since: u64) -> Standing {
        let millis = i64::try_from(START + since + 10_000).unwrap();
        let reset_at = custom_models_core::Moment::from_unix_millis(millis);
        Standing { limit: 2, remaining, reset_at }
    }
}

fn once(key: &'static str) -> Repeatable {
    Repeatable { key: IdempotencyKey::new(key).unwrap(), request: NewAnswer::digest(b"body") }
}

fn made<T: std::fmt::Debug>(limited: Limited<T>, right: Standing) -> T {
    match limited {
        Limited::Admitted { standing, result } => {
            assert_eq!(standing, Some(right));
            result.unwrap()
        }
        other => panic!("{other:?}"),
    }
}

fn refused<T: std::fmt::Debug>(limited: Limited<T>, right: Standing) -> Refusal {
    match limited {
        Limited::Admitted { standing, result } => {
            assert_eq!(standing, Some(right));
            result.unwrap_err()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn rate_3_a_create_counts_whether_it_is_made_or_refused() {
    let house = House::new(1);
    let model = made(house.create(None), house.standing(1, 0));
    let refusal = refused(house.create(None), house.standing(0, 0));
    assert_eq!(refusal.status(), 402);
    house.go_on(9_001);
    match house.create(None) {
        Limited::Full { standing, retry_after } => {
            assert_eq!((standing, retry_after), (house.standing(0, 0), 1));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(house.engine.get(&house.caller(), model.id).unwrap(), model);
    house.go_on(999);
    assert_eq!(refused(house.create(None), house.standing(1, 10_000)).status(), 402);
}

#[test]
fn rate_3_an_edit_counts_whether_it_is_made_or_refused() {
    let house = House::new(1);
    let model = made(house.create(None), house.standing(1, 0));
    let missing = ModelId::new(model.id.get() + 1).unwrap();
    let refusal = refused(house.update(missing, Expected::Anything), house.standing(1, 0));
    assert_eq!(refusal.status(), 404);
    let stale = Expected::OneOf(vec![model.revision().next()]);
    assert_eq!(refused(house.update(model.id, stale), house.standing(0, 0)).status(), 412);
    let full = house.update(model.id, Expected::Anything);
    assert!(matches!(full, Limited::Full { .. }), "{full:?}");
    house.go_on(10_000);
    let edited = made(house.update(model.id, Expected::Anything), house.standing(1, 10_000));
    assert!(matches!(edited, Edited::Changed { .. }), "{edited:?}");
}

#[test]
fn rate_3_and_idem_1_a_repeat_does_not_count_and_is_answered_when_the_window_is_full() {
    let house = House::new(9);
    made(house.create(Some("key")), house.standing(1, 0));
    made(house.create(None), house.standing(0, 0));
    for _ in 0..3 {
        let Limited::Before(kept) = house.create(Some("key")) else { panic!("done again") };
        assert_eq!(kept.status, 201);
    }
    let entered = house.enter(Operation::Create);
    let (caller, admission) = (entered.caller(), entered.admission());
    let other = Repeatable { request: NewAnswer::digest(b"another"), ..once("key") };
    let refusal = house.engine.create_limited(caller, request("n"), Some(other), admission);
    assert_eq!(refusal.unwrap_err().status(), 422);
    assert!(matches!(house.create(Some("new")), Limited::Full { .. }));
    house.go_on(10_000);
    made(house.create(Some("new")), house.standing(1, 10_000));
}

#[test]
fn rate_3_and_rate_5_a_window_that_is_seen_to_be_full_refuses_before_anything_is_written() {
    let house = House::new(9);
    for remaining in [1, 0] {
        house.enter(Operation::Create).check_window().unwrap();
        made(house.create(None), house.standing(remaining, 0));
    }
    house.go_on(2_500);
    let entered = house.enter(Operation::Create);
    match entered.check_window().unwrap_err() {
        AccessRefusal::RateLimited { standing, retry_after } => {
            assert_eq!((standing, retry_after), (house.standing(0, 0), 8));
        }
        other => panic!("{other:?}"),
    }
    // A repeat is let in all the same, and shows the window without it.
    assert_eq!(entered.repeats().standing(), Some(house.standing(0, 0)));
    let after = Some(house.standing(1, 9));
    assert_eq!(house.enter(Operation::Create).counted(after).standing(), after);
    let get = house.enter(Operation::Get);
    assert_eq!(get.admission(), None);
    get.check_window().unwrap();
    assert_eq!(get.repeats().standing(), None);
}

#[test]
fn rate_3_a_create_without_an_admission_is_not_limited() {
    let house = House::new(9);
    let caller = house.caller();
    for _ in 0..4 {
        let limited =
            block_on(house.engine.create_limited_async(&caller, request("n"), None, None));
        match limited.unwrap() {
            Limited::Admitted { standing: None, result } => drop(result.unwrap()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn rate_3_a_fault_of_the_store_is_told_and_nothing_counts() {
    let house = House::new(9);
    let entered = house.enter(Operation::Create);
    house.engine.close().unwrap();
    let (caller, admission) = (entered.caller(), entered.admission());
    let refusal = house.engine.create_limited(caller, request("n"), None, admission).unwrap_err();
    assert_eq!(refusal.status(), 503);
}
