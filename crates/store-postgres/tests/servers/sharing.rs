//! Several engines on one database, as isolated as on several machines.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

use custom_models_core::access::{KeyId, Operation, RateLimit, Window};
use custom_models_core::model::{Edit, EditRefusal, Expected, LeaseTime};
use custom_models_core::store::{
    AccessChange, AccessOutcome, AccessStore, ArchiveChange, ArchiveStore, Change, IdempotencyKey,
    IdempotencyScope, ModelStore, NewIdempotencyRecord, Outcome, Record, Write,
};
use custom_models_core::tenant::Actor;
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, UpdateModel};
use custom_models_postgres_cluster::Server;
use custom_models_store_postgres::PostgresStore;

use crate::common::{acme, all, caller, create, created, engine, request, running, store, write};

type Test = fn(&Server);

pub(crate) const TESTS: [(&str, Test); 11] = [
    ("quota_4_engines_on_one_database_fill_exactly_the_limit", fill_the_limit),
    ("quota_4_the_limit_holds_whatever_isolation_a_database_begins_with", other_isolations),
    ("rate_4_engines_on_one_database_share_a_window", share_a_window),
    ("idem_1_a_repeat_on_another_engine_hears_the_first_answer", repeat),
    ("train_3_a_training_has_one_worker_over_all_engines", one_worker),
    ("edit_4_engines_on_one_database_make_every_edit_of_one_model", every_edit),
    ("edit_4_of_updates_at_one_stamp_on_several_engines_one_is_made", one_update),
    ("log_1_engines_on_one_database_share_histories_without_gaps", dense_histories),
    ("model_1_a_create_after_an_answer_elsewhere_has_a_larger_id", growing_ids),
    ("of_imports_through_several_engines_one_begins", one_import),
    ("a_store_is_opened_used_and_dropped_on_a_thread_of_a_runtime", on_a_runtime),
];

/// Opens stores on one new database, runs `work` on each from several threads, and returns the
/// results.
pub(crate) fn on_stores<T: Send>(
    server: &Server,
    work: impl Fn(&PostgresStore, usize) -> T + Sync,
) -> (String, Vec<T>) {
    on_stores_of(server, server.empty_database(), work)
}

fn on_stores_of<T: Send>(
    server: &Server,
    database: String,
    work: impl Fn(&PostgresStore, usize) -> T + Sync,
) -> (String, Vec<T>) {
    const STORES: usize = 3;
    const THREADS: usize = 4;
    let stores: Vec<_> = (0..STORES).map(|_| Arc::new(store(server, &database))).collect();
    let work = &work;
    let brought = thread::scope(|scope| {
        let started: Vec<_> = (0..STORES * THREADS)
            .map(|number| {
                let store = Arc::clone(&stores[number % STORES]);
                scope.spawn(move || work(&store, number))
            })
            .collect();
        started.into_iter().map(|it| it.join().unwrap()).collect()
    });
    (database, brought)
}

fn fill_the_limit(server: &Server) {
    fill_the_limit_of(server, server.empty_database());
}

fn other_isolations(server: &Server) {
    for level in ["repeatable read", "serializable"] {
        let database = server.empty_database();
        let sql =
            format!("ALTER DATABASE {database} SET default_transaction_isolation = '{level}'");
        server.sql(&database, &sql);
        fill_the_limit_of(server, database);
    }
}

fn fill_the_limit_of(server: &Server, database: String) {
    let (database, outcomes) = on_stores_of(server, database, |store, _| {
        let outcomes = (0..10).map(|_| store.apply(create(&acme(), Some(50))).unwrap());
        outcomes.collect::<Vec<_>>()
    });
    let is_created = |outcome: &&Outcome| matches!(outcome, Outcome::Created(_));
    assert_eq!(outcomes.iter().flatten().filter(is_created).count(), 50);
    let full = Outcome::LimitReached { current: 50 };
    assert_eq!(outcomes.iter().flatten().filter(|it| **it == full).count(), 70);
    let listing = store(server, &database).list(&acme(), &all()).unwrap();
    assert_eq!((listing.models.len(), listing.total), (50, 50));
    server.give_back(database);
}

fn share_a_window(server: &Server) {
    let key = KeyId::from_bytes([1, 2, 3, 4, 5, 6]);
    let window = Window { key: key.into(), operation: Operation::Create };
    // The server's clock counts, not that of the engines.
    let (database, admitted) = on_stores(server, |store, number| {
        let now = UnixMillis::from_unix_millis(i64::try_from(number).unwrap() * 1_000_000_000);
        let change = AccessChange::Admit { window, limit: RateLimit::CREATE, now };
        let outcomes = (0..5).map(|_| store.apply_access(change.clone()).unwrap());
        outcomes.filter(|outcome| matches!(outcome, AccessOutcome::Admitted(_))).count()
    });
    assert_eq!(admitted.iter().sum::<usize>(), 10);
    let now = UnixMillis::from(std::time::SystemTime::now());
    let state = store(server, &database).window(&window, RateLimit::CREATE, now).unwrap();
    assert_eq!(state.rate_limit.remaining, 0, "{state:?}");
    server.give_back(database);
}

fn repeat(server: &Server) {
    let key = IdempotencyKey::new("once").unwrap();
    let answer = NewIdempotencyRecord {
        key: IdempotencyScope { operation: Operation::Create, target: None, key },
        request: NewIdempotencyRecord::digest(b"{}"),
    };
    let (database, outcomes) = on_stores(server, |store, _| {
        let write = Write { idempotency: Some(answer.clone()), ..create(&acme(), None) };
        store.apply(write).unwrap()
    });
    let mut made = Vec::new();
    let mut heard = BTreeSet::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Created(model) => made.push(model),
            Outcome::Repeated(kept) => drop(heard.insert(kept.body)),
            other => panic!("{other:?}"),
        }
    }
    let [made] = made.as_slice() else { panic!("{made:?}") };
    let first = serde_json::to_string(made).unwrap();
    assert!(heard.into_iter().eq([first]));
    assert_eq!(
        store(server, &database).list(&acme(), &all()).unwrap().models,
        std::slice::from_ref(made)
    );
    server.give_back(database);
}

/// No write is refused because another engine was faster.
fn every_edit(server: &Server) {
    let database = server.empty_database();
    let first = engine(server, &database);
    let id = first.create(&caller(), request()).unwrap().id;
    let (database, made) = on_stores_of(server, database, |store, number| {
        let mut made = 0;
        for round in 0..4 {
            let name = format!("name {number} {round}");
            let update = UpdateModel::builder().name(name).build().unwrap().into_owned();
            let change = Change::Edit {
                id,
                edit: Box::new(Edit::from(update)),
                expected: Expected::Anything,
            };
            let outcome = store.apply(write(&acme(), change)).unwrap();
            made += u64::from(matches!(outcome, Outcome::Changed { .. }));
        }
        made
    });
    assert_eq!(made.iter().sum::<u64>(), 48);
    assert_eq!(first.get(&caller(), id).unwrap().revision().get(), 49);
    drop(first);
    server.give_back(database);
}

fn one_worker(server: &Server) {
    let database = server.empty_database();
    let first = engine(server, &database);
    let ids: Vec<_> = (0..12).map(|_| running(&first).id).collect();
    let work = |number: usize| {
        let engine = engine(server, &database);
        let worker = Actor::new(format!("worker-{number}")).unwrap();
        let claim = || engine.claim(&worker, None, LeaseTime::default()).unwrap();
        std::iter::from_fn(claim).map(|claimed| claimed.model.id).collect::<Vec<_>>()
    };
    let mut claimed: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|number| scope.spawn(move || work(number))).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    claimed.sort();
    assert_eq!(claimed, ids);
    drop(first);
    server.give_back(database);
}

fn one_update(server: &Server) {
    let database = server.empty_database();
    let stores: Vec<_> = (0..4).map(|_| store(server, &database)).collect();
    let mut model = created(stores[0].apply(create(&acme(), None)));
    for _ in 0..20 {
        let edit = Box::new(Edit::from(UpdateModel::default()));
        let expected = Expected::OneOf(vec![model.revision()]);
        let update = write(&acme(), Change::Edit { id: model.id, edit, expected });
        let outcomes: Vec<_> = thread::scope(|scope| {
            let asked: Vec<_> =
                stores.iter().map(|it| scope.spawn(|| it.apply(update.clone()))).collect();
            asked.into_iter().map(|it| it.join().unwrap().unwrap()).collect()
        });
        let refused = Outcome::Refused(EditRefusal::PreconditionFailed);
        assert_eq!(outcomes.iter().filter(|it| **it == refused).count(), 3);
        let version = model.revision().next().into();
        model = CustomModel { version, ..model };
        let removed = None;
        let changed = Outcome::Changed { model: Box::new(model.clone()), removed };
        assert_eq!(outcomes.iter().filter(|it| **it == changed).count(), 1);
    }
    drop(stores);
    server.give_back(database);
}

/// Each engine writes for several organisations, so that their groups overlap.
fn dense_histories(server: &Server) {
    let of = |number: usize| format!("org-{}", number % 5).parse().unwrap();
    let (database, _) = on_stores(server, |store, number| {
        for turn in 0..15 {
            created(store.apply(create(&of(number + turn), None)));
        }
    });
    let store = store(server, &database);
    let mut models = 0;
    for number in 0..5 {
        let page = store.events(&of(number), 0, u32::MAX).unwrap();
        assert!(page.events.iter().map(|it| it.position).eq(1..=page.last), "{page:?}");
        // Positions and ids were assigned in the same order.
        assert!(page.events.is_sorted_by_key(|it| it.model_id));
        models += page.last;
    }
    assert_eq!(models, 12 * 15);
    drop(store);
    server.give_back(database);
}

fn growing_ids(server: &Server) {
    let database = server.empty_database();
    let stores: Vec<_> = (0..3).map(|_| store(server, &database)).collect();
    let create = |number: usize| {
        let of = format!("org-{}", number % 4).parse().unwrap();
        created(stores[number % 3].apply(create(&of, None))).id
    };
    assert!((0..30).map(create).is_sorted_by(|one, next| one < next));
    drop(stores);
    server.give_back(database);
}

fn one_import(server: &Server) {
    let begin = |store: &PostgresStore, number: usize| {
        let registration = Record::Registration {
            organisation: format!("org-{number}").parse().unwrap(),
            plan: "Gold".parse().unwrap(),
        };
        let records = vec![Record::Start { last_id: 7 }, registration];
        store.archive(ArchiveChange::Begin(records)).unwrap()
    };
    let (database, put) = on_stores(server, begin);
    assert_eq!(put.iter().filter(|put| **put > 0).count(), 1, "{put:?}");
    let store = store(server, &database);
    assert_eq!(store.registrations().unwrap().len(), 1);
    drop(store);
    server.give_back(database);
}

fn on_a_runtime(server: &Server) {
    let database = server.empty_database();
    let url = server.url(&database);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let used = tokio::spawn(async move {
            let store = PostgresStore::open(&url).unwrap();
            let model = created(store.apply(create(&acme(), None)));
            assert_eq!(store.get(&acme(), model.id).unwrap(), Some(model));
        });
        used.await.unwrap();
    });
    server.give_back(database);
}
