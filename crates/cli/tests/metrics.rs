//! The page of metrics: what it counts, what it keeps to itself, and where it is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::net::TcpListener;
use std::thread;

use support::serving::{Serving, ask, bounded, key_of};
use support::{Ended, Folder};

const MODELS: &str = "/api/v3/custom_models";
const MODEL: &str = "/api/v3/custom_models/{id}";
const ANYWHERE: [&str; 2] = ["--metrics-listen", "127.0.0.1:0"];

/// The page of metrics.
fn page_of(server: &Serving) -> String {
    let (status, head, page) = ask(server.metrics().unwrap(), "GET", "/metrics", &[], "");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    page
}

/// The value of the one sample with this name and these labels among its own.
#[track_caller]
fn sample(page: &str, name: &str, labels: &[(&str, &str)]) -> f64 {
    let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
    let is_it = |line: &&str| {
        let rest = line.strip_prefix(name).unwrap_or_default();
        rest.starts_with(['{', ' ']) && labels.iter().all(|label| rest.contains(label))
    };
    let found: Vec<&str> = page.lines().filter(is_it).collect();
    assert_eq!(found.len(), 1, "{name} {labels:?}: {found:?} of\n{page}");
    found[0].rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn what_becomes_of_requests_is_counted() {
    let folder = Folder::new();
    let key = key_of(&folder, "acme");
    let arguments = [&["serve", "--create-limit", "7/1h"], &ANYWHERE[..]].concat();
    let server = Serving::start(&folder, &arguments);
    let statuses = [(); 5].map(|()| server.create(&key).0);
    assert_eq!(statuses, [201; 5]);
    assert_eq!(server.ask("POST", MODELS, &key, "{}").0, 400);
    assert_eq!([(); 3].map(|()| server.create(&key).0), [402, 429, 429]);
    assert_eq!(server.create("cm_nobody").0, 401);
    for (method, path, status) in [
        ("GET", "/api/v3/custom_models/1", 200),
        ("GET", "/api/v3/custom_models/2", 200),
        ("GET", "/api/v3/custom_models/Cardiology", 404),
        ("PUT", "/api/v3/custom_models/1", 405),
        ("BREW", "/api/v3/custom_models", 405),
        ("GET", "/Cardiology", 404),
        ("GET", "/acme", 404),
    ] {
        assert_eq!(server.ask(method, path, &key, "").0, status, "{method} {path}");
    }
    let page = page_of(&server);
    for (route, method, status, count) in [
        (MODELS, "POST", "201", 5.0),
        (MODELS, "POST", "400", 1.0),
        (MODELS, "POST", "401", 1.0),
        (MODELS, "POST", "402", 1.0),
        (MODELS, "POST", "429", 2.0),
        (MODELS, "other", "405", 1.0),
        (MODEL, "GET", "200", 2.0),
        (MODEL, "GET", "404", 1.0),
        (MODEL, "PUT", "405", 1.0),
        ("none", "GET", "404", 2.0),
    ] {
        let labels = [("route", route), ("method", method), ("status", status)];
        let counted = sample(&page, "custom_models_http_requests_total", &labels);
        assert_eq!(counted, count, "{labels:?}");
    }
    let series = page.lines().filter(|line| line.starts_with("custom_models_http_requests_total{"));
    assert_eq!(series.count(), 10, "nothing else was counted:\n{page}");
    for (outcome, count) in
        [("created", 5.0), ("invalid", 1.0), ("quota", 1.0), ("window", 2.0), ("unauthorized", 1.0)]
    {
        let counted = sample(&page, "custom_models_creates_total", &[("outcome", outcome)]);
        assert_eq!(counted, count, "{outcome}");
    }
    let window = [("operation", "create"), ("limit", "window")];
    assert_eq!(sample(&page, "custom_models_limit_refusals_total", &window), 2.0);
    for secret in [&key[..15], "acme", "Cardiology", "Gold"] {
        assert!(!page.contains(secret), "{secret} is on the page:\n{page}");
    }
}

#[test]
fn durations_and_groups_are_histograms() {
    let folder = Folder::new();
    let key = key_of(&folder, "acme");
    // A sweep is a write too.
    let unswept = ["serve", "--sweep-every", "off"];
    let server = Serving::start(&folder, &[&unswept[..], &ANYWHERE].concat());
    assert_eq!([(); 3].map(|()| server.create(&key).0), [201; 3]);
    let page = page_of(&server);
    // A create is one write, with its admission.
    for (name, labels, count) in [
        (
            "custom_models_http_request_duration_seconds",
            &[("route", MODELS), ("method", "POST")][..],
            3.0,
        ),
        ("custom_models_store_commit_duration_seconds", &[], 3.0),
        ("custom_models_store_group_writes", &[], 3.0),
    ] {
        assert!(page.contains(&format!("# TYPE {name} histogram\n")), "{page}");
        assert_eq!(sample(&page, &format!("{name}_count"), labels), count);
        let bucket = format!("{name}_bucket");
        let upto = |le: &str| sample(&page, &bucket, &[labels, &[("le", le)]].concat());
        assert_eq!(upto("+Inf"), count);
        let buckets = page.lines().filter(|line| line.starts_with(&bucket)).count();
        assert!(buckets > 10, "{page}");
        if name.ends_with("_writes") {
            assert_eq!((upto("1"), upto("4096")), (3.0, 3.0), "each was a group of its own");
            assert_eq!(sample(&page, &format!("{name}_sum"), labels), 3.0);
        } else {
            assert!(sample(&page, &format!("{name}_sum"), labels) > 0.0);
        }
    }
}

#[test]
fn writes_that_are_committed_together_are_all_counted() {
    let folder = Folder::new();
    let key = key_of(&folder, "acme");
    let unlimited = ["serve", "--create-limit", "off", "--create-concurrency", "off"];
    let unswept = ["--sweep-every", "off"];
    let server = Serving::start(&folder, &[&unlimited[..], &unswept, &ANYWHERE].concat());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| [(); 4].map(|()| server.create(&key)));
        }
    });
    let page = page_of(&server);
    let groups = sample(&page, "custom_models_store_group_writes_count", &[]);
    assert_eq!(sample(&page, "custom_models_store_group_writes_sum", &[]), 32.0, "{page}");
    assert!((1.0..=32.0).contains(&groups), "{page}");
    assert_eq!(sample(&page, "custom_models_store_commit_duration_seconds_count", &[]), groups);
    assert_eq!(sample(&page, "custom_models_creates_total", &[("outcome", "created")]), 5.0);
    assert_eq!(sample(&page, "custom_models_creates_total", &[("outcome", "quota")]), 27.0);
}

#[test]
fn every_metric_is_described_by_itself_and_by_the_page_about_operating() {
    let folder = Folder::new();
    let key = key_of(&folder, "acme");
    let arguments = [&["serve", "--create-limit", "1/1h"], &ANYWHERE[..]].concat();
    let server = Serving::start(&folder, &arguments);
    assert_eq!([(); 2].map(|()| server.create(&key).0), [201, 429]);
    let page = page_of(&server);
    let named = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut names: Vec<&str> = named.map(|line| line.split(' ').next().unwrap()).collect();
    names.sort_unstable();
    for name in &names {
        assert!(page.contains(&format!("# HELP {name} ")), "{name} is not described:\n{page}");
    }
    let documented = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operating.md");
    let documented = std::fs::read_to_string(documented).unwrap();
    let documented = documented.lines().filter_map(|line| line.strip_prefix("| `custom_models_"));
    let documented = documented.map(|rest| rest.split('`').next().unwrap());
    let mut documented: Vec<String> = documented.map(|it| format!("custom_models_{it}")).collect();
    documented.sort_unstable();
    assert_eq!(names, documented);
}

#[test]
fn nothing_but_the_page_is_on_its_listener_and_the_page_nowhere_else() {
    let folder = Folder::new();
    let server =
        Serving::start(&folder, &[&["serve", "--store", "memory:"], &ANYWHERE[..]].concat());
    let address = server.metrics().unwrap();
    for path in ["/", MODELS, "/health", "/ready", "/docs", "/openapi.json", "/metrics/"] {
        let (status, head, body) = ask(address, "GET", path, &[], "");
        assert_eq!(status, 404, "{path}");
        assert!(body.contains(r#""error_code":"ROUTE_NOT_FOUND""#), "{body}");
        assert!(head.contains("content-type: application/json\r\n"), "{head}");
        assert!(head.contains("x-request-id: "), "{head}");
    }
    let (status, head, body) = ask(address, "POST", "/metrics", &[], "");
    assert_eq!(status, 405);
    assert!(head.contains("allow: GET,HEAD"), "{head}");
    assert!(body.contains(r#""error_code":"METHOD_NOT_ALLOWED""#), "{body}");
    let (status, _, body) = ask(address, "GET", "/metrics?colour", &[], "");
    assert!(status == 400 && body.contains(r#""colour":"Unknown parameter""#), "{body}");
    assert_eq!(server.ask("GET", "/metrics", "", "").0, 404);
    assert!(!page_of(&server).contains("route=\"/metrics\""), "the page does not count itself");
}

/// Returns the number of sockets on which a process takes connections.
#[cfg(target_os = "linux")]
fn listening(server: &Serving) -> usize {
    let all = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let listen = |line: &&str| line.split_whitespace().nth(3) == Some("0A");
    let inode = |line: &str| line.split_whitespace().nth(9).map(|it| format!("socket:[{it}]"));
    let inodes: Vec<String> = all.lines().filter(listen).filter_map(inode).collect();
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap();
    let names = open.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    names.filter(|name| inodes.iter().any(|inode| name.as_os_str() == inode.as_str())).count()
}

#[test]
#[cfg(target_os = "linux")]
fn without_the_option_there_is_no_second_listener() {
    let folder = Folder::new();
    let server = Serving::start(&folder, &["serve", "--store", "memory:"]);
    assert_eq!((server.metrics(), listening(&server)), (None, 1), "{:?}", server.said);
    let server =
        Serving::start(&folder, &[&["serve", "--store", "memory:"], &ANYWHERE[..]].concat());
    assert_eq!(listening(&server), 2);
}

#[test]
fn an_address_that_is_taken_or_none_is_wrong_usage() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let serve = ["serve", "--store", "memory:", "--listen", "127.0.0.1:0", "--metrics-listen"];
    for (address, told) in
        [(&*taken, format!("--metrics-listen {taken}: ")), ("9", "invalid".to_owned())]
    {
        let started = folder.command(&[&serve[..], &[address]].concat()).spawn().unwrap();
        let _bounded = bounded(&started);
        let ended: Ended = started.wait_with_output().unwrap().into();
        assert_eq!((ended.code, &*ended.out), (2, ""), "{}", ended.err);
        assert!(ended.err.contains(&told), "{}", ended.err);
        assert!(!ended.err.contains("listening on"), "{}", ended.err);
    }
}
