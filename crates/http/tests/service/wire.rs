//! Section 6: refusals with their bodies and headers.

use custom_models_core::access::Scope;
use custom_models_core::store::StoreErrorKind;

use crate::support::{Behaviour, MODELS, NAMED, Server};

const INTERNAL: &str = r#"{"error":"Internal Server Error","message":"An unexpected error occurred. Please try again."}"#;

const UNAUTHORIZED: &str = r#"{"error":"Unauthorized","message":"Invalid or missing API key"}"#;

#[test]
fn wire_400_lists_all_violations() {
    let server = Server::new();
    let key = server.any_key();
    server.create(&key, r#"{"language":"xx","name":""}"#).is(
        400,
        r#"{"error":"Validation Error","message":"Invalid field values","details":{"name":"Name cannot be empty","language":"Language 'xx' is not supported"}}"#,
    );
    server.create(&key, "").is(
        400,
        r#"{"error":"Validation Error","message":"Invalid field values","details":{"body":"Request body is not valid JSON"}}"#,
    );
}

#[test]
fn auth_1_and_wire_401_every_invalid_key_gets_the_same_response() {
    let server = Server::new();
    let key = server.any_key();
    let get = |headers: &[(&str, &str)]| server.request("GET", MODELS, headers, "");
    let truncated = &key[..key.len() - 1];
    let last = if key.ends_with('0') { "1" } else { "0" };
    let unknown = format!("{truncated}{last}");
    let revoked = server.key(2, "acme", &Scope::ALL);
    assert_eq!(get(&[("Authorization", &revoked)]).status, 200);
    server.revoke(2);
    let headers: [&[(&str, &str)]; 9] = [
        &[],
        &[("Authorization", "")],
        &[("Authorization", "Bearer")],
        &[("Authorization", truncated)],
        &[("Authorization", &unknown)],
        &[("Authorization", &revoked)],
        &[("Authorization", "Basic Zm9v")],
        &[("Authorization", &key), ("Authorization", &key)],
        &[("Authorization", "Bearer é")],
    ];
    for headers in headers {
        get(headers).is(401, UNAUTHORIZED).has("www-authenticate", "Bearer");
    }
    let lower = key.replace("Bearer", "bearer");
    assert_eq!(get(&[("authorization", &lower)]).status, 200);
}

#[test]
fn auth_2_and_wire_403_a_key_without_the_scope_is_a_403() {
    let server = Server::new();
    let key = server.key(2, "acme", &[Scope::Read]);
    server.create(&key, NAMED).is(
        403,
        r#"{"error":"Forbidden","message":"The API key lacks the scope that this operation needs","error_code":"INSUFFICIENT_SCOPE","details":{"required_scope":"custom_models:write"}}"#,
    );
    let key = server.key(3, "acme", &[Scope::Write]);
    let refused = server.get(&key, MODELS);
    refused.refuses(403, "INSUFFICIENT_SCOPE");
    assert!(refused.body.contains("custom_models:read"));
}

#[test]
fn quota_6_and_wire_402_the_sixth_model_on_gold_is_a_402() {
    let server = Server::new();
    let key = server.any_key();
    for _ in 0..5 {
        assert_eq!(server.create(&key, NAMED).status, 201);
    }
    server.create(&key, NAMED).is(
        402,
        r#"{"error":"Quota Exceeded","message":"Custom model limit reached for your plan","error_code":"MODEL_LIMIT_EXCEEDED","details":{"current_models":5,"plan_limit":5,"plan":"Gold"}}"#,
    );
}

#[test]
fn wire_404_and_wire_405_an_unknown_path_and_an_unknown_method() {
    let server = Server::new();
    let key = server.any_key();
    let paths = ["/", "/api", "/api/v3/custom_models/", "//api/v3/custom_models", "/%ff", "/*"];
    for path in paths.into_iter().chain(["/api/v3/custom_models/1/2", "/API/v3/custom_models"]) {
        for method in ["GET", "POST", "OPTIONS", "BREW"] {
            server.request(method, path, &[("Authorization", &key)], "").is(
                404,
                r#"{"error":"Not Found","message":"There is nothing at this path","error_code":"ROUTE_NOT_FOUND"}"#,
            );
        }
    }
    let one = format!("{MODELS}/1");
    for (method, path, allow) in [
        ("PUT", MODELS, "GET,HEAD,POST"),
        ("BREW", MODELS, "GET,HEAD,POST"),
        ("PUT", &one, "GET,HEAD,POST,DELETE"),
        ("POST", "/health", "GET,HEAD"),
    ] {
        let refused = server.request(method, path, &[], "");
        refused.is(
            405,
            r#"{"error":"Method Not Allowed","message":"This path does not take this method","error_code":"METHOD_NOT_ALLOWED"}"#,
        );
        refused.has("allow", allow);
    }
    for (path, allow) in [(MODELS, "GET,HEAD,POST"), (&one, "GET,HEAD,POST,DELETE")] {
        let told = server.request("OPTIONS", path, &[], "");
        told.is(204, "");
        told.has("allow", allow).has_no("content-length").has_no("content-type");
    }
}

#[test]
fn wire_415_a_body_without_the_content_type_of_json() {
    let server = Server::new();
    let key = server.any_key();
    let post = |types: &[&str]| {
        let mut headers = vec![("Authorization", &*key)];
        headers.extend(types.iter().map(|name| ("Content-Type", *name)));
        server.request("POST", MODELS, &headers, NAMED)
    };
    let refused: [&[&str]; 6] = [
        &[],
        &["text/plain"],
        &["application/jsonx"],
        &["application/json-patch+json"],
        &[""],
        &["application/json", "application/json"],
    ];
    for types in refused {
        post(types).is(
            415,
            r#"{"error":"Unsupported Media Type","message":"Content-Type must be application/json","error_code":"UNSUPPORTED_MEDIA_TYPE"}"#,
        );
    }
    for name in ["application/json", "APPLICATION/JSON ; charset=utf-8"] {
        assert_eq!(post(&[name]).status, 201, "{name}");
    }
}

#[test]
fn body_6_and_wire_413_a_body_of_64_kib_is_read_and_one_byte_more_is_a_413() {
    let server = Server::new();
    let key = server.any_key();
    let longest = format!("{NAMED}{}", " ".repeat(65536 - NAMED.len()));
    assert_eq!(server.create(&key, &longest).status, 201);
    server.create(&key, &format!("{longest} ")).is(
        413,
        r#"{"error":"Payload Too Large","message":"Request body cannot exceed 65536 bytes","error_code":"PAYLOAD_TOO_LARGE"}"#,
    );
}

#[test]
fn wire_500_the_cause_of_a_fault_is_not_in_the_response() {
    let server = Server::new();
    let key = server.any_key();
    for kind in [StoreErrorKind::Failed, StoreErrorKind::Full, StoreErrorKind::Damaged] {
        server.store.behave(Behaviour::Fails(kind));
        server.create(&key, NAMED).is(500, INTERNAL).has_no("retry-after");
    }
}

#[test]
fn wire_503_every_fault_of_the_store_has_its_code_and_retry_after() {
    let server = Server::new();
    let key = server.any_key();
    let unavailable = |message: &str, error_code: &str| {
        format!(
            r#"{{"error":"Service Unavailable","message":"{message}","error_code":"{error_code}"}}"#
        )
    };
    for (kind, message, error_code) in [
        (StoreErrorKind::Busy, "The service is busy. Please try again.", "STORE_BUSY"),
        (
            StoreErrorKind::OutcomeUnknown,
            "It is unknown whether the change was made. Check before you try again.",
            "OUTCOME_UNKNOWN",
        ),
        (
            StoreErrorKind::Unavailable,
            "The service is unavailable. Please try again.",
            "STORE_UNAVAILABLE",
        ),
    ] {
        server.store.behave(Behaviour::Fails(kind));
        let refused = server.create(&key, NAMED);
        refused.is(503, &unavailable(message, error_code)).has("retry-after", "1");
    }
    server.store.behave(Behaviour::Works);
    assert_eq!(server.create(&key, NAMED).status, 201);
}

#[test]
fn edit_5_and_wire_409_a_model_is_not_deleted_while_it_is_trained() {
    let server = Server::new();
    let key = server.any_key();
    let path = server.running_model(&key, 1);
    server.request("DELETE", &path, &[("Authorization", &key)], "").is(
        409,
        r#"{"error":"Conflict","message":"The model is being trained","error_code":"TRAINING_IN_PROGRESS"}"#,
    );
    assert_eq!(server.get(&key, &path).status, 200);
}

#[test]
fn wire_500_a_panic_is_a_500_and_the_connection_goes_on() {
    let server = Server::new();
    let key = server.any_key();
    server.store.behave(Behaviour::Panics);
    let mut client = server.connect();
    let headers = [("Authorization", &*key), ("Content-Type", "application/json")];
    let request = crate::support::head("POST", MODELS, &headers, Some(NAMED.len())) + NAMED;
    client.write(&request);
    client.answer().is(500, INTERNAL);
    server.store.behave(Behaviour::Works);
    client.write(&request);
    assert_eq!(client.answer().status, 201);
    server.store.reads_panic();
    server.get(&key, &format!("{MODELS}/1")).is(500, INTERNAL);
}

#[test]
fn wire_a_request_keeps_a_harmless_id_and_gets_one_otherwise() {
    let server = Server::new();
    let long = "x".repeat(129);
    let id_of = |sent: &[(&str, &str)]| {
        let answer = server.request("GET", "/nowhere", sent, "");
        answer.headers["x-request-id"].clone()
    };
    for id in ["a", "A-b_c.9", &long[..128]] {
        assert_eq!(id_of(&[("X-Request-Id", id)]), id);
    }
    for id in ["", "a b", "a\"b", "é", "a;b", &long] {
        let made = id_of(&[("X-Request-Id", id)]);
        assert_eq!(made.len(), 32, "{id}");
        assert!(made.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    assert_ne!(id_of(&[]), id_of(&[]));
}
