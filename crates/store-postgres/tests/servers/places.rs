//! Modes of opening, and the identity of a store (PLACE-1, PLACE-2).

use custom_models_core::ModelId;
use custom_models_core::store::{
    AccessChange, AccessStore, ArchiveChange, ArchiveStore, Audit, Lineage, ModelStore, OpenMode,
    Purge, Record, Registration, StoreErrorKind, StoreSummary,
};
use custom_models_core::time::UnixMillis;
use custom_models_postgres_cluster::{Programs, Server};
use custom_models_store_postgres::PostgresStore;

use crate::common::{acme, all, create, created, engine, kind, running, store};
use crate::faults::wait_until;

type Test = fn(&Server);
type StandbyTest = fn(&Programs);

pub(crate) const TESTS: [(&str, Test); 8] = [
    ("place_1_a_store_that_is_not_there_is_missing_and_is_not_made", missing),
    ("place_1_an_older_layout_is_read_as_it_is_and_migrated_by_who_may", older),
    ("place_2_a_store_of_the_second_layout_keeps_its_identity_and_gets_a_lineage", second),
    ("place_1_a_layout_that_was_made_in_part_is_made_whole", in_part),
    ("place_1_a_store_that_is_read_alone_takes_no_write", read_only),
    ("place_2_a_store_keeps_its_identity_and_no_other_has_it", identity),
    ("a_table_a_column_an_index_or_a_check_that_is_gone_is_found", verified),
    ("log_1_events_that_are_deleted_are_found_also_before_the_first_that_is_kept", deleted_events),
];

pub(crate) const STANDBY_TESTS: [(&str, StandbyTest); 1] =
    [("place_1_a_standby_is_read_where_nobody_takes_writes", standby)];

const LAYOUT_1: &str = include_str!("layout_1.sql");
const TABLES: &str = "SELECT count(*) FROM pg_tables WHERE schemaname = 'custom_models'";
const MODES: [OpenMode; 3] = [OpenMode::Existing, OpenMode::Current, OpenMode::ReadOnly];

fn records(store: &PostgresStore) -> Vec<Record> {
    let mut records = Vec::new();
    let pushed = store.export(&mut |record| {
        records.push(record);
        Ok(())
    });
    pushed.unwrap();
    records
}

fn found(store: &PostgresStore) -> Vec<String> {
    let mut audit = Audit::default();
    records(store).iter().for_each(|record| audit.look(record));
    audit.findings().iter().map(ToString::to_string).collect()
}

fn missing(server: &Server) {
    let database = server.empty_database();
    for schema in ["SELECT 1", "CREATE SCHEMA custom_models"] {
        server.sql(&database, schema);
        for mode in MODES {
            let error = PostgresStore::open_as(&server.url(&database), mode).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Missing, "{mode:?}");
            assert!(format!("{error:?}").contains(&database), "{error:?}");
        }
        assert_eq!(server.sql(&database, TABLES), "0");
    }
    let made = PostgresStore::open_as(&server.url(&database), OpenMode::Create).unwrap();
    made.close().unwrap();
    for mode in MODES {
        let model = PostgresStore::open_as(&server.url(&database), mode).unwrap();
        assert_eq!(model.get(&acme(), ModelId::new(1).unwrap()).unwrap(), None);
    }
    server.give_back(database);
}

fn older(server: &Server) {
    let database = server.empty_database();
    server.sql(&database, LAYOUT_1);
    let url = server.url(&database);
    let current = PostgresStore::open_as(&url, OpenMode::Current);
    assert_eq!(kind(current), StoreErrorKind::Older);
    let reading = PostgresStore::open_as(&url, OpenMode::ReadOnly).unwrap();
    let before = records(&reading);
    let old = reading.list(&acme(), &all()).unwrap();
    assert_eq!((old.total, old.models.len()), (1, 1));
    let history = reading.events(&acme(), 0, 9).unwrap();
    assert_eq!((history.first, history.last, history.events.len()), (3, 4, 2));
    assert_eq!(reading.registrations().unwrap().len(), 1);
    assert_eq!(reading.verify().unwrap(), Vec::<String>::new());
    let summary = reading.summary().unwrap();
    assert_eq!((summary.last_id, summary.events, summary.has_data), (7, 7, false));
    assert_eq!(reading.summary().unwrap(), summary, "as long as it is open");
    let versions = "SELECT version FROM custom_models.migrations ORDER BY version";
    assert_eq!(server.sql(&database, versions), "1", "who reads migrates nothing");
    let migrated = PostgresStore::open_as(&url, OpenMode::Existing).unwrap();
    assert_eq!(server.sql(&database, versions), "1\n2\n3\n4");
    assert_eq!(records(&migrated), before);
    assert_eq!(records(&reading), before, "whoever read goes on");
    assert_eq!(migrated.verify().unwrap(), Vec::<String>::new());
    let firsts =
        "SELECT convert_from(organisation, 'UTF8'), purged FROM custom_models.organisations
        ORDER BY organisation";
    assert_eq!(server.sql(&database, firsts), "acme|2\nempty|2\nwhole|0");
    let StoreSummary { last_id, events, has_data, .. } = migrated.summary().unwrap();
    assert_eq!((last_id, events, has_data), (7, 7, false));
    server.give_back(database);
}

/// The last layout without a lineage.
fn second(server: &Server) {
    let database = server.empty_database();
    let url = server.url(&database);
    let before = store(server, &database).summary().unwrap();
    server.sql(
        &database,
        "ALTER TABLE custom_models.store DROP COLUMN lineage;
        INSERT INTO custom_models.admissions (key, operation, at, number)
        VALUES ('\\x01', 'create', 1000, 0), ('\\x01', 'create', 1000, 1),
            ('\\x01', 'create', 2000, 0), ('\\x02', 'create', 1500, 0);
        DELETE FROM custom_models.migrations WHERE version > 2",
    );
    let reading = PostgresStore::open_as(&url, OpenMode::ReadOnly).unwrap();
    assert_eq!(reading.summary().unwrap(), before);
    assert_eq!(reading.verify().unwrap(), Vec::<String>::new());
    let (expected, new) = ((before.identity, None), (before.identity, Lineage::new(u64::MAX)));
    let change = || ArchiveChange::ReplaceIdentity { expected, new };
    assert_eq!(kind(reading.archive(change())), StoreErrorKind::ReadOnly);
    let migrated = PostgresStore::open_as(&url, OpenMode::Existing).unwrap();
    assert_eq!(migrated.archive(change()).unwrap(), 1);
    let lineage = Some(Lineage::new(u64::MAX));
    assert_eq!(migrated.summary().unwrap(), StoreSummary { lineage, ..before });
    assert_eq!(migrated.verify().unwrap(), Vec::<String>::new());
    // The numbers of admissions are consecutive now (RATE-1).
    let numbers = "SELECT key, at, number FROM custom_models.admissions ORDER BY key, at, number";
    let dense = "\\x01|1000|1\n\\x01|1000|2\n\\x01|2000|3\n\\x02|1500|1";
    assert_eq!(server.sql(&database, numbers), dense);
    server.give_back(database);
}

/// The state that a server without transactional DDL leaves behind.
fn in_part(server: &Server) {
    let database = server.empty_database();
    server.sql(&database, LAYOUT_1);
    let url = server.url(&database);
    let first = PostgresStore::open_as(&url, OpenMode::Existing).unwrap().summary().unwrap();
    for left in [
        "SELECT 1",
        "ALTER TABLE custom_models.organisations DROP COLUMN purged",
        "UPDATE custom_models.organisations SET purged = 0",
    ] {
        server.sql(
            &database,
            &format!("{left}; DELETE FROM custom_models.migrations WHERE version = 2"),
        );
        let again = PostgresStore::open_as(&url, OpenMode::Existing).unwrap();
        assert_eq!(again.summary().unwrap(), first, "{left}");
        assert_eq!(again.verify().unwrap(), Vec::<String>::new(), "{left}");
        assert_eq!(found(&again).len(), 0, "{left}: {:?}", found(&again));
    }
    let checks = "SELECT count(*) FROM pg_constraint WHERE contype = 'c'
        AND conrelid = 'custom_models.organisations'::regclass";
    assert_eq!(server.sql(&database, checks), "3", "none is there twice");
    server.give_back(database);
}

fn read_only(server: &Server) {
    let database = server.empty_database();
    let engine = engine(server, &database);
    let model = running(&engine);
    let role = format!("reads_{database}");
    server.sql(
        &database,
        &format!(
            "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA custom_models TO {role};
            GRANT SELECT ON ALL TABLES IN SCHEMA custom_models TO {role};
            GRANT SELECT ON ALL SEQUENCES IN SCHEMA custom_models TO {role}"
        ),
    );
    for who in ["postgres", &role] {
        let url = server.url(&database).replace("postgres@", &format!("{who}@"));
        let store = PostgresStore::open_as(&url, OpenMode::ReadOnly).unwrap();
        assert_eq!(store.get(&acme(), model.id).unwrap().as_ref(), Some(&model));
        assert_eq!(store.data(&acme(), model.id, 0, u32::MAX).unwrap().len(), 1);
        assert_eq!(found(&store), Vec::<String>::new());
        assert_eq!(store.verify().unwrap(), Vec::<String>::new());
        let summary = store.summary().unwrap();
        assert_eq!((summary.last_id, summary.events, summary.has_data), (1, 3, true));
        refused(&store, StoreErrorKind::ReadOnly);
        store.close().unwrap();
        refused(&store, StoreErrorKind::Closed);
    }
    // A role that may not read the tables does not take them for missing.
    server.sql(&database, &format!("REVOKE ALL ON SCHEMA custom_models FROM {role}"));
    let url = server.url(&database).replace("postgres@", &format!("{role}@"));
    let store = PostgresStore::open_as(&url, OpenMode::ReadOnly);
    assert_eq!(kind(store), StoreErrorKind::Unavailable);
}

/// Asserts that every kind of write fails with this kind of error.
fn refused(store: &PostgresStore, by: StoreErrorKind) {
    assert_eq!(kind(store.apply(create(&acme(), None))), by);
    let (sender, answer) = std::sync::mpsc::channel();
    store.submit(create(&acme(), None), Box::new(move |outcome| sender.send(outcome).unwrap()));
    assert_eq!(kind(answer.recv().unwrap()), by);
    let registration = Registration { organisation: acme(), plan: "Gold".parse().unwrap() };
    let change = AccessChange::Register(registration);
    assert_eq!(kind(store.apply_access(change.clone())), by);
    let (sender, answer) = std::sync::mpsc::channel();
    store.submit_access(change, Box::new(move |outcome| sender.send(outcome).unwrap()));
    assert_eq!(kind(answer.recv().unwrap()), by);
    let idempotency_until = UnixMillis::from_unix_millis(0);
    let purge = Purge { events_before: None, idempotency_until, limit: 1 };
    assert_eq!(kind(store.purge(purge)), by);
    assert_eq!(kind(store.archive(ArchiveChange::Import(Vec::new()))), by);
    let erase = ArchiveChange::Erase { organisation: acme(), limit: 1 };
    assert_eq!(kind(store.archive(erase)), by);
}

fn identity(server: &Server) {
    let databases = [server.empty_database(), server.empty_database()];
    let of = |database: &String| store(server, database).summary().unwrap().identity;
    let [first, second] = [of(&databases[0]), of(&databases[1])];
    assert_ne!(first, second);
    assert_eq!(of(&databases[0]), first);
    let copy = server.copy(&databases[0]);
    assert_eq!(of(&copy), first, "a backup is of the same store");
    [copy].into_iter().chain(databases).for_each(|database| server.give_back(database));
}

/// Each removed or changed part of a migration causes at least one finding.
fn verified(server: &Server) {
    const EACH: &str = "
        SELECT 'ALTER TABLE custom_models.' || table_name || ' DROP COLUMN ' || column_name || ' CASCADE'
        FROM information_schema.columns WHERE table_schema = 'custom_models'
        UNION ALL SELECT 'ALTER TABLE custom_models.' || table_name || ' ALTER ' || column_name
            || ' DROP NOT NULL' FROM information_schema.columns c
        WHERE table_schema = 'custom_models' AND is_nullable = 'NO' AND NOT EXISTS (
            SELECT 1 FROM information_schema.key_column_usage u WHERE u.constraint_name LIKE '%pkey'
            AND u.table_schema = 'custom_models' AND u.table_name = c.table_name
            AND u.column_name = c.column_name)
        UNION ALL SELECT 'DROP TABLE custom_models.' || tablename FROM pg_tables
        WHERE schemaname = 'custom_models'
        UNION ALL SELECT 'DROP INDEX custom_models.' || indexname FROM pg_indexes
        WHERE schemaname = 'custom_models' AND indexdef NOT LIKE '%UNIQUE%'
        UNION ALL SELECT 'ALTER TABLE ' || conrelid::regclass || ' DROP CONSTRAINT ' || conname
        FROM pg_constraint WHERE connamespace = 'custom_models'::regnamespace
        UNION ALL SELECT unnest(ARRAY['DROP SEQUENCE custom_models.model_ids',
            'ALTER SEQUENCE custom_models.model_ids CACHE 9', 'DELETE FROM custom_models.store',
            'ALTER SEQUENCE custom_models.model_ids CYCLE',
            'ALTER TABLE custom_models.models ALTER revision TYPE integer'])";
    let database = server.empty_database();
    let whole = store(server, &database);
    assert_eq!(whole.verify().unwrap(), Vec::<String>::new());
    server.sql(&database, "CREATE INDEX ON custom_models.models (language)");
    assert_eq!(whole.verify().unwrap(), Vec::<String>::new(), "more than there has to be");
    server.sql(&database, "DROP INDEX custom_models.models_language_idx");
    drop(whole);
    let changes = server.sql(&database, EACH);
    let mut looked_at = 0;
    for change in changes.lines() {
        let copy = server.copy(&database);
        let store = PostgresStore::open_as(&server.url(&copy), OpenMode::Current).unwrap();
        server.sql(&copy, change);
        let found = store.verify();
        assert!(!found.as_ref().is_ok_and(Vec::is_empty), "{change}: {found:?}");
        drop(store);
        server.give_back(copy);
        looked_at += 1;
    }
    assert!(looked_at > 100, "{looked_at} changes: {changes}");
    server.give_back(database);
}

fn deleted_events(server: &Server) {
    let database = server.empty_database();
    running(&engine(server, &database));
    let store = store(server, &database);
    assert_eq!(found(&store), Vec::<String>::new());
    server.sql(&database, "DELETE FROM custom_models.events WHERE position = 1");
    assert_eq!(found(&store), ["acme: event 1 is missing, 2 is there"]);
    server.sql(&database, "DELETE FROM custom_models.events");
    assert_eq!(found(&store), ["acme: event 1 is missing, 4 is there"]);
    drop(store);
    server.give_back(database);
}

fn standby(programs: &Programs) {
    let primary = Server::start(programs, &[]);
    let standby = primary.standby("second", &[]);
    let database = primary.empty_database();
    let model = created(store(&primary, &database).apply(create(&acme(), None)));
    let received = "pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()";
    wait_until(&primary, received);
    let url = standby.url(&database);
    let writing = PostgresStore::open_as(&url, OpenMode::Existing);
    assert_eq!(kind(writing), StoreErrorKind::Unavailable);
    let reading = PostgresStore::open_as(&url, OpenMode::ReadOnly).unwrap();
    assert_eq!(reading.get(&acme(), model.id).unwrap(), Some(model));
    assert_eq!(found(&reading), Vec::<String>::new());
    assert_eq!(reading.verify().unwrap(), Vec::<String>::new());
    // A primary replicates the sequence some numbers ahead.
    assert!(reading.summary().unwrap().last_id >= 1);
}
