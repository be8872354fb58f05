//! The log and the metrics of a service, in cases that the command cannot be brought into.
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, which share a server with others and do not use all of it"
)]

#[path = "service/support/mod.rs"]
mod support;

use std::io;
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

use custom_models_core::MemoryStore;
use custom_models_core::access::{Limits, Operation, OperationLimit};
use custom_models_core::store::StoreErrorKind;
use custom_models_http::Options;
use custom_models_training_data::Folder;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::prelude::*;

use support::{Behaviour, MODELS, Server, head};

/// A body, no part of which may be in the log.
const NAMED: &str = r#"{"name":"Cardiology","language":"en"}"#;

/// The time after which a test that hangs fails. No test depends on its length.
const PATIENCE: Duration = Duration::from_secs(60);

/// The log of all tests of the process. A test finds its lines by the ids of its requests.
#[derive(Clone, Default)]
struct Log(Arc<(Mutex<Vec<String>>, Condvar)>);

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.0.lock().unwrap().push(String::from_utf8(line.to_vec()).unwrap());
        self.0.1.notify_all();
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

impl Log {
    /// Waits for a line with this id and this word, and returns it.
    fn line(&self, id: &str, word: &str) -> String {
        let is_it = |line: &&String| line.contains(&format!("\"{id}\"")) && line.contains(word);
        let (lines, changed) = &*self.0;
        let is_missing = |lines: &mut Vec<String>| lines.iter().find(is_it).is_none();
        let (lines, _) =
            changed.wait_timeout_while(lines.lock().unwrap(), PATIENCE, is_missing).unwrap();
        let found = lines.iter().find(is_it);
        found.unwrap_or_else(|| panic!("no {word} of {id} in\n{lines:?}")).clone()
    }

    fn has(&self, text: &str) -> bool {
        self.0.0.lock().unwrap().iter().any(|line| line.contains(text))
    }
}

/// Returns the log and the recorder of the process, installed before any server starts.
fn observed() -> &'static (Log, PrometheusHandle) {
    static OBSERVED: OnceLock<(Log, PrometheusHandle)> = OnceLock::new();
    OBSERVED.get_or_init(|| {
        let log = Log::default();
        let all = layer().json().with_writer(log.clone()).with_filter(LevelFilter::INFO);
        let errors = layer().json().with_writer(errors().clone()).with_filter(LevelFilter::ERROR);
        tracing_subscriber::registry().with(all).with(errors).init();
        (log, PrometheusBuilder::new().install_recorder().unwrap())
    })
}

/// Returns a log that has errors alone.
fn errors() -> &'static Log {
    static ERRORS: OnceLock<Log> = OnceLock::new();
    ERRORS.get_or_init(Log::default)
}

fn create(server: &Server, key: &str, id: &str) -> u16 {
    let headers =
        [("Authorization", key), ("Content-Type", "application/json"), ("X-Request-Id", id)];
    server.request("POST", MODELS, &headers, NAMED).status
}

#[test]
fn wire_500_a_fault_is_logged_with_its_id_and_cause_and_without_the_body() {
    let (log, _) = observed();
    let server = Server::new();
    let key = server.any_key();
    for (behaviour, id, status, cause) in [
        (Behaviour::Fails(StoreErrorKind::Failed), "id-failed", 500, "the cause of the fault"),
        (Behaviour::Fails(StoreErrorKind::Busy), "id-busy", 503, "the cause of the fault"),
        // What the panic says may repeat what was sent, and this one does.
        (Behaviour::Panics, "id-panic", 500, "a handler panicked\\\""),
    ] {
        server.store.behave(behaviour);
        assert_eq!(create(&server, &key, id), status);
        assert!(log.line(id, "\"failed\"").contains(cause), "{}", log.line(id, "\"failed\""));
        let line = log.line(id, "\"message\":\"request\"");
        assert!(line.contains(&format!("\"status\":{status}")), "{line}");
        assert!(line.contains("\"target\":\"custom_models_http::access_log\""), "{line}");
    }
    server.store.reads_panic();
    let headers = [("Authorization", &*key), ("X-Request-Id", "read-panic")];
    assert_eq!(server.request("GET", &format!("{MODELS}/1"), &headers, "").status, 500);
    assert!(log.line("read-panic", "\"failed\"").contains("a read panicked: a read that panics"));
    log.line("read-panic", "a read that logs");
    for secret in ["Cardiology", &key[24..]] {
        assert!(!log.has(secret), "{secret} is in the log");
    }
}

#[test]
fn place_4_refusals_at_full_places_are_counted_and_are_no_errors_in_the_log() {
    let (log, recorded) = observed();
    let mut options = Options::default();
    options.events_poll = Duration::from_secs(3600);
    options.waiters = 1;
    let server = Server::start(Limits::NONE, options);
    let (key, other) =
        (server.any_key(), server.key(2, "other", &custom_models_core::access::Scope::ALL));
    let path = format!("{MODELS}/events?wait=30");
    let mut waiting = server.connect();
    waiting.write(head("GET", &path, &[("Authorization", &key)], None));
    server.store.wait_for_event_reads(2);
    for (key, id, level, limit) in
        [(&key, "own-share", "INFO", "share"), (&other, "no-place", "WARN", "capacity")]
    {
        let headers = [("Authorization", &**key), ("X-Request-Id", id)];
        assert_eq!(server.request("GET", &path, &headers, "").status, 503);
        let line = log.line(id, "\"refused\"");
        assert!(line.contains(&format!("\"level\":\"{level}\"")), "{line}");
        assert!(!errors().has(id), "{id}");
        let sample = format!(
            "custom_models_limit_refusals_total{{operation=\"events\",limit=\"{limit}\"}} 1"
        );
        let page = recorded.render();
        assert!(page.lines().any(|line| line == sample), "{sample} is not in\n{page}");
    }
}

#[test]
fn wire_501_and_wire_an_id_that_is_a_key_are_no_errors_and_the_key_is_not_logged() {
    let (log, _) = observed();
    let server = Server::new();
    let key = server.any_key();
    let (_, secret) = key.split_once(' ').unwrap();
    let coded = [("Transfer-Encoding", "gzip, chunked"), ("X-Request-Id", "coded")];
    server
        .send(head("POST", MODELS, &coded, None) + "0\r\n\r\n")
        .refuses(501, "UNSUPPORTED_TRANSFER_ENCODING");
    let line = log.line("coded", "\"message\":\"request\"");
    assert!(line.contains("\"status\":501"), "{line}");
    assert!(!errors().has("coded"));
    for sent in [secret, &secret[16..]] {
        let answer = server.request("GET", "/health", &[("X-Request-Id", sent)], "");
        log.line(&answer.headers["x-request-id"], "\"message\":\"request\"");
        assert!(!log.has(&sent[..20]));
    }
}

#[test]
fn lines_that_are_logged_for_a_request_have_its_id() {
    let (log, _) = observed();
    let server = Server::new();
    server.store.reads_panic();
    assert_eq!(server.request("GET", "/ready", &[("X-Request-Id", "not-ready")], "").status, 503);
    log.line("not-ready", "not ready");
    errors().line("not-ready", "not ready");
}

#[test]
fn a_client_that_leaves_is_logged_and_counted_and_so_is_what_waits_or_fails() {
    let (log, recorded) = observed();
    let server = Server::limited("100/1h", 1);
    let key = server.any_key();
    server.store.behave(Behaviour::Holds);
    let mut client = server.connect();
    let headers =
        [("Authorization", &*key), ("Content-Type", "application/json"), ("X-Request-Id", "gone")];
    client.write(head("POST", MODELS, &headers, Some(NAMED.len())) + NAMED);
    server.store.wait_for_held_writes(1);
    assert_eq!(create(&server, &key, "second"), 429);
    drop(client);
    let line = log.line("gone", "\"abandoned\"");
    assert!(line.contains(&format!("\"route\":\"{MODELS}\"")), "{line}");
    server.store.behave(Behaviour::Fails(StoreErrorKind::OutcomeUnknown));
    assert_eq!(create(&server, &key, "unknown"), 503);
    let page = recorded.render();
    for sample in [
        r#"custom_models_limit_refusals_total{operation="create",limit="places"} 1"#,
        r#"custom_models_creates_total{outcome="places"} 1"#,
        r#"custom_models_creates_total{outcome="abandoned"} 1"#,
        r#"custom_models_creates_total{outcome="unknown"} 1"#,
        r#"custom_models_http_requests_total{route="/api/v3/custom_models",method="POST",status="none"} 1"#,
    ] {
        assert!(page.lines().any(|line| line == sample), "{sample} is not in\n{page}");
    }
}

#[test]
fn refusals_by_limits_are_counted_for_every_operation() {
    let (_, recorded) = observed();
    let once = OperationLimit { requests: Some("1/1h".parse().unwrap()), at_once: None };
    let limits = Operation::ALL.iter().fold(Limits::NONE, |all, &it| all.with(it, once));
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.contents = Some(Arc::new(Folder::open(folder.path(), &MemoryStore::new()).unwrap()));
    let server = Server::start(limits, options);
    let key = server.any_key();
    let model = format!("{MODELS}/1");
    for (method, path) in [
        ("POST", MODELS),
        ("GET", MODELS),
        ("GET", &model),
        ("POST", &model),
        ("DELETE", &model),
        ("PUT", &format!("{model}/data")),
        ("GET", &format!("{model}/data")),
        ("DELETE", &format!("{model}/data/1")),
        ("POST", &format!("{model}/run")),
        ("POST", &format!("{model}/cancel")),
        ("GET", &format!("{MODELS}/resolve/custom_model_1")),
        ("GET", &format!("{MODELS}/events")),
        ("POST", "/api/v3/training/claim"),
        ("HEAD", "/api/v3/uploads/1"),
    ] {
        let headers = [
            ("Authorization", &*key),
            ("Content-Type", "application/json"),
            ("Tus-Resumable", "1.0.0"),
        ];
        let ask = || server.request(method, path, &headers, "{}").status;
        assert_ne!(ask(), 429, "{method} {path}");
        assert_eq!(ask(), 429, "{method} {path}");
    }
    let page = recorded.render();
    for operation in Operation::ALL {
        let sample = format!(
            "custom_models_limit_refusals_total{{operation=\"{}\",limit=\"window\"}} 1",
            operation.as_str()
        );
        assert!(page.lines().any(|line| line == sample), "{sample} is not in\n{page}");
    }
}
