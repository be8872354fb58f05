//! TRAIN over HTTP, for the owner of a model: run and cancel.

use custom_models_core::access::Scope;
use custom_models_core::model::DataType;

use crate::support::{CREATED, MODELS, NAMED, Server};

const RUNNING: &str = r#""training_status":3,"status_message":"Training is running.","created_at":"2023-11-14T22:13:20Z","updated_at":"2023-11-14T22:13:25Z","training_progress":0,"started_training_at":"2023-11-14T22:13:25Z"}"#;

const NEW: &str = r#""training_status":1,"status_message":"Model created. Upload training data to begin.","created_at":"2023-11-14T22:13:20Z","updated_at":"2023-11-14T22:13:20Z"}"#;

#[test]
fn train_2_a_run_of_a_ready_model_starts_its_training_and_has_retry_after() {
    let server = Server::new();
    let key = server.any_key();
    let path = server.ready_model(&key, 1);
    server.get(&key, &path).has_no("retry-after");
    server.pass(5);
    let running = CREATED.replace(NEW, RUNNING);
    let body = r#"{"name":7,"name":8,"x":[]}"#;
    let run = server.post(&key, &format!("{path}/run"), body);
    run.is(200, &running).has("etag", "\"4\"").has("retry-after", "30");
    server.get(&key, &path).is(200, &running).has("retry-after", "30");
    server.post(&key, &format!("{path}/run"), "{}").is(
        409,
        r#"{"error":"Conflict","message":"The model is being trained","error_code":"TRAINING_IN_PROGRESS"}"#,
    );
}

#[test]
fn train_2_a_model_that_is_not_ready_says_what_is_missing() {
    let server = Server::new();
    let key = server.any_key();
    server.create(&key, NAMED);
    server.has_data("acme", 1, DataType::Train, 17_000);
    let run = format!("{MODELS}/1/run");
    server.post(&key, &run, "{}").is(
        409,
        r#"{"error":"Conflict","message":"The model is not ready to be trained","error_code":"MODEL_NOT_READY","details":{"missing_seconds":1000}}"#,
    );
    server.has_data("acme", 1, DataType::Train, 1000);
    let answer = server.post(&key, &run, "{}");
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("The model has no test data."), "{}", answer.body);
}

#[test]
fn train_2_the_body_is_a_json_object() {
    let server = Server::new();
    let key = server.any_key();
    let run = format!("{}/run", server.ready_model(&key, 1));
    for (body, message) in
        [("", "is not valid JSON"), ("[]", "must be a JSON object"), ("{", "is not valid JSON")]
    {
        server.post(&key, &run, body).is(
            400,
            &format!(
                r#"{{"error":"Validation Error","message":"Invalid field values","details":{{"body":"Request body {message}"}}}}"#
            ),
        );
    }
    let untyped = server.request("POST", &run, &[("Authorization", &key)], "{}");
    untyped.refuses(415, "UNSUPPORTED_MEDIA_TYPE");
    server.post(&key, &run, &" ".repeat(65537)).refuses(413, "PAYLOAD_TOO_LARGE");
    let reader = server.key(2, "acme", &[Scope::Read]);
    server.post(&reader, &run, "{}").refuses(403, "INSUFFICIENT_SCOPE");
    assert_eq!(server.post(&key, &run, "{}").status, 200);
}

#[test]
fn train_6_a_training_is_cancelled_with_or_without_a_body() {
    let server = Server::new();
    let key = server.any_key();
    let path = server.running_model(&key, 1);
    let cancel = format!("{path}/cancel");
    let cancelled = server.request("POST", &cancel, &[("Authorization", &key)], "no JSON");
    let ready = CREATED
        .replace("\"training_status\":1", "\"training_status\":2")
        .replace("Model created. Upload training data to begin.", "Model is ready to be trained.");
    cancelled.is(200, &ready).has("etag", "\"5\"").has_no("retry-after");
    server.post(&key, &cancel, "").is(
        409,
        r#"{"error":"Conflict","message":"The model is not being trained","error_code":"TRAINING_NOT_RUNNING"}"#,
    );
    let reader = server.key(2, "acme", &[Scope::Read]);
    server.post(&reader, &cancel, "").refuses(403, "INSUFFICIENT_SCOPE");
}
