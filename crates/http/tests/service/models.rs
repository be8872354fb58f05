//! READ over HTTP: the operations on models with valid requests.

use custom_models_core::access::Scope;

use crate::support::{CREATED, MODELS, NAMED, Server};

#[test]
fn model_5_and_read_4_a_created_model_is_answered_to_the_byte() {
    let server = Server::new();
    let key = server.any_key();
    server.create(&key, NAMED).is(201, CREATED).has_no("x-ratelimit-limit");
    server.get(&key, &format!("{MODELS}/1")).is(200, CREATED);
}

#[test]
fn read_1_a_list_is_a_page_with_its_parameters() {
    let server = Server::new();
    let key = server.any_key();
    server.get(&key, MODELS).is(200, r#"{"count":0,"total_results":0,"result":[]}"#);
    for _ in 0..3 {
        assert_eq!(server.create(&key, NAMED).status, 201);
    }
    let page = server.get(&key, &format!("{MODELS}?per_page=1&page=1&language=%65n"));
    page.is(200, &format!(r#"{{"count":1,"total_results":3,"result":[{CREATED}]}}"#));
    for (query, details) in [
        ("page=0", r#""page":"#),
        ("per_page=101", r#""per_page":"#),
        ("status=6", r#""status":"#),
        ("page=1&page=1", r#""page":"#),
        ("language=%ff", r#""language":"#),
    ] {
        let refused = server.get(&key, &format!("{MODELS}?{query}"));
        assert_eq!(refused.status, 400, "{query}");
        assert!(refused.body.contains(details), "{query}: {}", refused.body);
    }
}

#[test]
fn edit_5_a_delete_has_no_body_and_the_second_finds_nothing() {
    let server = Server::new();
    let key = server.any_key();
    server.create(&key, NAMED);
    let path = format!("{MODELS}/1");
    let deleted = server.request("DELETE", &path, &[("Authorization", &key)], "");
    deleted.is(204, "").has_no("content-type");
    let again = server.request("DELETE", &path, &[("Authorization", &key)], "");
    again.refuses(404, "MODEL_NOT_FOUND");
}

#[test]
fn auth_3_and_read_3_and_wire_404_a_model_of_another_organisation_does_not_exist() {
    let server = Server::new();
    let key = server.any_key();
    let other = server.key(2, "other", &Scope::ALL);
    server.create(&key, NAMED);
    let paths = ["1", "2", "0", "-1", "x", "9007199254740992", "%31%32", "%ff", "%", "1%00", "%2e"];
    let never = server.get(&other, &format!("{MODELS}/2"));
    never.is(
        404,
        r#"{"error":"Not Found","message":"Custom model not found","error_code":"MODEL_NOT_FOUND"}"#,
    );
    for id in paths {
        server.get(&other, &format!("{MODELS}/{id}")).is(404, &never.body);
        let deleted =
            server.request("DELETE", &format!("{MODELS}/{id}"), &[("Authorization", &other)], "");
        deleted.is(404, &never.body);
    }
    server.get(&key, &format!("{MODELS}/%31")).is(200, CREATED);
    server.get(&other, MODELS).is(200, r#"{"count":0,"total_results":0,"result":[]}"#);
}

#[test]
fn read_5_a_key_is_resolved_while_its_models_last_training_ended_well() {
    let server = Server::new();
    let key = server.any_key();
    let path = server.running_model(&key, 1);
    let resolve = |key: &str, name: &str| server.get(key, &format!("{MODELS}/resolve/{name}"));
    let untrained = r#"{"error":"Conflict","message":"The model is not trained","error_code":"MODEL_NOT_TRAINED"}"#;
    resolve(&key, "custom_model_1").is(409, untrained).has_no("etag");
    server.post(&key, "/api/v3/training/claim", "{}");
    let success = r#"{"fence":1,"training_metrics":{}}"#;
    assert_eq!(server.post(&key, "/api/v3/training/1/succeed", success).status, 200);
    let trained = server.get(&key, &path);
    resolve(&key, "custom_model_1").is(200, &trained.body).has("etag", "\"5\"");
    resolve(&key, "custom%5Fmodel_1").is(200, &trained.body);
    let others = server.key(2, "other", &Scope::ALL);
    resolve(&others, "custom_model_1").refuses(404, "MODEL_NOT_FOUND");
    for name in ["1", "custom_model_01", "custom_model_", "Custom_model_1", "run", "%ff"] {
        resolve(&key, name).refuses(404, "MODEL_NOT_FOUND");
    }
    let writer = server.key(3, "acme", &[Scope::Write]);
    resolve(&writer, "custom_model_1").refuses(403, "INSUFFICIENT_SCOPE");
    server.get(&key, &format!("{MODELS}/resolve")).refuses(404, "MODEL_NOT_FOUND");
}

#[test]
fn head_is_get_without_the_body() {
    let server = Server::new();
    let key = server.any_key();
    server.create(&key, NAMED);
    let path = format!("{MODELS}/1");
    let head = server.request("HEAD", &path, &[("Authorization", &key)], "");
    head.is(200, "").has("content-length", &CREATED.len().to_string());
    let head = server.request("HEAD", &path, &[], "");
    head.is(401, "").has("www-authenticate", "Bearer");
}

#[test]
fn health_is_200_and_ready_depends_on_the_store() {
    let server = Server::new();
    server.request("GET", "/health", &[], "").is(200, r#"{"status":"alive"}"#);
    server.request("GET", "/ready", &[], "").is(200, r#"{"status":"ready"}"#);
    custom_models_core::store::ModelStore::close(&*server.store).unwrap();
    server.request("GET", "/health", &[], "").is(200, r#"{"status":"alive"}"#);
    let unready = server.request("GET", "/ready", &[], "");
    unready.refuses(503, "STORE_UNAVAILABLE").has("retry-after", "1");
}
