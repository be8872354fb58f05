//! A service that has no descriptor left.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use support::Folder;
use support::serving::{NAMED, ask, bounded};

/// The most descriptors that the service may have.
const MOST: usize = 64;

const BODY: &str = "--b\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\ntrain\r\n\
    --b\r\nContent-Disposition: form-data; name=\"audio_file\"; filename=\"a.wav\"\r\n\r\nx\r\n--b--\r\n";

fn descriptors(child: &Child) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap().count()
}

#[test]
fn wire_503_an_upload_without_a_descriptor_may_be_tried_again() {
    let folder = Folder::new();
    let line = format!("ulimit -n {MOST} && exec \"$0\" demo --listen 127.0.0.1:0");
    let mut child = Command::new("sh")
        .args(["-c", &line, env!("CARGO_BIN_EXE_custom-models")])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _bounded = bounded(&child);
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let listening = said.next().unwrap().unwrap();
    let address = listening.strip_prefix("listening on http://").unwrap().to_owned();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let key = line.split_once("Bearer ").unwrap().1.split_once('\'').unwrap().0.to_owned();
    let authorization = format!("Bearer {key}");
    let headers = [("Authorization", &*authorization), ("Content-Type", "application/json")];
    assert_eq!(ask(&address, "POST", "/api/v3/custom_models", &headers, NAMED).0, 201);
    let upload = |mut stream: TcpStream| {
        write!(
            stream,
            "PUT /api/v3/custom_models/1/data HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
            Authorization: {authorization}\r\nContent-Type: multipart/form-data; boundary=b\r\n\
            Content-Length: {}\r\n\r\n{BODY}",
            BODY.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let connected = TcpStream::connect(&address).unwrap();
    // With as many connections beside it as there are descriptors.
    let others: Vec<_> = (0..MOST).map(|_| TcpStream::connect(&address).unwrap()).collect();
    while descriptors(&child) < MOST {
        std::thread::yield_now();
    }
    let answer = upload(connected);
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("retry-after: 1\r\n") && answer.contains("STORE_BUSY"), "{answer}");
    drop(others);
    let again = std::iter::repeat_with(|| upload(TcpStream::connect(&address).unwrap()));
    let judged = { again }.find(|answer| !answer.starts_with("HTTP/1.1 503 ")).unwrap();
    assert!(judged.starts_with("HTTP/1.1 400 "), "{judged}");
    child.kill().unwrap();
    child.wait().unwrap();
}
