//! RATE-3 over HTTP: requests whose admission is written with their change, and those that are admitted alone.

use std::num::NonZeroU32;
use std::sync::Arc;

use custom_models_core::MemoryStore;
use custom_models_core::access::{Limits, Operation, OperationLimit, Scope};
use custom_models_core::store::StoreErrorKind;
use custom_models_http::Options;
use custom_models_training_data::Folder;
use tempfile::TempDir;

use crate::support::{Behaviour, Client, MODELS, NAMED, Server, head};
use crate::uploads::{TYPE, UPLOADED, right};

/// Starts a server with a window of so many requests an hour for every operation, and a content store.
fn limited(requests: &str) -> (Server, TempDir) {
    let limit = OperationLimit { requests: Some(requests.parse().unwrap()), at_once: None };
    let limits = Operation::ALL.into_iter().fold(Limits::NONE, |all, of| all.with(of, limit));
    let place = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.contents = Some(Arc::new(Folder::open(place.path(), &MemoryStore::new()).unwrap()));
    (Server::start(limits, options), place)
}

/// Returns the numbers of writes and of separate admissions that a request made.
fn costs(server: &Server, request: impl FnOnce()) -> (usize, usize) {
    let (writes, alone) = server.store.writes();
    request();
    let (more_writes, more_alone) = server.store.writes();
    (more_writes - writes, more_alone - alone)
}

/// Starts a create that waits for its body after `100 Continue`.
fn begun(server: &Server, key: &str, length: usize) -> Client {
    let mut client = expecting(server, key, length);
    assert_eq!(client.answer().status, 100);
    client
}

fn expecting(server: &Server, key: &str, length: usize) -> Client {
    let mut client = server.connect();
    let json = ("Content-Type", "application/json");
    let headers = [("Authorization", key), json, ("Expect", "100-continue")];
    client.write(head("POST", MODELS, &headers, Some(length)));
    client
}

#[test]
fn rate_3_every_change_of_a_model_is_one_write_with_its_admission() {
    let (server, _place) = limited("1000/1h");
    let key = server.any_key();
    let path = server.ready_model(&key, 1);
    let once = [("Idempotency-Key", "k")];
    let one = |what: &str, status: u16, request: &dyn Fn() -> crate::support::Answer| {
        let cost = costs(&server, || {
            let answer = request();
            assert_eq!(answer.status, status, "{what}: {answer:?}");
            answer.has("x-ratelimit-limit", "1000");
            assert_ne!(answer.headers["x-ratelimit-remaining"], "1000", "{what}");
        });
        assert_eq!(cost, (1, 0), "{what}");
    };
    let post = |path: &str, body: &str| server.post(&key, path, body);
    let delete = |path: &str| server.request("DELETE", path, &[("Authorization", &key)], "");
    one("a create", 201, &|| post(MODELS, NAMED));
    one("a create that may be sent again", 201, &|| server.post_with(&key, MODELS, &once, NAMED));
    one("an update", 200, &|| post(&path, r#"{"name":"m"}"#));
    one("a run", 200, &|| post(&format!("{path}/run"), "{}"));
    let train = "/api/v3/training";
    // A claim is several writes, and is admitted before them.
    let claim = costs(&server, || {
        assert_eq!(post(&format!("{train}/claim"), "{}").status, 200);
    });
    assert_eq!(claim, (1, 1));
    one("a heartbeat", 200, &|| {
        post(&format!("{train}/1/heartbeat"), r#"{"fence":1,"training_progress":7}"#)
    });
    one("a late report", 409, &|| post(&format!("{train}/1/fail"), r#"{"fence":0,"error":"x"}"#));
    one("a cancel", 200, &|| {
        server.request("POST", &format!("{path}/cancel"), &[("Authorization", &key)], "")
    });
    one("a removal of data", 204, &|| delete(&format!("{path}/data/1")));
    one("a removal of no data", 404, &|| delete(&format!("{path}/data/1")));
    one("a delete", 204, &|| delete(&path));
    one("a delete of nothing", 404, &|| delete(&path));
    let full = || (0..9).map(|_| post(MODELS, NAMED)).find(|answer| answer.status == 402).unwrap();
    full();
    one("a create beyond the plan", 402, &|| post(MODELS, NAMED));
}

#[test]
fn rate_3_a_request_that_changes_nothing_is_admitted_alone_before_its_response() {
    let (server, _place) = limited("1000/1h");
    let key = server.any_key();
    server.create(&key, NAMED);
    let authorized = [("Authorization", &*key)];
    let long = " ".repeat(65537);
    let stale = [("If-Match", "\"9\"")];
    let path = format!("{MODELS}/1");
    type Request<'a> = (&'a str, u16, &'a dyn Fn() -> crate::support::Answer);
    let requests: [Request<'_>; 9] = [
        ("no JSON", 400, &|| server.create(&key, "[")),
        ("too long", 413, &|| server.create(&key, &long)),
        ("no type", 415, &|| server.request("POST", MODELS, &authorized, NAMED)),
        ("a dry run", 200, &|| server.post(&key, &format!("{MODELS}?validate_only=true"), NAMED)),
        ("no model", 404, &|| server.post(&key, &format!("{MODELS}/7"), "{}")),
        ("not ready", 409, &|| server.post(&key, &format!("{path}/run"), "{}")),
        ("stale", 412, &|| server.post_with(&key, &path, &stale, "{}")),
        ("nothing to claim", 204, &|| server.post(&key, "/api/v3/training/claim", "{}")),
        ("a list", 200, &|| server.get(&key, MODELS)),
    ];
    for (what, status, request) in requests {
        let cost = costs(&server, || {
            let answer = request();
            assert_eq!(answer.status, status, "{what}: {answer:?}");
            assert_ne!(answer.headers["x-ratelimit-remaining"], "1000", "{what}");
        });
        assert_eq!(cost, (0, 1), "{what}");
    }
}

#[test]
fn rate_3_an_upload_is_admitted_before_its_body() {
    let (server, _place) = limited("1/1h");
    let key = server.any_key();
    assert_eq!(server.create(&key, NAMED).status, 201);
    let path = format!("{MODELS}/1/data");
    let headers = [("Authorization", &*key), ("Content-Type", TYPE), ("Expect", "100-continue")];
    let upload = || {
        let mut client = server.connect();
        client.write(head("PUT", &path, &headers, Some(right().len())));
        client
    };
    let mut client = upload();
    assert_eq!(client.answer().status, 100);
    assert_eq!(server.store.writes(), (1, 1));
    upload().answer().refuses(429, "RATE_LIMIT_EXCEEDED");
    client.write(right());
    client.answer().is(200, UPLOADED).has("x-ratelimit-remaining", "0");
    assert_eq!(server.store.writes(), (2, 1));
}

#[test]
fn rate_3_a_wait_for_events_is_admitted_before_it_begins() {
    let limit = OperationLimit { requests: Some("1/1h".parse().unwrap()), at_once: None };
    let limits = Limits::NONE.with(Operation::Events, limit);
    let server = Server::start(limits, Options::default());
    let key = server.any_key();
    let path = format!("{MODELS}/events?wait=30");
    let authorized = [("Authorization", &*key)];
    let mut waiting = server.connect();
    waiting.write(head("GET", &path, &authorized, None));
    server.store.wait_for_event_reads(1);
    assert_eq!(server.store.writes(), (0, 1));
    server.get(&key, &path).refuses(429, "RATE_LIMIT_EXCEEDED");
    assert_eq!(server.create(&key, NAMED).status, 201);
    assert_eq!(waiting.answer().has("x-ratelimit-remaining", "0").status, 200);
}

#[test]
fn rate_3_and_idem_1_a_repeat_is_no_write_and_shows_the_window_without_it() {
    let server = Server::limited("2/1h", 0);
    let key = server.any_key();
    let create = |id| server.post_with(&key, MODELS, &[("Idempotency-Key", id)], NAMED);
    create("a").has("x-ratelimit-remaining", "1");
    create("b").has("x-ratelimit-remaining", "0");
    let cost = costs(&server, || {
        let repeated = create("a");
        assert_eq!(repeated.status, 201);
        repeated.has("idempotency-replayed", "true").has("x-ratelimit-remaining", "0");
        create("c").refuses(429, "RATE_LIMIT_EXCEEDED");
    });
    assert_eq!(cost, (0, 0));
}

/// The window has room when the request enters, and none when it ends.
#[test]
fn rate_3_a_request_whose_window_has_filled_meanwhile_is_refused_in_any_case() {
    for body in [NAMED, "[", "{}"] {
        let server = Server::limited("1/1h", 0);
        let key = server.any_key();
        let mut late = begun(&server, &key, body.len());
        assert_eq!(server.create(&key, NAMED).status, 201);
        late.write(body);
        late.answer().refuses(429, "RATE_LIMIT_EXCEEDED").has("retry-after", "3600");
        assert!(server.get(&key, MODELS).body.contains(r#""total_results":1"#), "{body}");
    }
}

#[test]
fn rate_3_a_window_that_is_seen_to_be_full_refuses_before_the_body_is_read() {
    let server = Server::limited("1/1h", 0);
    let key = server.any_key();
    assert_eq!(server.create(&key, NAMED).status, 201);
    let cost = costs(&server, || {
        expecting(&server, &key, NAMED.len()).answer().refuses(429, "RATE_LIMIT_EXCEEDED");
    });
    assert_eq!(cost, (0, 0));
}

#[test]
fn rate_3_a_request_whose_client_leaves_before_its_body_arrives_counts() {
    let server = Server::limited("1/1h", 0);
    let key = server.any_key();
    drop(begun(&server, &key, NAMED.len()));
    server.store.wait_for_admissions(1);
    server.create(&key, NAMED).refuses(429, "RATE_LIMIT_EXCEEDED");
    assert_eq!(server.store.writes(), (0, 1));
}

#[test]
fn rate_3_a_client_that_leaves_while_its_change_is_written_is_counted_once() {
    let server = Server::limited("2/1h", 0);
    let key = server.any_key();
    server.store.behave(Behaviour::Holds);
    let mut client = begun(&server, &key, NAMED.len());
    client.write(NAMED);
    server.store.wait_for_held_writes(1);
    drop(client);
    server.store.behave(Behaviour::Works);
    server.create(&key, NAMED).has("x-ratelimit-remaining", "0");
    assert_eq!(server.store.writes(), (2, 0));
}

#[test]
fn rate_3_a_change_that_the_store_fails_does_not_count() {
    let server = Server::limited("2/1h", 0);
    let key = server.any_key();
    server.store.behave(Behaviour::Fails(StoreErrorKind::Full));
    let failed = server.create(&key, NAMED);
    assert_eq!(failed.status, 500);
    failed.has("x-ratelimit-remaining", "2");
    server.store.behave(Behaviour::Works);
    server.create(&key, NAMED).has("x-ratelimit-remaining", "1");
    assert_eq!(server.store.writes(), (2, 0));
}

/// The refusal is that of a key that was never valid.
#[test]
fn rate_3_and_auth_1_a_request_whose_key_is_revoked_while_its_body_comes_does_not_count() {
    let mut options = Options::default();
    options.recheck_after = std::time::Duration::ZERO;
    let limit =
        OperationLimit { requests: Some("2/1h".parse().unwrap()), at_once: NonZeroU32::new(1) };
    let server = Server::start(Limits::NONE.with(Operation::Create, limit), options);
    let key = server.key(2, "acme", &Scope::ALL);
    let mut client = begun(&server, &key, NAMED.len());
    server.revoke(2);
    client.write(NAMED);
    let answer = client.answer();
    assert_eq!(answer.status, 401);
    answer.has_no("x-ratelimit-limit");
    drop(client);
    assert_eq!(server.store.writes(), (0, 0));
}
