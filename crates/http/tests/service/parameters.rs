//! Unknown parameters of a query.

use crate::support::{Answer, MODELS, NAMED, Server};
use crate::uploads::{TYPE, UPLOADED, right, uploads};

fn unknown(details: &str) -> String {
    format!(
        r#"{{"error":"Validation Error","message":"Invalid field values","details":{details}}}"#
    )
}

const COLOUR: &str = r#"{"colour":"Unknown parameter"}"#;

#[test]
fn wire_400_an_unknown_parameter_is_named_on_every_route_and_nothing_is_done() {
    let uploads = uploads();
    let (server, key) = (&uploads.server, &*uploads.key);
    assert_eq!(uploads.upload().status, 200);
    // Models to run, to cancel and to delete.
    server.ready_model(key, 2);
    server.running_model(key, 3);
    let send = |method: &str, path: &str, body: &str| -> Answer {
        let headers = [("Authorization", key), ("Content-Type", "application/json")];
        server.request(method, path, &headers, body)
    };
    let before = send("GET", &format!("{MODELS}/events"), "").body;
    let model = |below: &str| format!("{MODELS}/{below}");
    let fence = r#"{"fence":1,"training_progress":1}"#;
    for (method, path, body) in [
        ("POST", MODELS, NAMED),
        ("GET", MODELS, ""),
        ("GET", &model("1"), ""),
        ("POST", &model("1"), r#"{"name":"m"}"#),
        ("DELETE", &model("1"), ""),
        ("GET", &model("1/data"), ""),
        ("DELETE", &model("1/data/1"), ""),
        ("POST", &model("2/run"), "{}"),
        ("POST", &model("3/cancel"), ""),
        ("GET", &model("events"), ""),
        ("POST", "/api/v3/training/claim", ""),
        ("POST", "/api/v3/training/claim", "{}"),
        ("GET", "/api/v3/training/3/data?fence=1", ""),
        ("POST", "/api/v3/training/3/heartbeat", fence),
        ("POST", "/api/v3/training/3/succeed", r#"{"fence":1,"training_metrics":{}}"#),
        ("POST", "/api/v3/training/3/fail", r#"{"fence":1,"error":"e"}"#),
        ("GET", "/health", ""),
        ("GET", "/ready", ""),
        ("GET", "/openapi.json", ""),
        ("GET", "/docs", ""),
        ("GET", "/docs/", ""),
        ("GET", "/docs/swagger-ui.css", ""),
    ] {
        let sign = if path.contains('?') { '&' } else { '?' };
        send(method, &format!("{path}{sign}colour=red&colour"), body).is(400, &unknown(COLOUR));
    }
    let upload = |more: &[(&str, &str)], body: &[u8]| {
        let headers = [&[("Content-Type", TYPE)], more].concat();
        uploads.put_by(key, &model("1/data?colour"), &headers, body)
    };
    upload(&[], &right()).is(400, &unknown(COLOUR));
    upload(&[("Idempotency-Key", "")], b"--b0--").is(
        400,
        &unknown(
            r#"{"idempotency_key":"Idempotency key must be 1 to 255 visible ASCII characters","type":"Type is required","audio_file":"Audio file is required","transcript_file":"Transcript file is required","colour":"Unknown parameter"}"#,
        ),
    );
    assert_eq!(send("GET", &model("events"), "").body, before, "nothing was changed");
    uploads.has_files(2);
    assert_eq!(uploads.upload().body, UPLOADED);
}

#[test]
fn read_5_and_wire_400_a_parameter_of_a_resolution_is_unknown() {
    let server = Server::new();
    let key = server.any_key();
    server.running_model(&key, 1);
    server.post(&key, "/api/v3/training/claim", "{}");
    let done = r#"{"fence":1,"training_metrics":{}}"#;
    assert_eq!(server.post(&key, "/api/v3/training/1/succeed", done).status, 200);
    let path = format!("{MODELS}/resolve/custom_model_1");
    assert_eq!(server.get(&key, &path).status, 200);
    server.get(&key, &(path + "?colour")).is(400, &unknown(COLOUR));
}

#[test]
fn dry_1_and_wire_400_a_misspelt_validate_only_creates_nothing_and_all_violations_are_listed() {
    let server = Server::new();
    let key = server.any_key();
    let post = |query: &str, body: &str| server.post(&key, &format!("{MODELS}?{query}"), body);
    post("validate_onyl=true", NAMED).is(400, &unknown(r#"{"validate_onyl":"Unknown parameter"}"#));
    post("a%22b=&validate_only=2&name=%0A&c%0A", "{}").is(
        400,
        &unknown(
            r#"{"name":"Name is required","language":"Language is required","validate_only":"Validate only must be true or false","a\"b":"Unknown parameter","c\\u{a}":"Unknown parameter"}"#,
        ),
    );
    assert!(server.get(&key, MODELS).body.starts_with(r#"{"count":0,"#));
}

#[test]
fn order_the_model_its_state_its_revision_and_the_content_type_before_unknown_parameters() {
    let server = Server::new();
    let key = server.any_key();
    server.running_model(&key, 1);
    server.ready_model(&key, 2);
    let send = |method: &str, path: &str, more: &[(&str, &str)]| {
        let headers = [&[("Authorization", &*key)], more].concat();
        server.request(method, &format!("{MODELS}/{path}?colour"), &headers, "{")
    };
    let stale = [("If-Match", "\"1\"")];
    for (method, path) in
        [("GET", "7"), ("POST", "7"), ("DELETE", "7"), ("POST", "7/run"), ("POST", "7/cancel")]
    {
        send(method, path, &stale).refuses(404, "MODEL_NOT_FOUND");
    }
    send("DELETE", "1", &stale).refuses(409, "TRAINING_IN_PROGRESS");
    send("POST", "2/cancel", &stale).refuses(409, "TRAINING_NOT_RUNNING");
    send("DELETE", "2", &stale).refuses(412, "PRECONDITION_FAILED");
    send("POST", "1/cancel", &stale).refuses(412, "PRECONDITION_FAILED");
    send("POST", "2", &[]).refuses(415, "UNSUPPORTED_MEDIA_TYPE");
    server.get(&key, "/nowhere?colour").refuses(404, "ROUTE_NOT_FOUND");
    server
        .get("Bearer x", &format!("{MODELS}?colour"))
        .is(401, r#"{"error":"Unauthorized","message":"Invalid or missing API key"}"#);
}

#[test]
fn order_a_pair_of_data_before_unknown_parameters() {
    let uploads = uploads();
    let (server, key) = (&uploads.server, &*uploads.key);
    assert_eq!(uploads.upload().status, 200);
    let delete = |pair: &str, more: &[(&str, &str)]| {
        let headers = [&[("Authorization", key)], more].concat();
        server.request("DELETE", &format!("{MODELS}/1/data/{pair}?colour"), &headers, "")
    };
    delete("2", &[]).refuses(404, "DATA_NOT_FOUND");
    delete("1", &[("If-Match", "\"1\"")]).refuses(412, "PRECONDITION_FAILED");
    delete("1", &[]).is(400, &unknown(COLOUR));
}
