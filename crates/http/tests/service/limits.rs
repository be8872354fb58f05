//! RATE over HTTP: windows and places.

use std::num::NonZeroU32;
use std::sync::mpsc::channel;
use std::thread;

use custom_models_core::access::{Limits, Operation, OperationLimit};
use custom_models_http::Options;

use crate::support::{Behaviour, CREATED, MODELS, NAMED, NOW, Server, head};

#[test]
fn rate_1_and_rate_5_ten_creates_in_any_hour_and_one_more_after_retry_after() {
    let limit = OperationLimit { at_once: None, ..OperationLimit::CREATE };
    let limits = Limits::NONE.with(Operation::Create, limit);
    let server = Server::start(limits, Options::default());
    let key = server.any_key();
    let admitted =
        |count| (0..count).for_each(|_| assert_ne!(server.create(&key, NAMED).status, 429));
    let refused = |retry_after| {
        server
            .create(&key, NAMED)
            .refuses(429, "RATE_LIMIT_EXCEEDED")
            .has("retry-after", retry_after);
    };
    admitted(1);
    server.advance(600_000);
    admitted(9);
    refused("3000");
    server.advance(2_999_999);
    refused("1");
    server.advance(1);
    admitted(1);
    refused("600");
}

#[test]
fn rate_5_and_wire_429_every_response_after_the_window_shows_it() {
    let server = Server::limited("4/1h", 3);
    let key = server.any_key();
    let reset = (NOW + 3600).to_string();
    let stands = |answer: &crate::support::Answer, remaining: &str| {
        answer
            .has("x-ratelimit-limit", "4")
            .has("x-ratelimit-remaining", remaining)
            .has("x-ratelimit-reset", &reset);
    };
    stands(server.create(&key, NAMED).is(201, CREATED), "3");
    let bad = server.create(&key, "[]");
    assert_eq!(bad.status, 400);
    stands(&bad, "2");
    let untyped = server.request("POST", MODELS, &[("Authorization", &key)], NAMED);
    assert_eq!(untyped.status, 415);
    stands(&untyped, "1");
    let long = server.create(&key, &" ".repeat(65537));
    assert_eq!(long.status, 413);
    stands(&long, "0");
    let refused = server.create(&key, NAMED);
    refused.is(
        429,
        r#"{"error":"Too Many Requests","message":"Request limit reached","error_code":"RATE_LIMIT_EXCEEDED","details":{"limit":4,"retry_after":3600}}"#,
    );
    stands(&refused, "0");
    refused.has("retry-after", "3600");
    // Before the window nothing is said of it, and other operations have none.
    server.create("Bearer x", NAMED).has_no("x-ratelimit-limit");
    server.get(&key, MODELS).has_no("x-ratelimit-limit");
}

#[test]
fn rate_3_every_admitted_create_counts_and_no_refused_one_does() {
    let server = Server::limited("3/1h", 3);
    let key = server.any_key();
    let reader = server.key(2, "acme", &[custom_models_core::access::Scope::Read]);
    assert_eq!(server.create(&reader, NAMED).status, 403);
    assert_eq!(server.create("Bearer x", NAMED).status, 401);
    let statuses: Vec<u16> =
        ["[", NAMED, NAMED, NAMED, NAMED].map(|body| server.create(&key, body).status).into();
    assert_eq!(statuses, [400, 201, 201, 429, 429]);
}

#[test]
fn rate_2_and_wire_429_the_fourth_of_three_at_a_time_is_refused_and_a_sent_response_frees_its_place()
 {
    let server = Server::limited("100/1h", 3);
    let key = server.any_key();
    server.store.behave(Behaviour::Holds);
    thread::scope(|scope| {
        let at_work: Vec<_> = (0..3).map(|_| scope.spawn(|| server.create(&key, NAMED))).collect();
        server.store.wait_for_held_writes(3);
        let refused = server.create(&key, NAMED);
        refused.is(
            429,
            r#"{"error":"Too Many Requests","message":"Too many requests at a time","error_code":"CONCURRENCY_LIMIT_EXCEEDED","details":{"at_once":3}}"#,
        );
        // Those at work count with their changes, which are not made yet.
        refused.has("retry-after", "1").has("x-ratelimit-remaining", "100");
        server.store.behave(Behaviour::Works);
        for answer in at_work {
            assert_eq!(answer.join().unwrap().status, 201);
        }
    });
    assert_eq!(server.create(&key, NAMED).status, 201);
}

/// The place is taken before the body is read, and is free once the client is gone.
#[test]
fn rate_2_a_client_that_leaves_frees_its_place() {
    let server = Server::limited("100/1h", 1);
    let key = server.any_key();
    let headers = [("Authorization", &*key), ("Content-Type", "application/json")];
    let mut client = server.connect();
    client.write(head(
        "POST",
        MODELS,
        &[headers[0], headers[1], ("Expect", "100-continue")],
        Some(9),
    ));
    // The server asks for the body: it has the place by now.
    assert_eq!(client.answer().status, 100);
    server.create(&key, NAMED).refuses(429, "CONCURRENCY_LIMIT_EXCEEDED");
    drop(client);
    let answered = std::iter::repeat_with(|| server.create(&key, NAMED).status);
    assert_eq!(answered.take(10_000).find(|status| *status != 429), Some(201));
}

/// A read whose client is gone may go on in the store, without a place.
#[test]
fn rate_2_a_client_that_leaves_a_read_frees_its_place() {
    let limit = OperationLimit { requests: None, at_once: NonZeroU32::new(1) };
    let limits = Limits::NONE.with(Operation::Get, limit);
    let server = Server::start(limits, Options::default());
    let key = server.any_key();
    let get = || server.request("GET", &format!("{MODELS}/1"), &[("Authorization", &key)], "");
    assert_eq!(get().status, 404);
    let (begun, has_begun) = channel();
    let (end, may_end) = channel::<()>();
    server.store.before_get(move || {
        begun.send(()).unwrap();
        let _ = may_end.recv();
    });
    let mut client = server.connect();
    client.write(head("GET", &format!("{MODELS}/1"), &[("Authorization", &*key)], None));
    has_begun.recv().unwrap();
    get().refuses(429, "CONCURRENCY_LIMIT_EXCEEDED");
    drop(client);
    let answered = std::iter::repeat_with(|| get().status);
    assert_eq!(answered.take(10_000).find(|status| *status != 429), Some(404));
    drop(end);
}
