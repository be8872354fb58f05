//! Databases and servers on which a store is opened.

use std::sync::Barrier;
use std::thread;

use custom_models_core::store::{
    AccessChange, AccessStore, ArchiveChange, ArchiveStore, ModelStore, Purge, Registration,
    StoreErrorKind,
};
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_postgres_cluster::Server;
use custom_models_store_postgres::PostgresStore;

use crate::common::{acme, create, created, kind, store};

type Test = fn(&Server);

pub(crate) const TESTS: [(&str, Test); 5] = [
    ("engines_that_open_at_the_same_time_make_the_tables_once", at_the_same_time),
    ("a_schema_that_is_not_ours_is_not_touched", not_ours),
    ("a_newer_layout_is_refused_at_the_opening_and_by_a_store_that_is_open", newer),
    ("texts_with_every_character_survive_in_every_encoding", other_encoding),
    ("a_server_that_acknowledges_before_it_writes_is_refused", not_durable),
];

fn at_the_same_time(server: &Server) {
    for _ in 0..5 {
        let database = server.empty_database();
        let barrier = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    created(store(server, &database).apply(create(&acme(), None)));
                });
            }
        });
        let made = server.sql(&database, "SELECT version, mark FROM custom_models.migrations");
        assert_eq!(made, "1|custom-models\n2|custom-models\n3|custom-models\n4|custom-models");
        assert_eq!(server.sql(&database, "SELECT count(*) FROM custom_models.store"), "1");
        let models = server.sql(&database, "SELECT models FROM custom_models.organisations");
        assert_eq!(models, "8");
        server.give_back(database);
    }
}

fn not_ours(server: &Server) {
    for theirs in [
        "CREATE TABLE custom_models.models (id bigint)",
        "CREATE TABLE custom_models.migrations (name text)",
        "CREATE TABLE custom_models.migrations (version bigint, mark text);
        INSERT INTO custom_models.migrations VALUES (1, 'another program')",
    ] {
        let database = server.empty_database();
        server.sql(&database, &format!("CREATE SCHEMA custom_models; {theirs}"));
        let opened = PostgresStore::open(&server.url(&database));
        assert_eq!(kind(opened), StoreErrorKind::NotOurs, "{theirs}");
        let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'custom_models'";
        assert_eq!(server.sql(&database, tables), "1", "{theirs}");
        server.give_back(database);
    }
}

fn newer(server: &Server) {
    let database = server.empty_database();
    let open = store(server, &database);
    let model = created(open.apply(create(&acme(), None)));
    server.sql(&database, "INSERT INTO custom_models.migrations VALUES (5, 'custom-models')");
    let opened = PostgresStore::open(&server.url(&database));
    assert_eq!(kind(opened), StoreErrorKind::Newer);
    assert_eq!(kind(open.apply(create(&acme(), None))), StoreErrorKind::Newer);
    let registration = Registration { organisation: acme(), plan: "Gold".parse().unwrap() };
    let registered = open.apply_access(AccessChange::Register(registration));
    assert_eq!(kind(registered), StoreErrorKind::Newer);
    let (events_before, idempotency_until) =
        (Some(Timestamp::MAX), UnixMillis::from_unix_millis(0));
    let purged = open.purge(Purge { events_before, idempotency_until, limit: 9 });
    assert_eq!(kind(purged), StoreErrorKind::Newer);
    let erased = open.archive(ArchiveChange::Erase { organisation: acme(), limit: 9 });
    assert_eq!(kind(erased), StoreErrorKind::Newer);
    assert_eq!(open.registration(&acme()).unwrap(), None);
    assert_eq!(open.get(&acme(), model.id).unwrap(), Some(model), "reads go on");
    drop(open);
    server.give_back(database);
}

fn other_encoding(server: &Server) {
    let name = "latin";
    server.sql(
        "postgres",
        &format!("CREATE DATABASE {name} ENCODING LATIN1 LOCALE 'C' TEMPLATE template0"),
    );
    let store = store(server, name);
    let mut write = create(&acme(), None);
    if let custom_models_core::store::Change::Create { model, .. } = &mut write.change {
        model.name = "\0 Ω 語 \u{10ffff}".to_owned().try_into().unwrap();
    }
    let model = created(store.apply(write));
    assert_eq!(store.get(&acme(), model.id).unwrap(), Some(model));
}

fn not_durable(server: &Server) {
    let database = server.empty_database();
    server.sql("postgres", &format!("ALTER DATABASE {database} SET synchronous_commit = off"));
    let opened = PostgresStore::open(&server.url(&database));
    assert_eq!(kind(opened), StoreErrorKind::Unavailable);
    server.sql("postgres", &format!("ALTER DATABASE {database} RESET synchronous_commit"));
    server.give_back(database);
}
