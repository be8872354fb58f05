//! DRY over HTTP: requests that are only validated.

use crate::support::{CREATED, MODELS, NAMED, Server};

fn dry() -> String {
    format!("{MODELS}?validate_only=true")
}

#[test]
fn dry_1_a_validation_refuses_what_a_create_refuses_and_creates_nothing() {
    let server = Server::new();
    let key = server.any_key();
    let valid = server.post(&key, &dry(), NAMED);
    valid.is(200, r#"{"valid":true,"current_models":0,"plan_limit":5}"#).has_no("etag");
    for body in ["{}", "[", "", r#"{"language":"xx","name":""}"#] {
        let real = server.create(&key, body);
        assert_eq!(real.status, 400);
        server.post(&key, &dry(), body).is(400, &real.body);
    }
    let untyped = server.request("POST", &dry(), &[("Authorization", &key)], NAMED);
    untyped.refuses(415, "UNSUPPORTED_MEDIA_TYPE");
    server.create(&key, NAMED).is(201, CREATED);
    for _ in 0..4 {
        server.create(&key, NAMED);
    }
    let real = server.create(&key, NAMED);
    assert_eq!(real.status, 402);
    server.post(&key, &dry(), NAMED).is(402, &real.body);
    server.register("big", "Enterprise");
    let big = server.key(2, "big", &custom_models_core::access::Scope::ALL);
    server
        .post(&big, &dry(), NAMED)
        .is(200, r#"{"valid":true,"current_models":0,"plan_limit":null}"#);
}

#[test]
fn dry_1_counts_towards_the_window_like_any_create() {
    let server = Server::limited("2/1h", 3);
    let key = server.any_key();
    server.post(&key, &dry(), NAMED).has("x-ratelimit-remaining", "1");
    server.post(&key, &dry(), "{}").has("x-ratelimit-remaining", "0");
    server.post(&key, &dry(), NAMED).refuses(429, "RATE_LIMIT_EXCEEDED");
}

#[test]
fn dry_1_a_parameter_other_than_true_or_false_is_listed_with_all_other_violations() {
    let server = Server::new();
    let key = server.any_key();
    for (query, message) in [
        ("validate_only=", "Validate only must be true or false"),
        ("validate_only=1", "Validate only must be true or false"),
        ("validate_only=TRUE", "Validate only must be true or false"),
        ("validate_only=true&validate_only=true", "Validate only is given more than once"),
    ] {
        server.post(&key, &format!("{MODELS}?{query}"), r#"{"name":"n"}"#).is(
            400,
            &format!(
                r#"{{"error":"Validation Error","message":"Invalid field values","details":{{"language":"Language is required","validate_only":"{message}"}}}}"#
            ),
        );
    }
    let query = "?validate%5Fonly=false";
    server.post(&key, &format!("{MODELS}{query}"), NAMED).is(201, CREATED);
}

#[test]
fn dry_1_an_idempotency_key_is_not_used() {
    let server = Server::new();
    let key = server.any_key();
    let named = [("Idempotency-Key", "k")];
    server.post_with(&key, &dry(), &named, NAMED);
    let created = server.post_with(&key, MODELS, &named, NAMED);
    created.is(201, CREATED).has_no("idempotency-replayed");
    server
        .post_with(&key, &dry(), &named, NAMED)
        .is(200, r#"{"valid":true,"current_models":1,"plan_limit":5}"#);
}
