//! Running the service: its log, its end, and what it takes of the machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::io::{BufRead, Read, Write};
use std::net::TcpStream;

use serde_json::Value;
use support::Folder;
use support::serving::{NAMED, Serving, ask, bounded, key_of};

const MODELS: &str = "/api/v3/custom_models";

/// Requests that end in each kind of refusal, the id of each being its status.
fn refused(folder: &Folder, options: &[&str]) -> (String, String) {
    let config = folder.path().join("config.toml");
    std::fs::write(config, "[plans]\nSolo = { models = 1 }\n[limits.get]\nrequests = \"1/1h\"\n")
        .unwrap();
    let key = key_of(folder, "acme");
    let lost = key_of(folder, "lost");
    let set = ["org", "set-plan", "lost", "--plan", "Tin", "--config", "tin.toml"];
    std::fs::write(folder.path().join("tin.toml"), "[plans]\nTin = {}\n").unwrap();
    assert_eq!(folder.run(&set).code, 0);
    let arguments = [&["serve", "--config", "config.toml"], options].concat();
    let server = Serving::start(folder, &arguments);
    let long = "Cardiology".repeat(7000);
    for (id, key, method, path, body) in [
        ("201", &key, "POST", MODELS, NAMED),
        ("400", &key, "POST", MODELS, r#"{"name":"Cardiology","language":"Cardiology"}"#),
        ("413", &key, "POST", MODELS, &long),
        ("401", &key[..20].to_owned(), "POST", MODELS, NAMED),
        ("404", &key, "GET", "/api/v3/custom_models/Cardiology", ""),
        ("429", &key, "GET", "/api/v3/custom_models/1", ""),
        ("405", &key, "PUT", MODELS, NAMED),
        ("500", &lost, "POST", MODELS, NAMED),
    ] {
        let authorization = format!("Bearer {key}");
        let headers = [
            ("Authorization", &*authorization),
            ("Content-Type", "application/json"),
            ("X-Request-Id", &format!("test-{id}")),
        ];
        let (status, head, _) = ask(&server.address, method, path, &headers, body);
        assert_eq!(status.to_string(), id);
        assert!(head.contains(&format!("x-request-id: test-{id}")), "{head}");
    }
    let (code, log) = server.terminate();
    assert_eq!(code, Some(0), "{log}");
    for secret in [&key[16..], &lost[16..], "Cardiology", "Medical"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
    (key, log)
}

const STATUSES: [&str; 8] = ["201", "400", "413", "401", "404", "429", "405", "500"];

#[test]
fn a_log_of_texts_has_a_line_with_the_id_of_each_request() {
    let (_, log) = refused(&Folder::new(), &[]);
    for status in STATUSES {
        let (id, status) = (format!("request_id=\"test-{status}\""), format!(" status={status} "));
        let lines = log.lines().filter(|line| line.contains(&id) && line.contains(&status)).count();
        assert_eq!(lines, if status == " status=500 " { 2 } else { 1 }, "{id}:\n{log}");
    }
    let failed = log.lines().find(|line| line.contains("ERROR")).unwrap();
    assert!(failed.contains("request_id=\"test-500\"") && failed.contains("cause="), "{failed}");
}

#[test]
fn a_log_has_only_what_its_level_asks_for() {
    for (level, expected) in [("warn", 1), ("error", 1), ("off", 0)] {
        let (_, log) = refused(&Folder::new(), &["--log", "json", "--log-level", level]);
        let lines: Vec<Value> =
            log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), expected, "{level}:\n{log}");
        for line in lines {
            assert_eq!(line["level"], "ERROR", "{line}");
            assert_eq!(line["fields"]["message"], "failed", "{line}");
            assert_eq!(line["fields"]["request_id"], "test-500", "{line}");
        }
    }
}

#[test]
fn a_log_of_json_has_a_line_with_the_id_of_each_request() {
    let (_, log) = refused(&Folder::new(), &["--log", "json"]);
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for status in STATUSES {
        let (id, number) = (format!("test-{status}"), status.parse::<u64>().unwrap());
        let is_it = |line: &&Value| line["fields"]["request_id"] == id;
        let its: Vec<_> = lines.iter().filter(is_it).collect();
        assert_eq!(its.len(), if status == "500" { 2 } else { 1 }, "{its:?}");
        assert!(its.iter().all(|line| line["fields"]["status"] == number), "{its:?}");
        assert!(its.iter().all(|line| line["fields"]["method"].is_string()), "{its:?}");
    }
}

#[test]
fn a_log_that_nobody_reads_harms_no_request() {
    let folder = Folder::new();
    let mut server = Serving::start(&folder, &["serve", "--store", "memory:"]);
    server.stop_listening();
    for _ in 0..3 {
        assert_eq!(server.ask("GET", "/health", "", "").0, 200);
    }
    assert_eq!(server.terminate().0, Some(0));
}

/// Asks for as many answers on one connection, and waits for them.
fn ask_often(address: &str, times: usize) {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request.repeat(times).as_bytes()).unwrap();
    let mut answers = std::io::BufReader::new(stream).split(b'}');
    (0..times).for_each(|_| assert!(answers.next().unwrap().unwrap().ends_with(b"\"alive\"")));
}

/// The lines that the log of a server has lost.
fn lost(server: &Serving) -> u64 {
    let (_, _, page) = ask(server.metrics().unwrap(), "GET", "/metrics", &[], "");
    let mut lines = page.lines();
    let found = lines.find_map(|it| it.strip_prefix("custom_models_log_lines_lost_total "));
    found.unwrap().parse().unwrap()
}

/// A server whose log has lost lines, because its standard error stays open and nobody reads it. It is killed
/// if it does not end, as [`bounded`] does.
fn overwhelmed(folder: &Folder) -> (Serving, std::sync::mpsc::Sender<()>) {
    let metrics = ["--metrics-listen", "127.0.0.1:0"];
    let server = Serving::start(folder, &[&["serve", "--store", "memory:"], &metrics[..]].concat());
    let bounded = bounded(&server.child);
    assert_eq!(lost(&server), 0);
    // Far more than the pipe and the queue take.
    let is_lost = (0..1000).any(|_| {
        ask_often(&server.address, 100);
        lost(&server) > 0
    });
    assert!(is_lost);
    (server, bounded)
}

#[test]
fn a_log_that_stays_unread_stops_nothing_and_the_end_does_not_wait_for_it() {
    let folder = Folder::new();
    let (mut server, _bounded) = overwhelmed(&folder);
    assert_eq!(server.ask("GET", "/health", "", "").0, 200);
    server.tell_to_end();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_an_unread_log_has_lost_is_said_when_it_is_read_again() {
    let folder = Folder::new();
    let (server, _bounded) = overwhelmed(&folder);
    let most = lost(&server);
    let (code, log) = server.terminate();
    assert_eq!(code, Some(0));
    let (_, told) =
        log.rsplit_once(" WARN custom_models_cli::log: lines of the log were lost lost=").unwrap();
    let told: u64 = told.lines().next().unwrap().parse().unwrap();
    assert!(told >= most, "{told} of {most}");
}

/// Its standard output is full as well.
#[cfg(unix)]
#[test]
fn a_demo_serves_and_ends_though_nobody_reads_what_it_prints() {
    let folder = Folder::new();
    let (out, unread) = support::full();
    let mut demo = folder.command(&["demo", "--listen", "127.0.0.1:0"]);
    let mut child = demo.stdout(out).spawn().unwrap();
    let _bounded = bounded(&child);
    let mut said = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
    let listening = said.next().unwrap().unwrap();
    let address = listening.strip_prefix("listening on http://").unwrap();
    assert_eq!(ask(address, "GET", "/health", &[], "").0, 200);
    let killed = std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    drop(unread);
}

/// Sends a request that leaves its connection open, and reads until what it says at its end.
fn kept_open(address: &str, path: &str, last: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let (mut read, mut buffer) = (String::new(), [0; 1024]);
    while !read.contains(last) {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "closed after {read}");
        read.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    stream
}

#[test]
fn idle_connections_do_not_hold_up_the_end() {
    let folder = Folder::new();
    let arguments = ["serve", "--store", "memory:", "--metrics-listen", "127.0.0.1:0"];
    let server = Serving::start(&folder, &arguments);
    let idle = [
        kept_open(&server.address, "/health", "alive"),
        kept_open(server.metrics().unwrap(), "/metrics", "route=\"/health\",method=\"GET\"} 1"),
        // Nothing was asked on these.
        TcpStream::connect(&server.address).unwrap(),
        TcpStream::connect(server.metrics().unwrap()).unwrap(),
    ];
    let (code, log) = server.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("cut off"), "{log}");
    drop(idle);
}

#[test]
fn a_request_at_work_ends_before_the_process_does() {
    let folder = Folder::new();
    let key = key_of(&folder, "acme");
    let server = Serving::start(&folder, &["serve", "--metrics-listen", "127.0.0.1:0"]);
    let scraper = kept_open(server.metrics().unwrap(), "/metrics", "\r\n\r\n");
    let mut stream = TcpStream::connect(&server.address).unwrap();
    write!(
        stream,
        "POST {MODELS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
        Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        NAMED.len()
    )
    .unwrap();
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n", "it is at work, and waits for the body");
    server.tell_to_end();
    // It takes nothing new; only then does the body come.
    while TcpStream::connect(&server.address).is_ok() {
        std::thread::yield_now();
    }
    stream.write_all(NAMED.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    let (code, log) = server.ended();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("cut off"), "{log}");
    drop(scraper);
    assert_eq!(folder.run(&["show", "1", "--org", "acme"]).code, 0);
}

/// Memory of its own: what is read from the binary and can be dropped is not counted.
#[test]
#[cfg(target_os = "linux")]
fn an_idle_service_holds_less_than_20_mib() {
    let folder = Folder::new();
    let key = key_of(&folder, "acme");
    let arguments = ["serve", "--create-limit", "off", "--metrics-listen", "127.0.0.1:0"];
    let server = Serving::start(&folder, &arguments);
    for _ in 0..20 {
        server.create(&key);
        assert_eq!(server.ask("GET", MODELS, &key, "").0, 200);
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let held = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    let kib: u64 = held.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    assert!(kib < 20 * 1024, "{kib} KiB");
}
