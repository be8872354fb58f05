//! TRAIN over HTTP, for workers.

use custom_models_core::access::Scope;

use crate::support::{Answer, CREATED, MODELS, Server};

const CLAIM: &str = "/api/v3/training/claim";

const LOST: &str = r#"{"error":"Conflict","message":"The training is held by another lease, or over","error_code":"LEASE_LOST"}"#;

fn training(below: &str) -> String {
    format!("/api/v3/training/{below}")
}

/// Starts a server with a model in training, a key with all scopes, and a key of a worker.
fn at_work() -> (Server, String, String) {
    let server = Server::new();
    let key = server.any_key();
    let worker = server.key(2, "acme", &[Scope::TrainingWork]);
    server.running_model(&key, 1);
    (server, key, worker)
}

fn beat(server: &Server, worker: &str, fence: u64, progress: u64) -> Answer {
    let body = format!(r#"{{"fence":{fence},"training_progress":{progress}}}"#);
    server.post(worker, &training("1/heartbeat"), &body)
}

#[test]
fn train_3_a_training_is_claimed_with_its_data_and_only_once() {
    let (server, key, worker) = at_work();
    let model = server.get(&key, &format!("{MODELS}/1")).body;
    let file = |name: &str| {
        let digest = "07".repeat(32);
        format!(r#"{{"filename":"{name}","bytes":1,"sha256":"{digest}","content":"c"}}"#)
    };
    let pair = |id: u32, data_type: &str, millis: u64| {
        let (audio, transcript) = (file("a.wav"), file("a.txt"));
        format!(
            r#"{{"id":{id},"type":"{data_type}","audio":{audio},"audio_millis":{millis},"transcript":{transcript},"created_at":"2023-11-14T22:13:20Z"}}"#
        )
    };
    let data = format!("{},{}", pair(1, "train", 18_000_000), pair(2, "test", 1000));
    server.post(&worker, CLAIM, r#"{"lease_seconds":100}"#).is(
        200,
        &format!(
            r#"{{"organisation":"acme","model":{model},"fence":1,"expires_at":"2023-11-14T22:15:00Z","data":{{"count":2,"total_results":2,"result":[{data}]}}}}"#
        ),
    );
    let nothing = server.request("POST", CLAIM, &[("Authorization", &worker)], "");
    nothing.is(204, "").has_no("content-type");
}

#[test]
fn train_3_a_worker_reads_the_data_of_its_training_page_by_page() {
    let (server, _, worker) = at_work();
    let get = |by: &str, query: &str| server.get(by, &training(&format!("1/data{query}")));
    let invalid = |answer: Answer, details: &str| {
        let body = format!(
            r#"{{"error":"Validation Error","message":"Invalid field values","details":{details}}}"#
        );
        answer.is(400, &body);
    };
    // Nobody has claimed it.
    get(&worker, "?fence=1").is(409, LOST);
    let claimed = server.post(&worker, CLAIM, "{}");
    let (_, data) = claimed.body.split_once(r#""data":"#).unwrap();
    get(&worker, "?fence=1").is(200, data.strip_suffix('}').unwrap());
    let second = get(&worker, "?per_page=1&fence=1&page=2");
    let beginning = r#"{"count":1,"total_results":2,"result":[{"id":2,"type":"test","#;
    assert!(second.body.starts_with(beginning), "{}", second.body);
    get(&worker, "?fence=1&page=3&per_page=1")
        .is(200, r#"{"count":0,"total_results":2,"result":[]}"#);
    invalid(get(&worker, ""), r#"{"fence":"Fence is required"}"#);
    invalid(
        get(&worker, "?page=0&per_page=101&fence=x&status=1"),
        r#"{"page":"Page must be an integer of at least 1","per_page":"Per page must be an integer from 1 to 100","fence":"Fence must be an integer of at least 0","status":"Unknown parameter"}"#,
    );
    get(&worker, "?fence=2").is(409, LOST);
    let reader = server.key(3, "acme", &[Scope::Read]);
    get(&reader, "?fence=1").refuses(403, "INSUFFICIENT_SCOPE");
    server.get(&worker, &training("7/data?fence=x")).refuses(404, "MODEL_NOT_FOUND");
    server.pass(60);
    get(&worker, "?fence=1").is(409, LOST);
}

#[test]
fn order_a_model_that_is_not_trained_before_the_parameters_of_its_page() {
    let (server, key, worker) = at_work();
    server.ready_model(&key, 2);
    server.get(&worker, &training("2/data?page=0")).is(409, LOST);
    server.get(&worker, &training("7/data?page=0")).refuses(404, "MODEL_NOT_FOUND");
}

#[test]
fn train_3_a_heartbeat_extends_the_lease_and_progress_never_goes_down() {
    let (server, key, worker) = at_work();
    assert_eq!(server.request("POST", CLAIM, &[("Authorization", &worker)], "").status, 200);
    server.pass(50);
    let held = r#"{"expires_at":"2023-11-14T22:15:10Z","training_progress":40}"#;
    beat(&server, &worker, 1, 40).is(200, held).has_no("etag");
    beat(&server, &worker, 1, 7).is(200, held);
    let model = server.get(&key, &format!("{MODELS}/1"));
    assert!(model.body.contains(r#""training_progress":40"#), "{}", model.body);
    model.has("etag", "\"4\"");
    server.pass(60);
    beat(&server, &worker, 1, 41).is(409, LOST);
}

#[test]
fn train_3_and_read_4_a_training_ends_well_with_what_was_measured() {
    let (server, key, worker) = at_work();
    server.post(&worker, CLAIM, "{}");
    server.pass(10);
    let body = r#"{"fence":1,"training_metrics":{"loss":1e-7,"word_error_rate":0.125,"bleu":31.5,"training_hours":3}}"#;
    let done = server.post(&worker, &training("1/succeed"), body);
    let shown = CREATED.replace(
        r#""training_status":1,"status_message":"Model created. Upload training data to begin.","created_at":"2023-11-14T22:13:20Z","updated_at":"2023-11-14T22:13:20Z"}"#,
        r#""training_status":4,"status_message":"Training succeeded.","created_at":"2023-11-14T22:13:20Z","updated_at":"2023-11-14T22:13:30Z","training_progress":100,"started_training_at":"2023-11-14T22:13:20Z","finished_training_at":"2023-11-14T22:13:30Z","training_metrics":{"word_error_rate":0.125,"training_hours":3.0,"bleu":31.5,"loss":1e-7}}"#,
    );
    done.is(200, &shown).has("etag", "\"5\"").has_no("retry-after");
    server.get(&key, &format!("{MODELS}/1")).is(200, &shown);
    server.post(&worker, &training("1/succeed"), body).is(409, LOST);
    server.post(&key, &format!("{MODELS}/1/run"), "{}").refuses(409, "MODEL_NOT_READY");
}

#[test]
fn train_3_and_read_4_a_training_fails_with_an_error_and_may_be_tried_again() {
    let (server, key, worker) = at_work();
    server.post(&worker, CLAIM, "{}");
    beat(&server, &worker, 1, 9);
    let failed = server.post(&worker, &training("1/fail"), r#"{"fence":1,"error":"a \"disk\""}"#);
    assert_eq!(failed.status, 200);
    let end = r#""training_progress":9,"started_training_at":"2023-11-14T22:13:20Z","failed_at":"2023-11-14T22:13:20Z","error":"a \"disk\""}"#;
    assert!(failed.body.ends_with(end), "{}", failed.body);
    assert_eq!(server.post(&key, &format!("{MODELS}/1/run"), "{}").status, 200);
}

#[test]
fn train_3_all_violations_of_a_report_are_listed() {
    let (server, _, worker) = at_work();
    let invalid = |answer: Answer, details: &str| {
        let body = format!(
            r#"{{"error":"Validation Error","message":"Invalid field values","details":{details}}}"#
        );
        answer.is(400, &body);
    };
    invalid(
        server.post(&worker, CLAIM, r#"{"lease_seconds":0}"#),
        r#"{"lease_seconds":"Lease seconds must be an integer from 1 to 86400"}"#,
    );
    invalid(
        server.post(&worker, &training("1/heartbeat"), r#"{"lease_seconds":"1","fence":null}"#),
        r#"{"lease_seconds":"Lease seconds must be an integer","fence":"Fence is required","training_progress":"Training progress is required"}"#,
    );
    invalid(
        server.post(&worker, &training("1/succeed"), r#"{"training_metrics":{"X\u0000":1}}"#),
        r#"{"fence":"Fence is required","training_metrics":"Training metrics cannot have 'X\\u{0}': a name is 1 to 64 characters of a-z, 0-9 and _"}"#,
    );
    invalid(
        server.post(&worker, &training("1/fail"), r#"{"fence":1.5,"error":""}"#),
        r#"{"fence":"Fence must be an integer","error":"Error cannot be empty"}"#,
    );
    let untyped = server.request("POST", CLAIM, &[("Authorization", &worker)], "{}");
    untyped.refuses(415, "UNSUPPORTED_MEDIA_TYPE");
}

#[test]
fn train_4_a_worker_that_has_lost_its_lease_changes_nothing() {
    let (server, key, worker) = at_work();
    server.post(&worker, CLAIM, "{}");
    server.pass(60);
    let second = server.post(&worker, CLAIM, "{}");
    assert!(second.body.contains(r#""fence":2"#), "{}", second.body);
    let before = server.get(&key, &format!("{MODELS}/1")).body;
    beat(&server, &worker, 1, 50).is(409, LOST);
    let success = |fence: u64| {
        let body = format!(r#"{{"fence":{fence},"training_metrics":{{}}}}"#);
        server.post(&worker, &training("1/succeed"), &body)
    };
    success(1).is(409, LOST);
    success(3).is(409, LOST);
    server.get(&key, &format!("{MODELS}/1")).is(200, &before);
    assert_eq!(success(2).status, 200);
}

#[test]
fn train_5_the_fourth_claim_finds_a_training_that_failed() {
    let (server, key, worker) = at_work();
    for _ in 0..3 {
        assert_eq!(server.post(&worker, CLAIM, "{}").status, 200);
        server.pass(60);
    }
    server.post(&worker, CLAIM, "{}").is(204, "");
    let model = server.get(&key, &format!("{MODELS}/1")).body;
    assert!(model.contains(r#""training_status":5"#), "{model}");
    assert!(model.contains(r#""error":"The training was claimed three times"#), "{model}");
}

#[test]
fn train_6_a_worker_learns_at_its_next_heartbeat_that_its_training_was_cancelled() {
    let (server, key, worker) = at_work();
    server.post(&worker, CLAIM, "{}");
    assert_eq!(server.post(&key, &format!("{MODELS}/1/cancel"), "").status, 200);
    beat(&server, &worker, 1, 1).is(409, LOST);
}

#[test]
fn auth_2_a_worker_needs_the_scope_and_sees_only_models_of_its_organisation() {
    let (server, _, worker) = at_work();
    let others = server.key(3, "other", &[Scope::TrainingWork]);
    let writer = server.key(4, "acme", &[Scope::Read, Scope::Write]);
    server.post(&others, CLAIM, "{}").is(204, "");
    server.post(&worker, CLAIM, "{}").has("content-type", "application/json");
    beat(&server, &others, 1, 1).refuses(404, "MODEL_NOT_FOUND");
    for path in ["claim", "1/heartbeat", "1/succeed", "1/fail"] {
        server.post(&writer, &training(path), "{}").refuses(403, "INSUFFICIENT_SCOPE");
    }
    server.post(&worker, &training("x/heartbeat"), "{}").refuses(404, "MODEL_NOT_FOUND");
    server.get(&worker, MODELS).refuses(403, "INSUFFICIENT_SCOPE");
}
