//! Servers that fail: each failure is a clear error, and the store recovers when it is over.

use std::error::Error;
use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use custom_models_core::access::Operation;
use custom_models_core::store::{
    IdempotencyKey, IdempotencyScope, ModelStore, NewIdempotencyRecord, Outcome, StoreErrorKind,
    Write,
};
use custom_models_postgres_cluster::{Programs, Server};
use custom_models_store_postgres::{PostgresStore, Settings};

use crate::common::{acme, all, create, created, kind, store};

type Test = fn(&Programs);

pub(crate) const TESTS: [(&str, Test); 8] = [
    ("a_server_that_is_gone_is_unavailable_until_it_is_back", gone),
    ("a_connection_that_was_cut_between_two_calls_is_made_again", cut_between),
    ("a_commit_whose_answer_is_lost_is_of_unknown_outcome_and_was_made", commit_answer_lost),
    ("a_commit_that_is_lost_is_of_unknown_outcome_and_was_not_made", commit_lost),
    ("what_another_keeps_locked_is_busy", locked),
    ("a_read_that_finds_every_connection_in_use_is_busy", pool_is_full),
    ("a_server_with_too_many_connections_is_busy", server_is_full),
    ("whoever_may_not_write_or_come_in_is_told_so", not_allowed),
];

fn gone(programs: &Programs) {
    let server = Server::start(programs, &[]);
    let database = server.empty_database();
    let open = store(&server, &database);
    let model = created(open.apply(create(&acme(), None)));
    for end in [Server::stop, Server::kill] {
        end(&server);
        assert_eq!(kind(open.apply(create(&acme(), None))), StoreErrorKind::Unavailable);
        assert_eq!(kind(open.get(&acme(), model.id)), StoreErrorKind::Unavailable);
        let opened = PostgresStore::open(&server.url(&database));
        assert_eq!(kind(opened), StoreErrorKind::Unavailable);
        server.restart();
        assert_eq!(open.get(&acme(), model.id).unwrap(), Some(model.clone()));
    }
    created(open.apply(create(&acme(), None)));
    assert_eq!(open.list(&acme(), &all()).unwrap().total, 2, "what failed was not made");
}

fn cut_between(programs: &Programs) {
    let server = Server::start(programs, &[]);
    let database = server.empty_database();
    let store = store(&server, &database);
    for _ in 0..3 {
        created(store.apply(create(&acme(), None)));
        server.sql(
            "postgres",
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
            WHERE application_name = 'custom-models'",
        );
    }
    assert_eq!(created(store.apply(create(&acme(), None))).id.get(), 4);
}

/// The orders to a proxy for the next commit.
const PASS: u8 = 0;
const LOSE_ANSWER: u8 = 1;
const LOSE: u8 = 2;

/// A proxy between a store and its server that cuts the connection at the next commit on request.
fn proxy(to: u16) -> (u16, Arc<AtomicU8>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let orders = Arc::new(AtomicU8::new(PASS));
    let shared = Arc::clone(&orders);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, orders) = (client.unwrap(), Arc::clone(&shared));
            let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
            let (mut answers, mut to_client) =
                (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                // The server's answer is read to its end, even if the client has gone.
                while let Ok(read @ 1..) = answers.read(&mut buffer) {
                    let _ = to_client.write_all(&buffer[..read]);
                }
                let _ = to_client.shutdown(Shutdown::Both);
            });
            thread::spawn(move || forward(client, server, &orders));
        }
    });
    (port, orders)
}

fn forward(mut client: TcpStream, mut server: TcpStream, orders: &AtomicU8) {
    const COMMIT: &[u8] = b"statement_timeout = 0; COMMIT\0";
    let mut buffer = vec![0; 1 << 20];
    let mut sent = Vec::new();
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        let part = &buffer[..read];
        sent.extend_from_slice(part);
        let is_commit = sent.windows(COMMIT.len()).any(|it| it == COMMIT);
        let order = if is_commit { orders.swap(PASS, Ordering::SeqCst) } else { PASS };
        if order == LOSE {
            break;
        }
        if order == LOSE_ANSWER {
            // The server receives everything, and the client nothing more.
            client.shutdown(Shutdown::Both).unwrap();
        }
        if server.write_all(part).is_err() {
            break;
        }
        if is_commit {
            sent.clear();
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    // The server reads what was sent before it sees the end.
    let _ = server.shutdown(Shutdown::Write);
}

fn once(key: &'static str) -> Write {
    let answer = NewIdempotencyRecord {
        key: IdempotencyScope {
            operation: Operation::Create,
            target: None,
            key: IdempotencyKey::new(key).unwrap(),
        },
        request: NewIdempotencyRecord::digest(b"{}"),
    };
    Write { idempotency: Some(answer), ..create(&acme(), None) }
}

/// Cuts the connection at the commit of a create, whose outcome is then unknown. Returns the answer
/// to the repeated request, and the number of models.
fn again_after(programs: &Programs, order: u8) -> (Outcome, u64) {
    let server = Server::start(programs, &[]);
    let database = server.empty_database();
    let (port, orders) = proxy(server.port());
    let store =
        PostgresStore::open(&format!("postgres://postgres@127.0.0.1:{port}/{database}")).unwrap();
    created(store.apply(create(&acme(), None)));
    orders.store(order, Ordering::SeqCst);
    assert_eq!(kind(store.apply(once("key"))), StoreErrorKind::OutcomeUnknown);
    assert_eq!(orders.load(Ordering::SeqCst), PASS, "the commit was cut");
    // The transaction ends by itself; a repeat waits for it.
    let again = store.apply(once("key")).unwrap();
    (again, store.list(&acme(), &all()).unwrap().total)
}

fn commit_answer_lost(programs: &Programs) {
    let (again, total) = again_after(programs, LOSE_ANSWER);
    assert!(matches!(again, Outcome::Repeated(_)), "{again:?}");
    assert_eq!(total, 2);
}

fn commit_lost(programs: &Programs) {
    let (again, total) = again_after(programs, LOSE);
    assert!(matches!(again, Outcome::Created(_)), "{again:?}");
    assert_eq!(total, 2);
}

/// Keeps a table locked while `work` runs.
fn while_locked<T>(server: &Server, database: &str, table: &str, work: impl FnOnce() -> T) -> T {
    let lock = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3600)");
    thread::scope(|scope| {
        scope.spawn(|| server.try_sql(database, &lock).unwrap_err());
        wait_until(
            server,
            "pg_stat_activity WHERE query LIKE '%pg_sleep%' AND wait_event = 'PgSleep'",
        );
        let done = work();
        server.sql(
            "postgres",
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
            WHERE wait_event = 'PgSleep'",
        );
        done
    })
}

/// Repeats a query until it returns something.
pub(crate) fn wait_until(server: &Server, there_is: &str) {
    while server.sql("postgres", &format!("SELECT count(*) FROM {there_is}")) == "0" {}
}

fn settings(patience: Duration) -> Settings {
    let mut settings = Settings::default();
    settings.patience = patience;
    settings
}

fn locked(programs: &Programs) {
    let server = Server::start(programs, &[]);
    let database = server.empty_database();
    let patience = settings(Duration::from_millis(200));
    let store = PostgresStore::open_with(&server.url(&database), patience).unwrap();
    created(store.apply(create(&acme(), None)));
    let (write, read) = while_locked(&server, &database, "custom_models.organisations", || {
        (store.apply(create(&acme(), None)), store.list(&acme(), &all()))
    });
    assert_eq!((kind(write), kind(read)), (StoreErrorKind::Busy, StoreErrorKind::Busy));
    // However long the machine takes for the rest.
    drop(store);
    let store = crate::common::store(&server, &database);
    assert_eq!(store.list(&acme(), &all()).unwrap().total, 1, "it was not made");
    created(store.apply(create(&acme(), None)));
}

fn pool_is_full(programs: &Programs) {
    let server = Server::start(programs, &[]);
    let database = server.empty_database();
    let mut settings = settings(Duration::from_secs(3600));
    settings.wait = Duration::from_millis(50);
    settings.reading_connections = 1;
    let store = PostgresStore::open_with(&server.url(&database), settings).unwrap();
    let model = created(store.apply(create(&acme(), None)));
    thread::scope(|scope| {
        let (reading, refused) = while_locked(&server, &database, "custom_models.models", || {
            let reading = scope.spawn(|| store.get(&acme(), model.id));
            wait_until(&server, "pg_stat_activity WHERE wait_event_type = 'Lock'");
            (reading, store.get(&acme(), model.id).unwrap_err())
        });
        assert_eq!(refused.kind(), StoreErrorKind::Busy);
        assert_eq!(refused.source().unwrap().to_string(), "every connection is in use");
        assert_eq!(reading.join().unwrap().unwrap(), Some(model.clone()));
    });
}

fn server_is_full(programs: &Programs) {
    let server = Server::start(programs, &[]);
    let database = server.empty_database();
    server.sql(
        &database,
        &format!(
            "CREATE ROLE app LOGIN CONNECTION LIMIT 2; GRANT ALL ON DATABASE {database} TO app"
        ),
    );
    let url = server.url(&database).replace("postgres@", "app@");
    let store = PostgresStore::open(&url).unwrap();
    // The two writing connections: these organisations together use both.
    for number in 0..20 {
        created(store.apply(create(&format!("org-{number}").parse().unwrap(), None)));
    }
    let model = created(store.apply(create(&acme(), None)));
    assert_eq!(kind(store.get(&acme(), model.id)), StoreErrorKind::Busy);
    assert_eq!(kind(PostgresStore::open(&url)), StoreErrorKind::Busy);
    server.sql("postgres", "ALTER ROLE app CONNECTION LIMIT 9");
    assert_eq!(store.get(&acme(), model.id).unwrap(), Some(model));
}

fn not_allowed(programs: &Programs) {
    let server = Server::start(programs, &[]);
    let database = server.empty_database();
    server.sql(&database, "CREATE ROLE keyed LOGIN PASSWORD 'right'; CREATE ROLE reader LOGIN");
    server.allow_first("host all keyed 127.0.0.1/32 scram-sha-256");
    let as_whom = |who: &str| server.url(&database).replace("postgres@", &format!("{who}@"));
    for who in ["keyed:wrong", "keyed", "nobody"] {
        let refused = PostgresStore::open(&as_whom(who)).unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Unavailable, "{who}");
        assert!(!format!("{refused:?}").contains("wrong"), "{refused:?}");
    }
    // A role that can connect, but not create a schema.
    for who in ["keyed:right", "reader"] {
        let refused = PostgresStore::open(&as_whom(who)).unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Unavailable, "{who}");
        assert!(format!("{refused:?}").contains("permission denied"), "{refused:?}");
    }
    let nowhere = server.url("no_such_database");
    assert_eq!(kind(PostgresStore::open(&nowhere)), StoreErrorKind::Unavailable);
    server.sql(
        "postgres",
        &format!("ALTER DATABASE {database} SET default_transaction_read_only = on"),
    );
    let read_only = PostgresStore::open(&server.url(&database));
    assert_eq!(kind(read_only), StoreErrorKind::Unavailable);
}
