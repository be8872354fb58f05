//! PLACE-4: the share of one organisation in the shared places.

use std::time::Duration;

use custom_models_core::access::{Limits, Scope};
use custom_models_http::Options;

use crate::support::{Answer, Client, MODELS, NAMED, Server, head};
use crate::uploads::{TYPE, UPLOADED, Uploads, right, uploads_with};

fn share_exceeded(places: usize) -> String {
    format!(
        r#"{{"error":"Service Unavailable","message":"Your organisation has taken its share of the places for such requests. Please try again.","error_code":"SHARE_EXCEEDED","details":{{"places":{places}}}}}"#
    )
}

const AT_CAPACITY: &str = r#"{"error":"Service Unavailable","message":"All places for such requests are taken. Please try again.","error_code":"AT_CAPACITY"}"#;

/// Starts an upload, which has its place and waits for its body.
fn begun(uploads: &Uploads, key: &str, model: u8) -> Client {
    let mut client = uploads.server.connect();
    let headers = [("Authorization", key), ("Content-Type", TYPE), ("Expect", "100-continue")];
    let path = format!("{MODELS}/{model}/data");
    client.write(head("PUT", &path, &headers, Some(right().len())));
    assert_eq!(client.answer().status, 100);
    client
}

fn ended(mut client: Client) -> Answer {
    client.write(right());
    client.answer()
}

#[test]
fn place_4_and_wire_503_an_organisation_takes_a_quarter_of_the_places_for_uploads() {
    let uploads = uploads_with(|options| options.uploads_at_once = 8);
    let other = uploads.server.key(2, "other", &Scope::ALL);
    assert_eq!(uploads.server.create(&other, NAMED).status, 201);
    let first = begun(&uploads, &uploads.key, 1);
    let second = begun(&uploads, &uploads.key, 1);
    uploads.upload().is(503, &share_exceeded(2)).has("retry-after", "1");
    ended(begun(&uploads, &other, 2)).is(200, UPLOADED);
    ended(first).is(200, UPLOADED);
    // Its place is free when it is answered, or right after.
    let status = |()| uploads.upload().status;
    let again = std::iter::repeat(()).map(status).take(10_000).find(|status| *status != 503);
    assert_eq!(again, Some(200));
    drop(second);
}

#[test]
fn place_4_and_wire_503_an_upload_is_refused_when_all_places_are_taken() {
    let uploads = uploads_with(|options| options.uploads_at_once = 1);
    let other = uploads.server.key(2, "other", &Scope::ALL);
    assert_eq!(uploads.server.create(&other, NAMED).status, 201);
    let first = begun(&uploads, &uploads.key, 1);
    let headers = [("Content-Type", TYPE)];
    let refused = uploads.put_by(&other, &format!("{MODELS}/2/data"), &headers, &right());
    refused.is(503, AT_CAPACITY).has("retry-after", "1");
    ended(first).is(200, UPLOADED);
}

#[test]
fn place_4_and_wire_408_an_upload_slower_than_the_least_rate_is_late_and_nothing_of_it_is_kept() {
    let uploads = uploads_with(|options| {
        options.body_timeout = Duration::from_secs(3600);
        options.least_upload_rate = 1 << 40;
        options.least_rate_span = Duration::from_millis(1);
    });
    let mut slow = begun(&uploads, &uploads.key, 1);
    slow.answer().refuses(408, "REQUEST_TIMEOUT");
    uploads.has_files(0);
}

#[test]
fn place_4_and_wire_503_an_organisation_takes_its_share_of_the_places_for_waiting() {
    for (waiters, share, own) in [(4, 25, 1), (1, 25, 1), (3, 100, 3)] {
        let mut options = Options::default();
        options.events_poll = Duration::from_secs(3600);
        (options.waiters, options.organisation_share) = (waiters, share);
        let server = Server::start(Limits::NONE, options);
        let (key, other) = (server.any_key(), server.key(2, "other", &Scope::ALL));
        let wait = |key: &str| {
            let mut client = server.connect();
            let path = format!("{MODELS}/events?wait=30");
            client.write(head("GET", &path, &[("Authorization", key)], None));
            client
        };
        let waiting: Vec<_> = (1..=own)
            .map(|number| {
                let client = wait(&key);
                server.store.wait_for_event_reads(2 * number);
                client
            })
            .collect();
        let refused = wait(&key).answer();
        refused.is(503, &share_exceeded(own)).has("retry-after", "1");
        if own == waiters {
            wait(&other).answer().is(503, AT_CAPACITY);
        } else {
            let path = format!("{MODELS}/events?wait=1");
            assert_eq!(server.get(&other, &path).status, 200);
        }
        drop(waiting);
    }
}
