//! IDEM over HTTP: requests that are sent again under their key.

use std::thread;

use crate::support::{Answer, Behaviour, CREATED, MODELS, NAMED, Server};

fn create(server: &Server, key: &str, named: &str, body: &str) -> Answer {
    server.post_with(key, MODELS, &[("Idempotency-Key", named)], body)
}

fn count(server: &Server, key: &str) -> String {
    let body = server.get(key, MODELS).body;
    body.split(',').nth(1).unwrap().to_owned()
}

#[test]
fn idem_1_a_repeat_gets_the_first_response_and_changes_nothing() {
    let server = Server::limited("3/1h", 3);
    let key = server.any_key();
    let first = create(&server, &key, "k", NAMED);
    first.is(201, CREATED).has("etag", "\"1\"").has_no("idempotency-replayed");
    server.post(&key, &format!("{MODELS}/1"), r#"{"name":"changed"}"#);
    server.pass(3600 * 24 - 1);
    for _ in 0..5 {
        let again = create(&server, &key, "k", NAMED);
        again.is(201, CREATED).has("etag", "\"1\"").has("idempotency-replayed", "true");
        again.has("x-ratelimit-remaining", "3").has_no("retry-after");
    }
    assert_eq!(count(&server, &key), r#""total_results":1"#);
    let deleted = server.request("DELETE", &format!("{MODELS}/1"), &[("Authorization", &key)], "");
    assert_eq!(deleted.status, 204);
    create(&server, &key, "k", NAMED).is(201, CREATED);
    server.pass(1);
    let new = create(&server, &key, "k", NAMED);
    assert!(new.body.starts_with(r#"{"id":2,"#), "{}", new.body);
    new.has_no("idempotency-replayed").has("x-ratelimit-remaining", "2");
}

#[test]
fn idem_1_and_wire_422_another_body_under_the_same_key_is_refused() {
    let server = Server::limited("3/1h", 3);
    let key = server.any_key();
    create(&server, &key, "k", NAMED).is(201, CREATED);
    let long = " ".repeat(65537);
    for other in [r#"{"name":"m","language":"en"}"#, "{", "", &format!("{NAMED} "), &long] {
        let refused = create(&server, &key, "k", other);
        refused.is(
            422,
            r#"{"error":"Unprocessable Content","message":"Another request was sent under this idempotency key","error_code":"IDEMPOTENCY_KEY_REUSED"}"#,
        );
        refused.has("x-ratelimit-remaining", "2").has_no("idempotency-replayed");
    }
    create(&server, &key, "l", NAMED).has("x-ratelimit-remaining", "1");
}

#[test]
fn idem_1_the_scope_of_a_key_is_organisation_operation_and_model() {
    let server = Server::new();
    let key = server.any_key();
    let other = server.key(2, "other", &custom_models_core::access::Scope::ALL);
    let same = server.key(3, "acme", &custom_models_core::access::Scope::ALL);
    create(&server, &key, "k", NAMED).is(201, CREATED);
    create(&server, &other, "k", NAMED).has_no("idempotency-replayed");
    create(&server, &same, "k", NAMED).is(201, CREATED).has("idempotency-replayed", "true");
    let paths = [server.ready_model(&key, 3), server.ready_model(&key, 4)];
    for path in paths {
        let run =
            server.post_with(&key, &format!("{path}/run"), &[("Idempotency-Key", "k")], NAMED);
        assert_eq!(run.status, 200);
        run.has_no("idempotency-replayed");
    }
}

#[test]
fn idem_1_refusals_are_not_recorded() {
    let server = Server::new();
    let key = server.any_key();
    assert_eq!(create(&server, &key, "k", "{}").status, 400);
    create(&server, &key, "k", NAMED).is(201, CREATED).has_no("idempotency-replayed");
    let path = server.ready_model(&key, 2);
    let run = format!("{path}/run");
    let named = [("Idempotency-Key", "r")];
    assert_eq!(server.post_with(&key, &format!("{MODELS}/1/run"), &named, "{}").status, 409);
    assert_eq!(server.post_with(&key, &run, &named, "[]").status, 400);
    server.post_with(&key, &run, &named, "{}").has_no("idempotency-replayed").has("etag", "\"4\"");
}

#[test]
fn idem_1_a_repeated_run_starts_one_training() {
    let server = Server::new();
    let key = server.any_key();
    let path = server.ready_model(&key, 1);
    let run = |headers: &[(&str, &str)], body: &str| {
        server.post_with(&key, &format!("{path}/run"), headers, body)
    };
    let named = ("Idempotency-Key", "k");
    let first = run(&[named, ("If-Match", "\"3\"")], "{}");
    first.has("etag", "\"4\"").has("retry-after", "30").has_no("idempotency-replayed");
    assert_eq!(first.status, 200);
    server.post(&key, &format!("{path}/cancel"), "");
    // What is expected of the model is not judged again, for it is not written again.
    let again = run(&[named, ("If-Match", "\"3\"")], "{}");
    again.is(200, &first.body).has("etag", "\"4\"").has("idempotency-replayed", "true");
    again.has("retry-after", "30");
    run(&[named], "{ }").refuses(422, "IDEMPOTENCY_KEY_REUSED");
    assert!(server.get(&key, &path).body.contains(r#""training_status":2"#));
}

#[test]
fn idem_1_an_invalid_key_is_listed_with_all_other_violations() {
    let server = Server::new();
    let key = server.any_key();
    let long = "k".repeat(256);
    for wrong in ["", "a b", "é", "\t", &long] {
        create(&server, &key, wrong, r#"{"name":"","language":"en"}"#).is(
            400,
            r#"{"error":"Validation Error","message":"Invalid field values","details":{"name":"Name cannot be empty","idempotency_key":"Idempotency key must be 1 to 255 visible ASCII characters"}}"#,
        );
    }
    let twice = [("Idempotency-Key", "k"), ("Idempotency-Key", "k")];
    let repeated = r#"{"error":"Validation Error","message":"Invalid field values","details":{"idempotency_key":"Idempotency key is given more than once"}}"#;
    server.post_with(&key, MODELS, &twice, NAMED).is(400, repeated);
    let (_, secret) = key.split_once(' ').unwrap();
    let (upper, within) = (secret.to_uppercase(), format!("create-{secret}"));
    for secret in [secret, &upper, &within, &secret[3..], &secret[..60], &within[8..]] {
        create(&server, &key, secret, NAMED).is(
            400,
            r#"{"error":"Validation Error","message":"Invalid field values","details":{"idempotency_key":"Idempotency key must not be an API key"}}"#,
        );
    }
    // As digests of requests are, too.
    assert_eq!(create(&server, &key, &"0123456789abcdef".repeat(4), NAMED).status, 201);
    assert_eq!(create(&server, &key, "01980a1e-7c4f-7f0e-8d3a-5c9e2b7d4f10", NAMED).status, 201);
    assert_eq!(create(&server, &key, &long[1..], NAMED).status, 201);
    let path = server.ready_model(&key, 4);
    server.post_with(&key, &format!("{path}/run"), &twice, "{}").is(400, repeated);
}

#[test]
fn idem_1_of_creates_at_the_same_time_one_is_made_and_the_others_get_its_response() {
    let server = Server::new();
    let key = server.any_key();
    let (server, key) = (&server, &*key);
    server.store.behave(Behaviour::Holds);
    thread::scope(|scope| {
        let send = |body: &'static str| scope.spawn(move || create(server, key, "k", body));
        let first = send(NAMED);
        server.store.wait_for_held_writes(1);
        let repeats = [send(NAMED), send(NAMED)];
        let other = send(r#"{"name":"m","language":"en"}"#);
        server.store.wait_for_held_writes(4);
        server.store.behave(Behaviour::Works);
        let first = first.join().unwrap();
        first.is(201, CREATED).has("etag", "\"1\"").has_no("idempotency-replayed");
        for repeat in repeats {
            let repeat = repeat.join().unwrap();
            repeat.is(201, CREATED).has("etag", "\"1\"").has("idempotency-replayed", "true");
        }
        other.join().unwrap().refuses(422, "IDEMPOTENCY_KEY_REUSED");
    });
    assert_eq!(count(server, key), r#""total_results":1"#);
}

/// The repeat finds no record at first, and then the model as the first request has left it.
#[test]
fn idem_1_the_second_of_two_runs_at_the_same_time_gets_the_response_of_the_first() {
    let server = Server::new();
    let key = server.any_key();
    let run = format!("{}/run", server.ready_model(&key, 1));
    let (first, heard) = std::sync::mpsc::channel();
    let send = |body: &str| server.post_with(&key, &run, &[("Idempotency-Key", "k")], body);
    let mut client = server.connect();
    let head = crate::support::head(
        "POST",
        &run,
        &[("Authorization", &*key), ("Content-Type", "application/json"), ("Idempotency-Key", "k")],
        Some(2),
    );
    let (address, request) = (server.address, format!("{head}{{}}"));
    server.store.before_get(move || {
        let mut inner = crate::support::Client::to(address);
        inner.write(request);
        first.send(inner.answer()).unwrap();
    });
    client.write(head);
    client.write("{}");
    let second = client.answer();
    let first = heard.recv().unwrap();
    assert_eq!(first.status, 200);
    first.has_no("idempotency-replayed");
    second.is(200, &first.body).has("idempotency-replayed", "true").has("etag", "\"4\"");
    send("[]").refuses(422, "IDEMPOTENCY_KEY_REUSED");
}
