//! ORDER: of two refusals that a request deserves, the first is sent. There is a test for each adjacent pair.

use custom_models_core::access::{Limits, Operation, OperationLimit, Scope};
use custom_models_http::Options;

use crate::support::{Behaviour, MODELS, NAMED, Server};

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Starts a server that takes one request an hour of each of some operations.
fn limited_once<const COUNT: usize>(operations: [Operation; COUNT]) -> Server {
    let limit = OperationLimit { requests: Some("1/1h".parse().unwrap()), at_once: None };
    let limits = operations
        .into_iter()
        .fold(Limits::NONE, |limits, operation| limits.with(operation, limit));
    Server::start(limits, Options::default())
}

#[test]
fn order_route_before_key() {
    let server = Server::new();
    server.request("GET", "/nowhere", &[], "").refuses(404, "ROUTE_NOT_FOUND");
    server.request("PUT", MODELS, &[], "").refuses(405, "METHOD_NOT_ALLOWED");
}

#[test]
fn order_key_before_scope() {
    let server = Server::new();
    let key = server.key(1, "acme", &[]);
    assert_eq!(server.create(&key, NAMED).status, 403);
    server.revoke(1);
    assert_eq!(server.create(&key, NAMED).status, 401);
}

#[test]
fn order_scope_before_places() {
    let server = Server::limited("100/1h", 1);
    let key = server.any_key();
    server.store.behave(Behaviour::Holds);
    std::thread::scope(|scope| {
        let at_work = scope.spawn(|| server.create(&key, NAMED));
        server.store.wait_for_held_writes(1);
        server.create(&key, NAMED).refuses(429, "CONCURRENCY_LIMIT_EXCEEDED");
        server.store.lose_scopes();
        server.create(&key, NAMED).refuses(403, "INSUFFICIENT_SCOPE");
        server.store.behave(Behaviour::Works);
        assert_eq!(at_work.join().unwrap().status, 201);
    });
}

#[test]
fn order_places_before_the_window() {
    let server = Server::limited("1/1h", 1);
    let key = server.any_key();
    server.store.behave(Behaviour::Holds);
    std::thread::scope(|scope| {
        let at_work = scope.spawn(|| server.create(&key, NAMED));
        server.store.wait_for_held_writes(1);
        server.create(&key, NAMED).refuses(429, "CONCURRENCY_LIMIT_EXCEEDED");
        server.store.behave(Behaviour::Works);
        assert_eq!(at_work.join().unwrap().status, 201);
    });
    server.create(&key, NAMED).refuses(429, "RATE_LIMIT_EXCEEDED");
}

#[test]
fn order_the_window_before_the_content_type() {
    let server = Server::limited("1/1h", 3);
    let key = server.any_key();
    let post = || server.request("POST", MODELS, &[("Authorization", &key)], "");
    assert_eq!(post().status, 415);
    post().refuses(429, "RATE_LIMIT_EXCEEDED");
}

#[test]
fn order_the_window_before_the_model() {
    let server = limited_once([Operation::Get, Operation::Delete]);
    let key = server.any_key();
    for method in ["GET", "DELETE"] {
        let ask = || {
            let path = format!("{MODELS}/7");
            server.request(method, &path, &[("Authorization", &key)], "")
        };
        ask().refuses(404, "MODEL_NOT_FOUND");
        ask().refuses(429, "RATE_LIMIT_EXCEEDED");
    }
}

#[test]
fn order_the_window_before_the_parameters() {
    let server = limited_once([Operation::List]);
    let key = server.any_key();
    let list = || server.get(&key, &format!("{MODELS}?page=0"));
    assert_eq!(list().status, 400);
    list().refuses(429, "RATE_LIMIT_EXCEEDED");
}

#[test]
fn order_the_content_type_before_the_length() {
    let server = Server::new();
    let key = server.any_key();
    let long = " ".repeat(65537);
    let answer = server.request("POST", MODELS, &[("Authorization", &key)], &long);
    assert_eq!(answer.status, 415);
    assert_eq!(server.create(&key, &long).status, 413);
}

#[test]
fn order_the_length_before_the_body() {
    let server = Server::new();
    let key = server.any_key();
    assert_eq!(server.create(&key, &"[".repeat(65537)).status, 413);
    assert_eq!(server.create(&key, &"[".repeat(65536)).status, 400);
}

#[test]
fn order_the_body_before_the_quota() {
    let server = Server::new();
    let key = server.any_key();
    for _ in 0..5 {
        assert_eq!(server.create(&key, NAMED).status, 201);
    }
    assert_eq!(server.create(&key, "[").status, 400);
    assert_eq!(server.create(&key, NAMED).status, 402);
}

#[test]
fn order_places_before_the_replay_and_the_replay_before_the_window() {
    let server = Server::limited("2/1h", 1);
    let key = server.any_key();
    let named = [("Idempotency-Key", "k")];
    let again = |body: &str| server.post_with(&key, MODELS, &named, body);
    assert_eq!(again(NAMED).status, 201);
    server.store.behave(Behaviour::Holds);
    std::thread::scope(|scope| {
        let at_work = scope.spawn(|| server.create(&key, NAMED));
        server.store.wait_for_held_writes(1);
        again(NAMED).refuses(429, "CONCURRENCY_LIMIT_EXCEEDED");
        again("{}").refuses(429, "CONCURRENCY_LIMIT_EXCEEDED");
        server.store.behave(Behaviour::Works);
        assert_eq!(at_work.join().unwrap().status, 201);
    });
    server.create(&key, NAMED).refuses(429, "RATE_LIMIT_EXCEEDED");
    assert_eq!(again(NAMED).status, 201);
    again("{}").refuses(422, "IDEMPOTENCY_KEY_REUSED");
    // A repeat needs no content type, for its body is not judged again.
    let untyped = [("Authorization", &*key), named[0]];
    assert_eq!(server.request("POST", MODELS, &untyped, NAMED).status, 201);
}

#[test]
fn order_the_model_before_its_state_and_its_state_before_its_revision() {
    let server = Server::new();
    let key = server.any_key();
    let others = server.key(2, "other", &Scope::ALL);
    let path = server.running_model(&key, 1);
    let stale = ("If-Match", "\"1\"");
    for (method, path) in [("POST", format!("{path}/run")), ("DELETE", path)] {
        let send =
            |key: &str| server.request(method, &path, &[("Authorization", key), JSON, stale], "{}");
        send(&others).refuses(404, "MODEL_NOT_FOUND");
        send(&key).refuses(409, "TRAINING_IN_PROGRESS");
    }
    server.post(&others, "/api/v3/training/1/heartbeat", "{}").refuses(404, "MODEL_NOT_FOUND");
    let ready = server.ready_model(&key, 2);
    let stale = [("Authorization", &*key), JSON, stale];
    let cancel = server.request("POST", &format!("{ready}/cancel"), &stale, "");
    cancel.refuses(409, "TRAINING_NOT_RUNNING");
    for report in ["heartbeat", "succeed", "fail"] {
        let report = format!("/api/v3/training/2/{report}");
        server.request("POST", &report, &stale, "{}").refuses(409, "LEASE_LOST");
    }
}

#[test]
fn order_the_revision_before_the_content_type_and_both_before_the_body() {
    let server = Server::new();
    let key = server.any_key();
    let ready = server.ready_model(&key, 1);
    let running = server.running_model(&key, 2);
    let work = |below: &str| running.replace("custom_models", "training") + below;
    let key = ("Authorization", &*key);
    for path in
        [ready.clone(), format!("{ready}/run"), work("/heartbeat"), work("/succeed"), work("/fail")]
    {
        let send =
            |headers: &[(&str, &str)], body: &str| server.request("POST", &path, headers, body);
        let long = " ".repeat(65537);
        send(&[key, ("If-Match", "\"1\"")], "{").refuses(412, "PRECONDITION_FAILED");
        send(&[key, ("If-Match", "*")], &long).refuses(415, "UNSUPPORTED_MEDIA_TYPE");
        send(&[key, JSON], &long).refuses(413, "PAYLOAD_TOO_LARGE");
        assert_eq!(send(&[key, JSON], "{").status, 400, "{path}");
    }
}

/// A refusal that does not need the body is sent although the body never arrives.
#[test]
fn order_early_refusals_do_not_wait_for_the_body() {
    let server = Server::limited("1/1h", 1);
    let key = server.any_key();
    let reader = server.key(2, "acme", &[Scope::Read]);
    let head = |headers: &[(&str, &str)], length| {
        let mut client = server.connect();
        client.write(crate::support::head("POST", MODELS, headers, Some(length)));
        client.answer().status
    };
    assert_eq!(head(&[JSON], 100), 401);
    assert_eq!(head(&[JSON, ("Authorization", &reader)], 100), 403);
    assert_eq!(head(&[("Authorization", &key)], 100), 415);
    assert_eq!(head(&[JSON, ("Authorization", &key)], 100), 429);
    assert_eq!(head(&[JSON, ("Authorization", "Bearer x")], 1 << 40), 401);
    let update = |path: &str, headers: &[(&str, &str)]| {
        let mut client = server.connect();
        client.write(crate::support::head("POST", path, headers, Some(100)));
        client.answer().status
    };
    let missing = format!("{MODELS}/1");
    assert_eq!(update(&missing, &[JSON, ("Authorization", &key)]), 404);
    let server = Server::new();
    let key = server.any_key();
    let running = server.running_model(&key, 1);
    let run = format!("{running}/run");
    for (path, headers, status) in [
        (&run, vec![JSON, ("Idempotency-Key", "k")], 409),
        (&running, vec![JSON, ("If-Match", "\"1\"")], 412),
        (&running, vec![], 415),
    ] {
        let mut client = server.connect();
        let headers = [headers, vec![("Authorization", &*key)]].concat();
        client.write(crate::support::head("POST", path, &headers, Some(100)));
        assert_eq!(client.answer().status, status);
    }
}
