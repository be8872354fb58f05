//! Several services on one PostgreSQL database, as on several machines.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;

use custom_models_postgres_cluster::{Server, run};
use serde_json::Value;

use support::Folder;
use support::serving::{NAMED, Serving, ask};

const MODELS: &str = "/api/v3/custom_models";

type Test = fn(&Site);

fn main() {
    run(
        2,
        |programs| Server::start(programs, &[]),
        |trials, server| {
            let tests: [(&str, Test); 7] = [
                ("quota_4_two_services_fill_exactly_the_plan", fill_the_plan),
                ("rate_1_and_rate_4_two_services_admit_ten_in_all", admit_ten),
                ("idem_1_a_repeat_to_another_service_hears_the_same_bytes", repeat),
                ("log_1_two_services_share_a_history_without_gaps", share_a_history),
                ("train_4_two_services_hand_out_each_training_once", hand_out_trainings),
                ("a_rolling_restart_under_load_loses_nothing", rolling_restart),
                ("place_1_a_missing_store_is_named_and_data_without_a_folder_is_found", check),
            ];
            for (name, test) in tests {
                let server: Option<Arc<Server>> = server.cloned();
                trials.add(name, move |_| test(&Site::new(server.unwrap())));
            }
        },
    );
}

/// A database, and a folder to run commands in that use it.
struct Site {
    server: Arc<Server>,
    database: String,
    folder: Folder,
}

impl Site {
    fn new(server: Arc<Server>) -> Self {
        let database = server.empty_database();
        Site { server, database, folder: Folder::new() }
    }

    fn run(&self, arguments: &[&str]) -> String {
        let url = self.server.url(&self.database);
        let ended = self.folder.run(&[arguments, &["--store", &url]].concat());
        assert_eq!((ended.code, &*ended.err), (0, ""));
        ended.out
    }

    /// A key of an organisation that is new.
    fn key_of(&self, organisation: &str, plan: &str) -> String {
        self.run(&["org", "add", organisation, "--plan", plan]);
        let scopes = ["--scope", "custom_models:write", "custom_models:read"];
        self.run(&[&["key", "create", "--org", organisation], &scopes[..]].concat()).trim().into()
    }

    fn serve(&self, options: &[&str]) -> Serving {
        let url = self.server.url(&self.database);
        Serving::start(&self.folder, &[&["serve", "--store", &url], options].concat())
    }
}

const WITHOUT_LIMITS: [&str; 4] = ["--create-limit", "off", "--create-concurrency", "off"];

/// Returns the statuses that both services answered with, when they were asked at once.
fn answers_of_both(servers: &[Serving; 2], key: &str, each: usize) -> Vec<u16> {
    let statuses = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for server in servers.iter().cycle().take(6) {
            scope.spawn(|| {
                for _ in 0..each {
                    let (status, _) = server.create(key);
                    statuses.lock().unwrap().push(status);
                }
            });
        }
    });
    statuses.into_inner().unwrap()
}

fn count(statuses: &[u16], wanted: u16) -> usize {
    statuses.iter().filter(|status| **status == wanted).count()
}

fn fill_the_plan(site: &Site) {
    let key = site.key_of("acme", "Gold");
    let servers = [site.serve(&WITHOUT_LIMITS), site.serve(&WITHOUT_LIMITS)];
    let statuses = answers_of_both(&servers, &key, 5);
    assert_eq!((count(&statuses, 201), count(&statuses, 402)), (5, 25), "{statuses:?}");
    let listed = servers.each_ref().map(|server| server.ask("GET", MODELS, &key, "").1);
    assert_eq!(listed[0], listed[1]);
    assert_eq!(serde_json::from_str::<Value>(&listed[0]).unwrap()["total_results"], 5);
}

fn admit_ten(site: &Site) {
    let key = site.key_of("acme", "Enterprise");
    let options = ["--create-concurrency", "off"];
    let servers = [site.serve(&options), site.serve(&options)];
    let statuses = answers_of_both(&servers, &key, 4);
    assert_eq!((count(&statuses, 201), count(&statuses, 429)), (10, 14), "{statuses:?}");
    // And after a kill.
    drop(servers);
    assert_eq!(site.serve(&options).create(&key).0, 429);
}

/// Creates a model under a key of its own; the status and the body.
fn create_once(address: &str, key: &str, once: &str) -> (u16, String) {
    let authorization = format!("Bearer {key}");
    let headers = [
        ("Authorization", &*authorization),
        ("Content-Type", "application/json"),
        ("Idempotency-Key", once),
    ];
    let (status, _, body) = ask(address, "POST", MODELS, &headers, NAMED);
    (status, body)
}

fn repeat(site: &Site) {
    let key = site.key_of("acme", "Gold");
    let servers = [site.serve(&WITHOUT_LIMITS), site.serve(&WITHOUT_LIMITS)];
    let answers = Mutex::new(BTreeSet::new());
    thread::scope(|scope| {
        for server in servers.iter().cycle().take(8) {
            let address = &server.address;
            scope.spawn(|| {
                let answer = create_once(address, &key, "once");
                answers.lock().unwrap().insert(answer);
            });
        }
    });
    let answers = answers.into_inner().unwrap();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers.first().unwrap().0, 201);
    let listed: Value = serde_json::from_str(&servers[1].ask("GET", MODELS, &key, "").1).unwrap();
    assert_eq!(listed["total_results"], 1);
}

fn share_a_history(site: &Site) {
    let key = site.key_of("acme", "Enterprise");
    let servers = [site.serve(&WITHOUT_LIMITS), site.serve(&WITHOUT_LIMITS)];
    let statuses = answers_of_both(&servers, &key, 15);
    assert_eq!(count(&statuses, 201), 90, "{statuses:?}");
    let path = format!("{MODELS}/events?limit=100");
    let events = servers.each_ref().map(|server| server.ask("GET", &path, &key, "").1);
    assert_eq!(events[0], events[1]);
    let events: Value = serde_json::from_str(&events[0]).unwrap();
    let events = events["result"].as_array().unwrap();
    let positions = events.iter().map(|event| event["position"].as_u64().unwrap());
    assert!(positions.eq(1..=90));
    let models: BTreeSet<_> = events.iter().map(|it| it["model_id"].as_u64().unwrap()).collect();
    assert_eq!(models.len(), 90);
}

/// Five hours of silence, at 8 kHz.
const FIVE_HOURS: &[u8] = include_bytes!("../../../training-data/tests/audio/five-hours.flac");

fn hand_out_trainings(site: &Site) {
    const TRAININGS: usize = 8;
    let key = site.key_of("acme", "Enterprise");
    std::fs::write(site.folder.path().join("a.flac"), FIVE_HOURS).unwrap();
    std::fs::write(site.folder.path().join("a.txt"), "Nothing.").unwrap();
    let mut ids = BTreeSet::new();
    for number in 0..TRAININGS {
        let created = site.run(&["create", "--org", "acme", "--name", "a", "--language", "en"]);
        let id = serde_json::from_str::<Value>(&created).unwrap()["id"].as_u64().unwrap();
        let id_text = id.to_string();
        let files = ["--type", "train", "--audio", "a.flac", "--transcript", "a.txt"];
        let data = ["--org", "acme", "--data", "data"];
        site.run(&[&["data", "add", &id_text], &files[..], &data].concat());
        site.run(&["run", &id_text, "--org", "acme"]);
        assert!(ids.insert(id), "{number}");
    }
    let worker = site.run(&["key", "create", "--org", "acme", "--scope", "training:work"]);
    let servers = [site.serve(&[]), site.serve(&[])];
    let claimed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for server in servers.iter().cycle().take(6) {
            scope.spawn(|| {
                loop {
                    match server.ask("POST", "/api/v3/training/claim", worker.trim(), "{}") {
                        (200, body) => claimed.lock().unwrap().push(body),
                        (status, body) => {
                            assert_eq!((status, &*body), (204, ""));
                            break;
                        }
                    }
                }
            });
        }
    });
    let claimed: Vec<Value> = claimed
        .into_inner()
        .unwrap()
        .iter()
        .map(|body| serde_json::from_str(body).unwrap())
        .collect();
    assert_eq!(claimed.len(), TRAININGS, "{claimed:?}");
    let models = claimed.iter().map(|it| it["model"]["id"].as_u64().unwrap());
    assert_eq!(models.collect::<BTreeSet<_>>(), ids);
    for server in &servers {
        let running = server.ask("GET", &format!("{MODELS}?status=3"), &key, "").1;
        let running: Value = serde_json::from_str(&running).unwrap();
        assert_eq!(running["total_results"], TRAININGS);
    }
}

/// Clients who are told 503, or whose connection is refused or cut, send the same again to whoever
/// serves.
fn check(site: &Site) {
    let url = site.server.url(&site.database);
    let (files, data) = (site.folder.path(), ["--store", &url, "--data", "data"]);
    for command in ["check", "list", "events"] {
        let missing = site.folder.run(&[&data[..], &[command, "--org", "acme"]].concat());
        assert_eq!(missing.code, 3, "{command}: {}", missing.err);
        let named = format!("there is no store: the database '{}'", site.database);
        assert!(missing.err.contains(&named), "{command}: {}", missing.err);
    }
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'custom_models'";
    assert_eq!(site.server.sql(&site.database, tables), "0");
    std::fs::write(files.join("a.flac"), FIVE_HOURS).unwrap();
    std::fs::write(files.join("a.txt"), "Nothing.").unwrap();
    for arguments in [
        &["org", "add", "acme", "--plan", "Gold"][..],
        &["create", "--org", "acme", "--name", "n", "--language", "nl"],
        &[
            "data",
            "add",
            "1",
            "--org",
            "acme",
            "--type",
            "train",
            "--audio",
            "a.flac",
            "--transcript",
            "a.txt",
        ],
        &["check"],
    ] {
        let done = site.folder.run(&[&data[..], arguments].concat());
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.err);
    }
    let unnamed = site.folder.run(&["--store", &url, "check"]);
    assert_eq!(unnamed.code, 1, "{}", unnamed.err);
    assert!(unnamed.err.starts_with("1 models have training data"), "{}", unnamed.err);
    assert!(unnamed.err.contains("--data"), "{}", unnamed.err);
}

fn rolling_restart(site: &Site) {
    const CLIENTS: usize = 4;
    const EACH: usize = 30;
    let key = site.key_of("acme", "Enterprise");
    let servers: [_; 2] = [(); 2].map(|()| RwLock::new(site.serve(&WITHOUT_LIMITS)));
    let created = AtomicUsize::new(0);
    let ids = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (servers, key, ids, created) = (&servers, &key, &ids, &created);
            scope.spawn(move || {
                for number in 0..EACH {
                    let once = format!("{client}-{number}");
                    let id = created_somewhere(servers, key, &once, client + number);
                    ids.lock().unwrap().push(id);
                    created.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for (turn, server) in servers.iter().enumerate() {
            while created.load(Ordering::SeqCst) < (turn + 1) * CLIENTS * EACH / 4 {
                thread::yield_now();
            }
            let next = site.serve(&WITHOUT_LIMITS);
            let old = std::mem::replace(&mut *server.write().unwrap(), next);
            assert_eq!(old.terminate().0, Some(0));
        }
    });
    let ids = ids.into_inner().unwrap();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), CLIENTS * EACH);
    let listed = servers[0].read().unwrap().ask("GET", MODELS, &key, "").1;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["total_results"], CLIENTS * EACH);
}

fn created_somewhere(servers: &[RwLock<Serving>; 2], key: &str, once: &str, begin: usize) -> u64 {
    (begin..)
        .find_map(|turn| {
            let address = servers[turn % 2].read().unwrap().address.clone();
            // Who is gone, and who cuts a connection, has given no answer.
            match try_to_create(&address, key, once).ok().flatten()? {
                (201, body) => serde_json::from_str::<Value>(&body).unwrap()["id"].as_u64(),
                (503, _) => None,
                (status, body) => panic!("{status}: {body}"),
            }
        })
        .unwrap()
}

/// The status and the body, if the answer is whole.
fn try_to_create(address: &str, key: &str, once: &str) -> io::Result<Option<(u16, String)>> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "POST {MODELS} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
        Authorization: Bearer {key}\r\nContent-Type: application/json\r\n\
        Idempotency-Key: {once}\r\nContent-Length: {}\r\n\r\n{NAMED}",
        NAMED.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let whole = answer.split_once("\r\n\r\n").filter(|(_, body)| !body.is_empty());
    Ok(whole
        .map(|(head, body)| (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())))
}
