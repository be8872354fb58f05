//! Limited requests, whose admissions are written with their changes (RATE-3).

use custom_models_core::ModelId;
use custom_models_core::access::{KeyId, Operation, RateLimit, Window};
use custom_models_core::model::{Edit, Expected};
use custom_models_core::store::{
    AccessStore, AdmissionRequest, ArchiveChange, ArchiveStore, Change, ModelStore, Outcome, Write,
};
use custom_models_core::time::UnixMillis;
use custom_models_postgres_cluster::{Programs, Server};

use crate::common::{acme, all, create, store, write};
use crate::sharing::on_stores;

type Test = fn(&Server);
type OwnTest = fn(&Programs);

pub(crate) const TESTS: [(&str, Test); 2] = [
    (
        "rate_3_and_rate_4_limited_creates_through_several_engines_are_as_many_as_the_window_takes",
        share_a_window,
    ),
    ("rate_3_a_refused_limited_write_leaves_nothing_that_an_export_shows", leaves_no_counters),
];

pub(crate) const OWN_TESTS: [(&str, OwnTest); 1] =
    [("rate_3_a_limited_write_is_one_transaction", one_transaction)];

fn admission() -> AdmissionRequest {
    let key = KeyId::from_bytes([1, 2, 3, 4, 5, 6]);
    let window = Window { key: key.into(), operation: Operation::Create };
    AdmissionRequest { window, limit: RateLimit::CREATE }
}

/// The server's clock counts, not that of the engines.
fn share_a_window(server: &Server) {
    let (database, created) = on_stores(server, |store, number| {
        let at = UnixMillis::from_unix_millis(i64::try_from(number).unwrap() * 1_000_000_000);
        let limited = Write { at, admission: Some(admission()), ..create(&acme(), Some(7)) };
        let mut created = 0;
        for _ in 0..4 {
            // Requests without a limit are in the same groups.
            store.apply(create(&"zebra".parse().unwrap(), None)).unwrap();
            match store.apply(limited.clone()).unwrap() {
                Outcome::Admitted { outcome, .. } => match *outcome {
                    Outcome::Created(_) => created += 1,
                    Outcome::LimitReached { current: 7 } => {}
                    other => panic!("{other:?}"),
                },
                Outcome::WindowFull { rate_limit, .. } => assert_eq!(rate_limit.remaining, 0),
                other => panic!("{other:?}"),
            }
        }
        created
    });
    assert_eq!(created.iter().sum::<usize>(), 7, "within the limit of the plan");
    let store = store(server, &database);
    let AdmissionRequest { window, limit } = admission();
    let now = UnixMillis::from(std::time::SystemTime::now());
    assert_eq!(store.window(&window, limit, now).unwrap().rate_limit.remaining, 0);
    assert_eq!(store.list(&acme(), &all()).unwrap().total, 7);
    let kept = server.sql(&database, "SELECT count(*) FROM custom_models.admissions");
    assert_eq!(kept, "10", "admissions that were kept");
    drop(store);
    server.give_back(database);
}

/// The admission of a refused write is stored, and its organisation is not.
fn leaves_no_counters(server: &Server) {
    let database = server.empty_database();
    let store = store(server, &database);
    let refused = Write { admission: Some(admission()), ..create(&acme(), Some(0)) };
    let outcome = store.apply(refused).unwrap();
    assert!(matches!(outcome, Outcome::Admitted { .. }), "{outcome:?}");
    let mut shown = Vec::new();
    let mut keep = |record| {
        shown.push(record);
        Ok(())
    };
    store.export(&mut keep).unwrap();
    assert_eq!(shown.len(), 1, "the start alone: {shown:?}");
    let begun = store.archive(ArchiveChange::Begin(shown)).unwrap();
    assert_eq!(begun, 1, "an import begins");
    drop(store);
    server.give_back(database);
}

/// Each writing transaction takes a number, and nothing else writes here.
fn one_transaction(programs: &Programs) {
    let server = Server::start(programs, &["autovacuum=off"]);
    let database = server.empty_database();
    let store = store(&server, &database);
    let number =
        || -> u64 { server.sql(&database, "SELECT pg_current_xact_id()").parse().unwrap() };
    let limited = |write: Write| Write { admission: Some(admission()), ..write };
    let none = ModelId::new(1 << 40).unwrap();
    let edit = Box::new(Edit::Delete);
    let of_nothing = Change::Edit { id: none, edit, expected: Expected::Anything };
    let writes = [
        limited(create(&acme(), None)),
        limited(create(&acme(), Some(1))),
        limited(write(&acme(), of_nothing)),
    ];
    store.apply(writes[0].clone()).unwrap();
    for write in writes {
        let before = number();
        let outcome = store.apply(write).unwrap();
        assert!(matches!(outcome, Outcome::Admitted { .. }), "{outcome:?}");
        assert_eq!(number() - before, 2, "the write and the question after it: {outcome:?}");
    }
    drop(store);
}
