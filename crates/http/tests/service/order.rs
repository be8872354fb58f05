//! ORDER: of two refusals that a request deserves, the first answers. A test for each adjacent pair.

use custom_models_core::Scope;

use crate::support::{MODELS, Mood, NAMED, Server};

const JSON: (&str, &str) = ("Content-Type", "application/json");

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
    assert_eq!(server.create(&key[..key.len() - 1], NAMED).status, 401);
    assert_eq!(server.create(&key, NAMED).status, 403);
}

#[test]
fn order_scope_before_places() {
    let server = Server::limited("100/1h", 1);
    let key = server.any_key();
    let reader = server.key(2, "acme", &[Scope::Read]);
    server.store.mood(Mood::Holds);
    std::thread::scope(|scope| {
        let at_work = scope.spawn(|| server.create(&key, NAMED));
        server.store.wait_for(1);
        assert_eq!(server.create(&reader, NAMED).status, 403);
        server.store.mood(Mood::Works);
        assert_eq!(at_work.join().unwrap().status, 201);
    });
}

#[test]
fn order_places_before_the_window() {
    let server = Server::limited("1/1h", 1);
    let key = server.any_key();
    server.store.mood(Mood::Holds);
    std::thread::scope(|scope| {
        let at_work = scope.spawn(|| server.create(&key, NAMED));
        server.store.wait_for(1);
        server.create(&key, NAMED).refuses(429, "CONCURRENCY_LIMIT_EXCEEDED");
        server.store.mood(Mood::Works);
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
    use custom_models_core::{Limits, Operation, OperationLimit};
    let limit = OperationLimit { requests: Some("1/1h".parse().unwrap()), at_once: None };
    let limits = Limits::NONE.with(Operation::Get, limit);
    let server = Server::start(limits, custom_models_http::Options::default());
    let key = server.any_key();
    assert_eq!(server.get(&key, &format!("{MODELS}/7")).status, 404);
    assert_eq!(server.get(&key, &format!("{MODELS}/7")).status, 429);
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
fn order_the_length_before_the_body_and_the_body_before_the_quota() {
    let server = Server::new();
    let key = server.any_key();
    for _ in 0..5 {
        assert_eq!(server.create(&key, NAMED).status, 201);
    }
    assert_eq!(server.create(&key, &"[".repeat(65537)).status, 413);
    assert_eq!(server.create(&key, "[").status, 400);
    assert_eq!(server.create(&key, NAMED).status, 402);
}

/// What is refused before the body is judged is refused before the body is read: it need never come.
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
}
