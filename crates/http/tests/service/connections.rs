//! Clients that are slow, broken or gone, or still send.

use std::sync::mpsc::channel;
use std::time::Duration;

use custom_models_core::access::{Limits, Operation, OperationLimit, Scope};
use custom_models_http::Options;

use crate::support::{Answer, Behaviour, MODELS, NAMED, Server, head};

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Starts a server with changed options.
fn server_with(change: impl FnOnce(&mut Options)) -> Server {
    let mut options = Options::default();
    change(&mut options);
    Server::start(Limits::NONE, options)
}

/// Sets a long time-out for draining. No test depends on its length.
fn patient(options: &mut Options) {
    options.drain_timeout = Duration::from_secs(60);
}

#[test]
fn a_client_that_sends_all_before_it_reads_sees_an_early_refusal() {
    let once = OperationLimit { requests: Some("1/1h".parse().unwrap()), at_once: None };
    let server = server_with(patient);
    let mut options = Options::default();
    patient(&mut options);
    let limited = Server::start(Limits::NONE.with(Operation::Create, once), options);
    let key = server.any_key();
    assert_eq!(limited.create(&limited.any_key(), NAMED).status, 201);
    let body = vec![b' '; 800_000];
    let with_key = || vec![JSON, ("Authorization", &*key)];
    for (server, method, path, headers, status) in [
        (&server, "POST", MODELS, vec![JSON], 401),
        (&server, "POST", "/nothing", with_key(), 404),
        (&server, "PUT", MODELS, with_key(), 405),
        (&server, "POST", MODELS, with_key(), 413),
        (&server, "POST", MODELS, vec![("Authorization", &*key)], 415),
        (&limited, "POST", MODELS, with_key(), 429),
    ] {
        let mut client = server.connect();
        client.write(head(method, path, &headers, Some(body.len())));
        client.write(&body);
        assert_eq!(client.answer().status, status);
        client.write(head("GET", "/health", &[], None));
        assert_eq!(client.answer().status, 200, "the connection goes on after a {status}");
    }
}

/// The response is there before the body is sent. Closing the connection then would reset it.
#[test]
fn a_client_that_sends_after_an_early_refusal_still_sees_it() {
    let server = server_with(patient);
    let mut client = server.connect();
    let body = vec![b' '; 800_000];
    client.write(head("POST", MODELS, &[JSON], Some(body.len())));
    client.wait_for_answer();
    client.write(&body);
    assert_eq!(client.answer().status, 401);
}

#[test]
fn a_client_that_sends_without_end_is_disconnected_after_its_refusal() {
    let server = Server::new();
    for path in [MODELS, "/nothing"] {
        let mut client = server.connect();
        client.write(head("POST", path, &[JSON], Some(1 << 30)));
        assert!(matches!(client.answer().status, 401 | 404));
        let pieces = (0..1024).take_while(|_| client.try_write(vec![0; 1 << 20])).count();
        assert!(pieces < 1024, "a whole gibibyte was taken");
    }
    assert_eq!(server.request("GET", "/health", &[], "").status, 200);
}

#[test]
fn a_client_that_reads_no_responses_is_disconnected() {
    let server = server_with(|options| options.write_timeout = Duration::from_millis(1));
    let mut client = server.connect();
    let large = head("GET", "/openapi.json", &[], None).repeat(1000);
    while client.try_write(&large) {}
    assert_eq!(server.request("GET", "/health", &[], "").status, 200);
}

#[test]
fn a_chunked_body_is_read_and_one_that_is_too_long_or_broken_is_refused() {
    let server = Server::new();
    let key = server.any_key();
    let headers = [JSON, ("Authorization", &*key), ("Transfer-Encoding", "chunked")];
    let start = head("POST", MODELS, &headers, None);
    let (a, b) = NAMED.split_at(10);
    let chunked = format!("{start}a\r\n{a}\r\n{:x}\r\n{b}\r\n0\r\n\r\n", b.len());
    assert_eq!(server.send(chunked).status, 201);
    let piece = format!("8000\r\n{}\r\n", " ".repeat(0x8000));
    let long = format!("{start}{}0\r\n\r\n", piece.repeat(3));
    server.send(long).refuses(413, "PAYLOAD_TOO_LARGE");
    server.send(format!("{start}zz\r\n")).is(
        400,
        r#"{"error":"Validation Error","message":"Invalid field values","details":{"body":"Request body is not valid JSON"}}"#,
    );
}

#[test]
fn wire_400_and_wire_408_a_body_that_ends_early_is_no_json_and_one_that_stalls_is_late() {
    let server = Server::new();
    let key = server.any_key();
    let start = head("POST", MODELS, &[JSON, ("Authorization", &key)], Some(100));
    let mut client = server.connect();
    client.write(&start);
    client.write(NAMED);
    client.finish();
    assert_eq!(client.answer().status, 400);
    let server = server_with(|options| options.body_timeout = Duration::from_millis(1));
    let key = server.any_key();
    let start = head("POST", MODELS, &[JSON, ("Authorization", &key)], Some(100));
    let mut client = server.connect();
    client.write(&start);
    client.answer().is(
        408,
        r#"{"error":"Request Timeout","message":"The request did not arrive in time","error_code":"REQUEST_TIMEOUT"}"#,
    );
}

#[test]
fn a_client_that_waits_for_100_continue_gets_it_or_an_early_refusal() {
    let server = Server::new();
    let key = server.any_key();
    let expect = ("Expect", "100-continue");
    let mut client = server.connect();
    let headers = [JSON, expect, ("Authorization", &*key)];
    client.write(head("POST", MODELS, &headers, Some(NAMED.len())));
    assert_eq!(client.answer().status, 100);
    client.write(NAMED);
    assert_eq!(client.answer().status, 201);
    for (headers, length, status) in [
        (vec![JSON, expect], 5, 401),
        (vec![JSON, expect, ("Authorization", &*key)], 65537, 413),
        (vec![expect, ("Authorization", &*key)], 5, 415),
    ] {
        let mut client = server.connect();
        client.write(head("POST", MODELS, &headers, Some(length)));
        let refused = client.answer();
        assert_eq!(refused.status, status, "is not asked for the body");
        // What it sent next would be taken for its body.
        refused.has("connection", "close");
        client.finish();
        assert!(client.is_at_end());
    }
}

#[test]
fn a_client_that_does_not_wait_for_100_continue_sees_an_early_refusal() {
    let server = server_with(patient);
    let body = vec![b' '; 800_000];
    for path in [MODELS, "/nothing"] {
        for answered_first in [false, true] {
            let mut client = server.connect();
            let headers = [JSON, ("Expect", "else"), ("Expect", "100-continue")];
            client.write(head("POST", path, &headers, Some(body.len())));
            if answered_first {
                client.wait_for_answer();
            }
            client.write(&body);
            let refused = client.answer();
            assert!(matches!(refused.status, 401 | 404), "{refused:?}");
            refused.has("connection", "close");
            assert!(client.is_at_end());
        }
    }
}

#[test]
fn wire_503_a_write_that_is_not_answered_in_time_says_that_its_outcome_is_unknown() {
    let server = server_with(|options| options.store_timeout = Duration::from_millis(1));
    let key = server.any_key();
    server.store.behave(Behaviour::Holds);
    // A server of so little patience may not even have found the key in time: then it is busy.
    let answers = std::iter::repeat_with(|| server.create(&key, NAMED));
    let is_late = |answer: &Answer| {
        assert_eq!(answer.has("retry-after", "1").status, 503);
        !answer.body.contains("STORE_BUSY")
    };
    let late = answers.take(10_000).find(is_late).unwrap();
    late.refuses(503, "OUTCOME_UNKNOWN");
}

#[test]
fn creates_that_wait_for_the_store_need_no_threads() {
    let server = Server::new();
    server.register("many", "Enterprise");
    let key = server.key(2, "many", &Scope::ALL);
    server.store.behave(Behaviour::Holds);
    let create = head("POST", MODELS, &[JSON, ("Authorization", &key)], Some(NAMED.len())) + NAMED;
    let mut clients: Vec<_> = (0..256).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| client.write(&create));
    server.store.wait_for_held_writes(256);
    server.store.behave(Behaviour::Works);
    for client in &mut clients {
        assert_eq!(client.answer().status, 201);
    }
}

#[test]
fn wire_503_a_read_that_is_not_answered_in_time_may_be_tried_again() {
    let server = server_with(|options| options.store_timeout = Duration::from_millis(100));
    let key = server.any_key();
    let (answered, may_end) = channel::<()>();
    server.store.before_get(move || {
        let _ = may_end.recv();
    });
    let late = server.get(&key, &format!("{MODELS}/1"));
    late.refuses(503, "STORE_BUSY").has("retry-after", "1");
    drop(answered);
}

#[test]
fn a_head_that_stalls_ends_its_connection() {
    let server = server_with(|options| options.header_timeout = Duration::from_millis(1));
    let mut client = server.connect();
    client.try_write("GET /health HTTP/1.1\r\nHost:");
    // Whether anything is said before the end is the HTTP library's to choose.
    while !client.is_at_end() {
        client.answer();
    }
}

#[test]
fn responses_on_one_connection_are_in_the_order_of_the_requests() {
    let server = Server::new();
    let key = server.any_key();
    let create = head("POST", MODELS, &[JSON, ("Authorization", &key)], Some(NAMED.len())) + NAMED;
    let get = head("GET", "/health", &[], None);
    let mut client = server.connect();
    client.write(format!("{create}{get}{create}"));
    let statuses: Vec<u16> = (0..3).map(|_| client.answer().status).collect();
    assert_eq!(statuses, [201, 200, 201]);
}

#[test]
fn wire_headers_of_8_kib_are_accepted_long_or_many() {
    let server = Server::new();
    let host = "Host: h\r\n";
    let field = |length: usize| format!("x: {}\r\n", "y".repeat(length - 5));
    let room = 8 * 1024 - host.len();
    let many = field(room / 99).repeat(98) + &field(room / 99 + room % 99);
    for headers in [field(room), many] {
        assert_eq!(host.len() + headers.len(), 8 * 1024);
        assert_eq!(server.send(format!("GET /health HTTP/1.1\r\n{host}{headers}\r\n")).status, 200);
    }
}

#[test]
fn a_shutdown_lets_running_requests_end_and_accepts_no_more() {
    let server = Server::new();
    let key = server.any_key();
    server.store.behave(Behaviour::Holds);
    let (address, store) = (server.address, server.store.clone());
    let mut client = server.connect();
    let headers = [JSON, ("Authorization", &*key)];
    client.write(head("POST", MODELS, &headers, Some(NAMED.len())) + NAMED);
    store.wait_for_held_writes(1);
    let ended = std::thread::spawn(move || server.ended());
    // The port is closed first; only then is the request allowed to end.
    while std::net::TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    store.behave(Behaviour::Works);
    assert_eq!(client.answer().status, 201);
    assert!(ended.join().unwrap(), "everything ended in time");
    assert!(client.is_at_end());
}

#[test]
fn a_shutdown_has_a_time_out() {
    let server = server_with(|options| options.shutdown_timeout = Duration::from_millis(1));
    let key = server.any_key();
    server.store.behave(Behaviour::Holds);
    let mut client = server.connect();
    let headers = [JSON, ("Authorization", &*key)];
    client.write(head("POST", MODELS, &headers, Some(NAMED.len())) + NAMED);
    server.store.wait_for_held_writes(1);
    assert!(!server.ended());
}
