//! Measures the models created per second by waiting callers, in groups and with one transaction
//! per call, on a private server whose commits wait for the disk. The transaction of one call sets
//! its isolation level, creates in one statement and commits, all in one round trip, on a
//! connection per caller. A bare statement with the default isolation level is shown beside it. All
//! store the event of each create.
//!
//! `--bars` exits with 1 if a bar does not hold, `--quick` only shows that everything runs,
//! `--rounds N` sets the number of rounds, by default 21.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement"
)]

use std::env;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use custom_models_core::store::{Change, ModelStore, Write};
use custom_models_core::tenant::Actor;
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_core::{CreateModel, Organisation};
use custom_models_postgres_cluster::{Programs, Server};
use custom_models_store_postgres::PostgresStore;
use futures_util::future::{join_all, join3};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};

/// The quota, the model, its event and the counters in one statement.
const ONE_CALL: &str = "WITH counted AS (
        INSERT INTO custom_models.organisations AS o (organisation, models, events, writes)
        VALUES ($1, 1, 1, 1) ON CONFLICT (organisation) DO UPDATE
        SET models = o.models + 1, events = o.events + 1 WHERE o.models < $2
        RETURNING organisation, events
    ), model AS (
        INSERT INTO custom_models.models (organisation, id, revision, beats, name, language,
            base_model, training_status, created_at, updated_at)
        SELECT organisation, nextval('custom_models.model_ids'), 1, 0, $3, 'nl', 'general', 1, $4, $4
        FROM counted RETURNING id
    )
    INSERT INTO custom_models.events (organisation, position, model, created_at, actor, event)
    SELECT organisation, events, id, $4, $5, $6 FROM counted, model RETURNING model";

const NOW: i64 = 1_800_000_000;
const NAME: &str = "Legal-NL-v2";
const LIMIT: i64 = 1 << 40;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let rounds = arguments.iter().skip_while(|it| *it != "--rounds").nth(1);
    let rounds = rounds.map_or(21, |rounds| rounds.parse().unwrap());
    let (rounds, span) = if has("--quick") {
        (1, Duration::from_millis(100))
    } else {
        (rounds, Duration::from_millis(500))
    };
    let programs = Programs::find().unwrap();
    let mut holds = true;
    for (callers, bar) in [(1, 0.9), (64, 3.0)] {
        let server = Server::start(&programs, &["fsync=on"]);
        let database = server.empty_database();
        let store = PostgresStore::open(&server.url(&database)).unwrap();
        let single = Calls::connect(&server.url(&database), callers);
        let measure = || {
            [in_groups(&store, callers, span), single.make(span, true), single.make(span, false)]
        };
        // The first round has cold caches.
        measure();
        let all: Vec<[f64; 3]> = (0..rounds).map(|_| measure()).collect();
        let rate = |which: usize| median(all.iter().map(|round| round[which]));
        // Ratios are taken per round, since the speed of the server's disk varies between rounds.
        let ratio = |which: usize| median(all.iter().map(|round| round[0] / round[which]));
        println!(
            "{callers} callers: {:.0} a second in groups; {:.0} one transaction a call, {:.2} times \
            (bar {bar}); {:.0} a bare statement, {:.2} times",
            rate(0),
            rate(1),
            ratio(1),
            rate(2),
            ratio(2),
        );
        holds &= ratio(1) >= bar;
    }
    if has("--bars") && !has("--quick") && !holds { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn organisation(caller: usize) -> Organisation {
    format!("org-{caller}").parse().unwrap()
}

fn in_groups(store: &PostgresStore, callers: usize, span: Duration) -> f64 {
    let created_at = Timestamp::from_unix_seconds(NOW).unwrap();
    let request = CreateModel::builder().name(NAME).language("nl").build().unwrap();
    let model = request.into_new_model(created_at);
    let now = UnixMillis::from_unix_millis(NOW * 1000);
    let begun = Instant::now();
    let made: u64 = thread::scope(|scope| {
        let threads: Vec<_> = (0..callers)
            .map(|caller| {
                let model = &model;
                scope.spawn(move || {
                    let mut made = 0;
                    while begun.elapsed() < span {
                        let limit = Some(LIMIT.unsigned_abs());
                        let change = Change::Create { model: model.clone(), limit };
                        let of = organisation(caller);
                        store.apply(Write::new(of, Actor::HOST, now, change)).unwrap();
                        made += 1;
                    }
                    made
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    made as f64 / begun.elapsed().as_secs_f64()
}

/// Callers, each with a connection of its own.
struct Calls {
    runtime: Runtime,
    clients: Vec<(Organisation, Client, Statement)>,
}

impl Calls {
    fn connect(url: &str, callers: usize) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let clients = runtime.block_on(async {
            let mut clients = Vec::new();
            for caller in 0..callers {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
                tokio::spawn(connection);
                let statement = client.prepare(ONE_CALL).await.unwrap();
                clients.push((organisation(caller), client, statement));
            }
            clients
        });
        Calls { runtime, clients }
    }

    /// Creates models for a while, and returns their number per second.
    fn make(&self, span: Duration, is_transaction: bool) -> f64 {
        let begun = Instant::now();
        let calls = self.clients.iter().map(async |(organisation, client, statement)| {
            let of = organisation.as_str().as_bytes();
            let (name, actor) = (NAME.as_bytes(), Actor::HOST.as_str().as_bytes().to_vec());
            let event: &[u8] = br#"{"type":"created"}"#;
            let mut made = 0;
            while begun.elapsed() < span {
                let parameters: [&(dyn ToSql + Sync); 6] =
                    [&of, &LIMIT, &name, &NOW, &actor, &event];
                let create = client.query_one(statement, &parameters);
                if is_transaction {
                    let (begun, created, committed) = join3(
                        client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"),
                        create,
                        client.batch_execute("COMMIT"),
                    )
                    .await;
                    begun.and(created).and(committed).unwrap();
                } else {
                    create.await.unwrap();
                }
                made += 1;
            }
            made
        });
        let made: u64 = self.runtime.block_on(join_all(calls)).into_iter().sum();
        made as f64 / begun.elapsed().as_secs_f64()
    }
}
