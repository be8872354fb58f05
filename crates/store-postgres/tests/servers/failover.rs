//! A primary that dies under load, and its synchronous standby that takes over.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use custom_models_core::ModelId;
use custom_models_core::access::Operation;
use custom_models_core::store::{
    IdempotencyKey, IdempotencyScope, ModelStore, NewIdempotencyRecord, Outcome, StoreErrorKind,
    Write,
};
use custom_models_postgres_cluster::{Programs, Server};
use custom_models_store_postgres::PostgresStore;

use crate::common::{acme, all, create, kind};
use crate::faults::wait_until;

type Test = fn(&Programs);

pub(crate) const TESTS: [(&str, Test); 2] = [
    ("model_6_and_quota_4_hold_when_the_primary_dies_and_the_standby_takes_over", take_over),
    ("a_standby_is_not_written_to", standby),
];

/// The number of models that each caller creates.
const EACH: usize = 60;
const CALLERS: usize = 6;

/// A primary and its synchronous standby.
fn pair(programs: &Programs) -> (Server, Server) {
    let primary = Server::start(programs, &[]);
    let standby = primary.standby("second", &[]);
    primary.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'second'");
    primary.sql("postgres", "SELECT pg_reload_conf()");
    wait_until(&primary, "pg_stat_replication WHERE sync_state = 'sync'");
    (primary, standby)
}

fn take_over(programs: &Programs) {
    let (primary, standby) = pair(programs);
    let database = primary.empty_database();
    let ports = (primary.port(), standby.port());
    let url = format!("postgres://postgres@127.0.0.1:{},127.0.0.1:{}/{database}", ports.0, ports.1);
    let stores = [PostgresStore::open(&url).unwrap(), PostgresStore::open(&url).unwrap()];
    let acknowledged = AtomicUsize::new(0);
    let heard: Vec<ModelId> = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|number| {
                let (store, acknowledged) = (&stores[number % 2], &acknowledged);
                scope.spawn(move || create_each(store, number, acknowledged))
            })
            .collect();
        while acknowledged.load(Ordering::SeqCst) < CALLERS * EACH / 3 {
            thread::yield_now();
        }
        primary.kill();
        standby.promote();
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    });
    let heard: BTreeSet<ModelId> = heard.into_iter().collect();
    assert_eq!(heard.len(), CALLERS * EACH, "each create is another model");
    for store in &stores {
        let listing = store.list(&acme(), &all()).unwrap();
        let there: BTreeSet<ModelId> = listing.models.iter().map(|model| model.id).collect();
        assert_eq!(there, heard, "every model that was acknowledged, and no other");
        let current = heard.len() as u64;
        assert_eq!(listing.total, current);
        let refused = store.apply(create(&acme(), Some(current))).unwrap();
        assert_eq!(refused, Outcome::LimitReached { current });
    }
}

/// Creates models, each under an idempotency key, and repeats until it is acknowledged.
fn create_each(store: &PostgresStore, caller: usize, acknowledged: &AtomicUsize) -> Vec<ModelId> {
    let limit = Some((CALLERS * EACH) as u64);
    let create_one = |number: usize| {
        let key = IdempotencyKey::new(format!("{caller}-{number}")).unwrap();
        let answer = NewIdempotencyRecord {
            key: IdempotencyScope { operation: Operation::Create, target: None, key },
            request: NewIdempotencyRecord::digest(b"{}"),
        };
        let write = Write { idempotency: Some(answer), ..create(&acme(), limit) };
        loop {
            match store.apply(write.clone()) {
                Ok(Outcome::Created(model)) => return model.id,
                Ok(Outcome::Repeated(kept)) => return id_of(&kept.body),
                Ok(other) => panic!("{other:?}"),
                Err(fault) => match fault.kind() {
                    StoreErrorKind::Unavailable
                    | StoreErrorKind::OutcomeUnknown
                    | StoreErrorKind::Busy => thread::yield_now(),
                    _ => panic!("{fault:?}"),
                },
            }
        }
    };
    let created = (0..EACH).map(|number| {
        let id = create_one(number);
        acknowledged.fetch_add(1, Ordering::SeqCst);
        id
    });
    created.collect()
}

fn id_of(body: &str) -> ModelId {
    let digits = body.strip_prefix("{\"id\":").unwrap();
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

fn standby(programs: &Programs) {
    let (primary, standby) = pair(programs);
    let database = primary.empty_database();
    drop(PostgresStore::open(&primary.url(&database)).unwrap());
    let refused = PostgresStore::open(&standby.url(&database));
    assert_eq!(kind(refused), StoreErrorKind::Unavailable);
}
