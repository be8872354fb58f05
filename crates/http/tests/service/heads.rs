//! Heads of requests that hyper lets through and the service must reject.

use crate::support::{Answer, MODELS, NAMED, Server, head};
use crate::uploads::{TYPE, right, uploads};

const HOST: &str = r#"{"error":"Bad Request","message":"The request must have exactly one valid Host header","error_code":"INVALID_HOST"}"#;

const CODING: &str = r#"{"error":"Not Implemented","message":"Transfer-Encoding must be chunked","error_code":"UNSUPPORTED_TRANSFER_ENCODING"}"#;

const ENCODED: &str = r#"{"error":"Unsupported Media Type","message":"Content-Encoding must be identity","error_code":"UNSUPPORTED_MEDIA_TYPE"}"#;

#[test]
fn wire_400_a_request_has_one_host_which_names_one() {
    let server = Server::new();
    let ask = |version: &str, hosts: &[&str]| -> Answer {
        let hosts: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
        server.send(format!("GET /health HTTP/{version}\r\n{hosts}\r\n"))
    };
    let two = ["localhost", "localhost"];
    for hosts in [&[][..], &two, &["a b"], &["u@h"], &["a/b"], &["h:port"], &["[::1"]] {
        ask("1.1", hosts).is(400, HOST);
    }
    for hosts in
        [&["localhost"][..], &["localhost:80"], &["[::1]:80"], &[""], &["xn--bcher-kva.de"]]
    {
        assert_eq!(ask("1.1", hosts).status, 200, "{hosts:?}");
    }
    assert_eq!(ask("1.0", &[]).status, 200);
    ask("1.0", &two).is(400, HOST);
}

#[test]
fn order_the_head_before_the_route_and_the_body_is_drained() {
    let server = Server::new();
    let mut client = server.connect();
    for path in ["/nowhere", MODELS, "/health"] {
        client.write(format!("POST {path} HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"));
        client.answer().is(400, HOST);
        let coded = [("Transfer-Encoding", "gzip, chunked")];
        client.write(head("POST", path, &coded, None) + "1\r\nx\r\n0\r\n\r\n");
        client.answer().is(501, CODING);
    }
    client.write(head("GET", "/health", &[], None));
    assert_eq!(client.answer().status, 200, "the connection goes on");
}

#[test]
fn wire_501_a_body_is_sent_in_chunks_alone() {
    let server = Server::new();
    let key = server.any_key();
    let send = |codings: &[&str]| {
        let mut headers = vec![("Authorization", &*key), ("Content-Type", "application/json")];
        headers.extend(codings.iter().map(|coding| ("Transfer-Encoding", *coding)));
        let body = format!("{:x}\r\n{NAMED}\r\n0\r\n\r\n", NAMED.len());
        server.send(head("POST", MODELS, &headers, None) + &body)
    };
    for codings in [
        &["gzip, chunked"][..],
        &["gzip", "chunked"],
        &["chunked, chunked"],
        &["identity, chunked"],
    ] {
        send(codings).is(501, CODING).has_no("retry-after");
    }
    for codings in ["chunked", "CHUNKED", " chunked "] {
        assert_eq!(send(&[codings]).status, 201, "{codings:?}");
    }
}

#[test]
fn wire_415_an_encoded_body_is_refused() {
    let server = Server::new();
    let key = server.any_key();
    let create = |coding: &str, body: &str| {
        server.post_with(&key, MODELS, &[("Content-Encoding", coding)], body)
    };
    for coding in ["gzip", "br", "identity, gzip", "x"] {
        create(coding, NAMED).is(415, ENCODED).has("accept-encoding", "identity");
    }
    for coding in ["identity", "Identity", ""] {
        assert_eq!(create(coding, NAMED).status, 201, "{coding}");
    }
    let claim = "/api/v3/training/claim";
    let coded = [("Content-Encoding", "gzip")];
    server.post_with(&key, claim, &coded, "{}").is(415, ENCODED);
    // Without a body there is nothing that could be encoded.
    assert_eq!(server.post_with(&key, claim, &coded, "").status, 204);
    let uploads = uploads();
    let path = format!("{MODELS}/1/data");
    let headers = [("Content-Type", TYPE), ("Content-Encoding", "gzip")];
    uploads.put_by(&uploads.key, &path, &headers, &right()).is(415, ENCODED);
    let headers = [("Content-Type", TYPE), ("Content-Encoding", "identity")];
    assert_eq!(uploads.put_by(&uploads.key, &path, &headers, &right()).status, 200);
    let coded = [("Authorization", &*uploads.key), ("Content-Encoding", "gzip")];
    uploads.server.request("DELETE", &format!("{path}/1"), &coded, "").is(415, ENCODED);
}

#[test]
fn wire_415_an_operation_without_a_body_takes_no_encoding_either() {
    let server = Server::new();
    let key = server.any_key();
    let coded = [("Authorization", &*key), ("Content-Encoding", "gzip")];
    let path = server.ready_model(&key, 1);
    let cancel = format!("{path}/cancel");
    server.request("POST", &cancel, &coded, "").refuses(409, "TRAINING_NOT_RUNNING");
    server.request("DELETE", &path, &coded, "").is(415, ENCODED);
    assert_eq!(server.post(&key, &format!("{path}/run"), "{}").status, 200);
    server.request("POST", &format!("{cancel}?x"), &coded, "{}").is(415, ENCODED);
    assert_eq!(server.post(&key, &cancel, "").status, 200);
}

#[test]
fn order_the_content_type_before_the_encoding_and_that_before_the_length() {
    let server = Server::new();
    let key = server.any_key();
    let long = " ".repeat(65537);
    let coded = [("Authorization", &*key), ("Content-Encoding", "gzip")];
    let untyped = server.request("POST", MODELS, &coded, &long);
    assert!(untyped.body.contains("Content-Type must be"), "{untyped:?}");
    server.post_with(&key, MODELS, &coded[1..], &long).is(415, ENCODED);
}

#[test]
fn wire_an_id_that_may_be_a_key_is_replaced() {
    let server = Server::new();
    let key = server.any_key();
    let (_, secret) = key.split_once(' ').unwrap();
    let (upper, within) = (secret.to_uppercase(), format!("id-{secret}"));
    let parts = [&secret[..20], &secret[3..], &secret[16..], &secret[40..], &upper[16..]];
    for id in [secret, &upper, &within, "cm_"].into_iter().chain(parts) {
        let answer = server.request("GET", "/health", &[("X-Request-Id", id)], "");
        assert_ne!(answer.headers["x-request-id"], id);
    }
    for id in ["01980a1e-7c4f-7f0e-8d3a-5c9e2b7d4f10", &secret[16..48], &secret[..2]] {
        let answer = server.request("GET", "/health", &[("X-Request-Id", id)], "");
        assert_eq!(answer.headers["x-request-id"], id);
    }
}
