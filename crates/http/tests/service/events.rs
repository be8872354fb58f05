//! LOG over HTTP: the history, and waiting for it.

use std::thread;
use std::time::Duration;

use custom_models_core::access::{Limits, Scope};
use custom_models_core::store::{ModelStore, Purge, StoreErrorKind};
use custom_models_core::{Caller, CreateModel, Plan};
use custom_models_http::Options;

use crate::support::{MODELS, NAMED, Server, head};

fn events(query: &str) -> String {
    format!("{MODELS}/events{query}")
}

/// Returns the event of a create by the first key.
fn created(position: u64) -> String {
    let actor = custom_models_core::access::KeyId::from_bytes([1; 6]);
    format!(
        r#"{{"position":{position},"created_at":"2023-11-14T22:13:20Z","model_id":{position},"actor":"{actor}","type":"created"}}"#
    )
}

fn list(last: u64, shown: &[String]) -> String {
    let count = shown.len();
    format!(r#"{{"count":{count},"last_position":{last},"result":[{}]}}"#, shown.join(","))
}

/// Starts a server in which a waiting request does not poll within a test.
fn patient() -> Server {
    let mut options = Options::default();
    options.events_poll = Duration::from_secs(3600);
    Server::start(Limits::NONE, options)
}

#[test]
fn log_1_the_history_is_read_from_a_position_onwards() {
    let server = Server::new();
    let key = server.any_key();
    server.get(&key, &events("")).is(200, &list(0, &[]));
    (0..3).for_each(|_| assert_eq!(server.create(&key, NAMED).status, 201));
    server.get(&key, &events("")).is(200, &list(3, &[created(1), created(2), created(3)]));
    server.get(&key, &events("?after=1&limit=1")).is(200, &list(3, &[created(2)]));
    server.get(&key, &events("?after=3")).is(200, &list(3, &[]));
    let other = server.key(2, "other", &[Scope::Read]);
    server.get(&other, &events("")).is(200, &list(0, &[]));
    let writer = server.key(3, "acme", &[Scope::Write, Scope::TrainingWork]);
    server.get(&writer, &events("")).refuses(403, "INSUFFICIENT_SCOPE");
}

#[test]
fn log_1_every_change_has_its_event_by_whoever_made_it() {
    let server = Server::new();
    let key = server.any_key();
    let worker = server.key(2, "acme", &[Scope::TrainingWork]);
    let path = server.running_model(&key, 1);
    server.post(&key, &path, r#"{"name":"m"}"#);
    server.post(&worker, "/api/v3/training/claim", "{}");
    for progress in [0, 5, 5] {
        let beat = format!(r#"{{"fence":1,"training_progress":{progress}}}"#);
        server.post(&worker, "/api/v3/training/1/heartbeat", &beat);
    }
    server.post(&worker, "/api/v3/training/1/fail", r#"{"fence":1,"error":"e"}"#);
    server.post(&key, &format!("{path}/run"), "{}");
    server.post(&key, &format!("{path}/cancel"), "");
    server.request("DELETE", &path, &[("Authorization", &key)], "");
    let body = server.get(&key, &events("?after=3")).body;
    let shown = |number: u8| custom_models_core::access::KeyId::from_bytes([number; 6]).to_string();
    let (key, worker) = (shown(1), shown(2));
    let changes = [
        (&key, r#""training_started"}"#),
        (&key, r#""updated"}"#),
        (&worker, r#""training_progressed","training_progress":5}"#),
        (&worker, r#""training_failed","error":"e"}"#),
        (&key, r#""training_started"}"#),
        (&key, r#""training_cancelled"}"#),
        (&key, r#""deleted"}"#),
    ];
    let expected: Vec<String> = changes
        .iter()
        .zip(4..)
        .map(|((actor, change), position)| {
            format!(
                r#"{{"position":{position},"created_at":"2023-11-14T22:13:20Z","model_id":1,"actor":"{actor}","type":{change}"#
            )
        })
        .collect();
    assert_eq!(body, list(10, &expected));
}

#[test]
fn log_1_all_violations_of_the_query_are_listed() {
    let server = Server::new();
    let key = server.any_key();
    server.get(&key, &events("?after=-1&limit=101&wait=31")).is(
        400,
        r#"{"error":"Validation Error","message":"Invalid field values","details":{"after":"After must be an integer of at least 0","limit":"Limit must be an integer from 1 to 100","wait":"Wait must be an integer from 0 to 30"}}"#,
    );
    server.get(&key, &events("?wait=30&wait=30&limit=0")).is(
        400,
        r#"{"error":"Validation Error","message":"Invalid field values","details":{"limit":"Limit must be an integer from 1 to 100","wait":"Wait is given more than once"}}"#,
    );
    server.request("POST", &events(""), &[], "").refuses(405, "METHOD_NOT_ALLOWED");
}

#[test]
fn log_1_a_position_before_the_first_event_that_is_kept_is_a_410() {
    let server = Server::new();
    let key = server.any_key();
    server.create(&key, NAMED);
    server.pass(10);
    server.create(&key, NAMED);
    let now = custom_models_core::time::Timestamp::from_unix_seconds(1_700_000_010).unwrap();
    let purge = Purge {
        events_before: Some(now),
        idempotency_until: custom_models_core::time::UnixMillis::from_unix_millis(0),
        limit: 9,
    };
    custom_models_core::store::ModelStore::purge(&*server.store, purge).unwrap();
    server.get(&key, &events("")).is(
        410,
        r#"{"error":"Gone","message":"Events behind this position are not kept any more","error_code":"EVENTS_EXPIRED","details":{"first_position":2}}"#,
    );
    assert_eq!(server.get(&key, &events("?after=1")).status, 200);
}

#[test]
fn log_1_a_waiting_request_is_notified_of_events_of_its_organisation_alone() {
    let server = patient();
    let key = server.any_key();
    let other = server.key(2, "other", &Scope::ALL);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| server.get(&key, &events("?wait=30")));
        server.store.wait_for_event_reads(2);
        assert_eq!(server.create(&other, NAMED).status, 201);
        assert_eq!(server.create(&other, NAMED).status, 201);
        server.store.wait_for_event_reads(2);
        assert_eq!(server.create(&key, NAMED).status, 201);
        let body = list(1, &[created(1).replace(r#""model_id":1"#, r#""model_id":3"#)]);
        waiting.join().unwrap().is(200, &body);
    });
    // The first read, the one before the wait, and the one that found the event.
    assert_eq!(server.store.event_reads(), 3);
}

#[test]
fn log_1_every_kind_of_change_notifies_waiting_requests() {
    let server = patient();
    let key = server.any_key();
    let path = server.ready_model(&key, 1);
    let delete = || server.request("DELETE", &path, &[("Authorization", &key)], "");
    let training = "/api/v3/training";
    let run = || server.post(&key, &format!("{path}/run"), "{}");
    let changes: [(&str, &(dyn Fn() -> crate::support::Answer + Sync)); 7] = [
        ("updated", &|| server.post(&key, &path, r#"{"name":"m"}"#)),
        ("training_started", &run),
        ("training_progressed", &|| {
            server.post(&key, &format!("{training}/claim"), "{}");
            let beat = r#"{"fence":1,"training_progress":1}"#;
            server.post(&key, &format!("{training}/1/heartbeat"), beat)
        }),
        ("training_failed", &|| {
            server.pass(60);
            server.post(&key, &format!("{training}/claim"), "{}");
            server.pass(60);
            server.post(&key, &format!("{training}/claim"), "{}");
            server.pass(60);
            server.post(&key, &format!("{training}/claim"), "{}")
        }),
        ("training_started", &run),
        ("training_cancelled", &|| server.post(&key, &format!("{path}/cancel"), "")),
        ("deleted", &delete),
    ];
    for ((name, change), position) in changes.into_iter().zip(3..) {
        let looks = server.store.event_reads();
        thread::scope(|scope| {
            let waiting =
                scope.spawn(|| server.get(&key, &events(&format!("?after={position}&wait=30"))));
            server.store.wait_for_event_reads(looks + 2);
            assert!(change().status < 300, "{name}");
            let heard = waiting.join().unwrap();
            assert!(heard.body.contains(&format!(r#""type":"{name}""#)), "{name}: {heard:?}");
        });
    }
}

#[test]
fn log_1_a_waiting_request_finds_the_events_of_other_processes() {
    let mut options = Options::default();
    options.events_poll = Duration::from_millis(1);
    let server = Server::start(Limits::NONE, options);
    let key = server.any_key();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| server.get(&key, &events("?wait=30")));
        server.store.wait_for_event_reads(3);
        let caller = Caller::new("acme".parse().unwrap(), Plan::gold());
        let request = CreateModel::from_json(NAMED.as_bytes()).unwrap();
        server.engine.create(&caller, request).unwrap();
        let heard = waiting.join().unwrap();
        assert!(heard.body.contains(r#""actor":"host""#), "{heard:?}");
    });
}

#[test]
fn log_1_a_wait_without_an_event_ends_with_an_empty_list() {
    let server = patient();
    let key = server.any_key();
    server.get(&key, &events("?wait=1")).is(200, &list(0, &[]));
    // The first read, and the one before the wait.
    assert_eq!(server.store.event_reads(), 2);
}

#[test]
fn log_1_a_shutdown_answers_waiting_requests() {
    let server = patient();
    let key = server.any_key();
    let mut client = server.connect();
    client.write(head("GET", &events("?wait=30"), &[("Authorization", &key)], None));
    server.store.wait_for_event_reads(2);
    assert!(server.ended(), "everything ended in time");
    client.answer().is(200, &list(0, &[]));
}

#[test]
fn log_1_the_number_of_waiting_requests_is_limited_and_one_that_leaves_makes_room() {
    let mut options = Options::default();
    options.events_poll = Duration::from_secs(3600);
    options.waiters = 1;
    let server = Server::start(Limits::NONE, options);
    let key = server.any_key();
    let mut client = server.connect();
    client.write(head("GET", &events("?wait=30"), &[("Authorization", &key)], None));
    server.store.wait_for_event_reads(2);
    let refused = server.get(&key, &events("?wait=30"));
    refused.refuses(503, "SHARE_EXCEEDED").has("retry-after", "1");
    server.get(&key, &events("")).is(200, &list(0, &[]));
    drop(client);
    let answered = std::iter::repeat_with(|| server.get(&key, &events("?wait=1")).status);
    assert_eq!(answered.take(10_000).find(|status| *status != 503), Some(200));
}

#[test]
fn log_1_a_store_that_fails_during_a_wait_is_an_error() {
    let mut options = Options::default();
    options.events_poll = Duration::from_millis(1);
    let server = Server::start(Limits::NONE, options);
    let key = server.any_key();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| server.get(&key, &events("?wait=30")));
        server.store.wait_for_event_reads(2);
        server.store.close().unwrap();
        let kind = StoreErrorKind::Closed;
        let status = custom_models_core::Refusal::Store(kind.into()).status();
        waiting.join().unwrap().refuses(status, "STORE_UNAVAILABLE");
    });
}
