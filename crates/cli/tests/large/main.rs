//! Tests that take gigabytes of disk. They run if `CUSTOM_MODELS_LARGE_TESTS=1` is set; otherwise they are
//! reported as ignored.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use libtest_mimic::{Arguments, Trial};
use support::Folder;
use support::serving::{Serving, key_of};

fn main() {
    let is_asked_for = std::env::var("CUSTOM_MODELS_LARGE_TESTS").is_ok_and(|value| value == "1");
    let run = || {
        an_upload_of_2_gib_takes_less_than_64_mib_of_memory();
        Ok(())
    };
    let trial = Trial::test("an_upload_of_2_gib_takes_less_than_64_mib_of_memory", run)
        .with_ignored_flag(!is_asked_for || !cfg!(target_os = "linux"));
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit();
}

/// The most memory that a process has had, in KiB.
fn most_memory(server: &Serving) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    most.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

fn an_upload_of_2_gib_takes_less_than_64_mib_of_memory() {
    const GIB: u64 = 1 << 30;
    let folder = Folder::new();
    let key = key_of(&folder, "acme");
    let server = Serving::start(&folder, &["serve", "--create-limit", "off"]);
    assert_eq!(server.create(&key).0, 201);
    // A small one first, so that the code for uploads is there.
    let (status, body) = upload(&server.address, &key, 1 << 20);
    assert_eq!(status, 200, "{body}");
    let before = most_memory(&server);
    let (status, body) = upload(&server.address, &key, 2 * GIB);
    assert_eq!(status, 200, "{body}");
    let more = most_memory(&server) - before;
    assert!(more < 64 * 1024, "{more} KiB more than before");
    let (_, listed) = server.ask("GET", "/api/v3/custom_models/1/data", &key, "");
    assert!(listed.contains(r#""audio_millis":11184810,"#), "{listed}");
}

/// Uploads a WAV file of so many bytes of silence, as they come; the status and the body of the answer.
fn upload(address: &str, key: &str, bytes: u64) -> (u16, String) {
    const PIECE: usize = 1 << 16;
    let disposition = "--b\r\nContent-Disposition: form-data; name=";
    let head = [
        format!("{disposition}\"type\"\r\n\r\ntrain\r\n").into_bytes(),
        format!("{disposition}\"transcript_file\"; filename=\"a.txt\"\r\n\r\nNothing.\r\n").into(),
        format!("{disposition}\"audio_file\"; filename=\"a.wav\"\r\n\r\n").into(),
        wav_head(u32::try_from(bytes).unwrap()),
    ]
    .concat();
    let tail = "\r\n--b--\r\n";
    let length = head.len() as u64 + bytes + tail.len() as u64;
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "PUT /api/v3/custom_models/1/data HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
        Authorization: Bearer {key}\r\nContent-Type: multipart/form-data; boundary=b\r\n\
        Content-Length: {length}\r\n\r\n"
    )
    .unwrap();
    stream.write_all(&head).unwrap();
    for _ in 0..bytes / PIECE as u64 {
        stream.write_all(&[0; PIECE]).unwrap();
    }
    stream.write_all(tail.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Returns the header before the samples of a WAV file with two channels of 16 bits at 48 kHz.
fn wav_head(length: u32) -> Vec<u8> {
    let number = u32::to_le_bytes;
    let format = [&[1, 0, 2, 0][..], &number(48_000), &number(192_000), &[4, 0, 16, 0]].concat();
    [b"RIFF", &number(36 + length)[..], b"WAVEfmt ", &number(16), &format, b"data", &number(length)]
        .concat()
}
