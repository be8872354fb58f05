//! AUTH: the key of a slow request is checked again.

use std::thread;
use std::time::Duration;

use custom_models_core::access::{Limits, Scope};
use custom_models_http::Options;

use crate::support::{Client, MODELS, NAMED, Server, head};
use crate::uploads::{TYPE, UPLOADED, right, uploads};

const UNAUTHORIZED: &str = r#"{"error":"Unauthorized","message":"Invalid or missing API key"}"#;

/// Sends the head of a request that enters, and waits for its body.
fn begun(
    server: &Server,
    method: &str,
    path: &str,
    more: &[(&str, &str)],
    length: usize,
) -> Client {
    let mut client = server.connect();
    let headers = [more, &[("Expect", "100-continue")]].concat();
    client.write(head(method, path, &headers, Some(length)));
    assert_eq!(client.answer().status, 100);
    client
}

#[test]
fn auth_1_and_auth_2_an_upload_is_discarded_if_its_key_was_revoked_or_lost_its_scope() {
    let uploads = uploads();
    let key = uploads.server.key(2, "acme", &Scope::ALL);
    let path = format!("{MODELS}/1/data");
    let upload = |more: &[(&str, &str)]| {
        let headers = [&[("Authorization", &*key), ("Content-Type", TYPE)], more].concat();
        begun(&uploads.server, "PUT", &path, &headers, right().len())
    };
    let ended = |mut client: Client| {
        client.write(right());
        client.answer()
    };
    let named = [("Idempotency-Key", "k")];
    ended(upload(&named)).is(200, UPLOADED);
    let (waiting, replay) = (upload(&[]), upload(&named));
    uploads.server.revoke(2);
    for client in [waiting, replay] {
        ended(client).is(401, UNAUTHORIZED).has("www-authenticate", "Bearer");
    }
    uploads.has_files(2);
    let headers = [("Authorization", &*uploads.key), ("Content-Type", TYPE)];
    let client = begun(&uploads.server, "PUT", &path, &headers, right().len());
    uploads.server.store.lose_scopes();
    ended(client).refuses(403, "INSUFFICIENT_SCOPE");
    uploads.has_files(2);
}

#[test]
fn auth_1_a_wait_whose_key_was_revoked_ends_with_a_401() {
    let mut options = Options::default();
    options.events_poll = Duration::from_secs(3600);
    let server = Server::start(Limits::NONE, options);
    let key = server.any_key();
    // One hears of an event, the other of none.
    for (number, seconds, is_made) in [(2, 30, true), (3, 1, false)] {
        let revoked = server.key(number, "acme", &Scope::ALL);
        let looks = server.store.event_reads();
        let after = usize::from(!is_made);
        let path = format!("{MODELS}/events?after={after}&wait={seconds}");
        thread::scope(|scope| {
            let waiting = scope.spawn(|| server.get(&revoked, &path));
            server.store.wait_for_event_reads(looks + 2);
            server.revoke(number);
            if is_made {
                assert_eq!(server.create(&key, NAMED).status, 201);
            }
            waiting.join().unwrap().is(401, UNAUTHORIZED);
        });
    }
}

#[test]
fn auth_1_the_key_of_a_slow_body_is_checked_again() {
    let mut options = Options::default();
    options.recheck_after = Duration::ZERO;
    let server = Server::start(Limits::NONE, options);
    let key = server.any_key();
    server.ready_model(&key, 1);
    let revoked = server.key(2, "acme", &Scope::ALL);
    let headers = [("Authorization", &*revoked), ("Content-Type", "application/json")];
    let run = format!("{MODELS}/1/run");
    let mut clients: Vec<_> = [MODELS, &run, "/api/v3/training/claim"]
        .into_iter()
        .map(|path| begun(&server, "POST", path, &headers, NAMED.len()))
        .collect();
    server.revoke(2);
    for client in &mut clients {
        client.write(NAMED);
        client.answer().is(401, UNAUTHORIZED);
    }
    assert!(server.get(&key, MODELS).body.starts_with(r#"{"count":1,"#), "nothing was created");
}
