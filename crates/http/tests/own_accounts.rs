//! The example with a host's own accounts, run as it is.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

const SECRET: &str = "a secret of the test, 32 bytes long";

/// The example at work, which ends when this is dropped.
struct Example {
    process: Child,
    address: String,
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Example {
    /// Starts the example, which Cargo builds beside the tests.
    fn start() -> Self {
        let test = std::env::current_exe().unwrap();
        let example: PathBuf =
            [test.parent().unwrap(), "../examples/own_accounts".as_ref()].iter().collect();
        let example = example.with_extension(std::env::consts::EXE_EXTENSION);
        let mut command = Command::new(example);
        command.env("JWT_SECRET", SECRET).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap().to_owned();
        Example { process, address }
    }

    /// Sends a request, and returns the response.
    fn send(&self, method: &str, token: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let head = format!(
            "{method} /api/v3/custom_models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
            Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }
}

/// Signs a token for a user of `acme`, which expires after so many seconds.
fn token(user: &str, scopes: &str, seconds: i64, secret: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "sub": user, "organisation": "acme", "scopes": scopes, "exp": now.cast_signed() + seconds,
    });
    encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes()).unwrap())
        .unwrap()
}

#[test]
fn auth_1_and_auth_2_signed_tokens_instead_of_keys() {
    let example = Example::start();
    let create = |token: &str| example.send("POST", token, r#"{"name":"n","language":"en"}"#);
    let scopes = "custom_models:read custom_models:write";
    let alice = token("alice", scopes, 600, SECRET);
    let created = create(&alice);
    assert!(created.starts_with("HTTP/1.1 201"), "{created}");
    assert!(created.contains("x-ratelimit-remaining: 9"), "{created}");
    let bob = token("bob", scopes, 600, SECRET);
    assert!(create(&bob).contains("x-ratelimit-remaining: 9"), "limits are for each user");
    let list = example.send("GET", &bob, "");
    assert!(list.contains(r#""model_key":"custom_model_1""#), "{list}");
    let reader = token("carol", "custom_models:read", 600, SECRET);
    assert!(create(&reader).contains("INSUFFICIENT_SCOPE"));
    let expired = token("alice", scopes, -600, SECRET);
    let forged = token("alice", scopes, 600, "a secret of somebody else, as long");
    for token in [expired.as_str(), forged.as_str(), "", "cm_0"] {
        let refused = create(token);
        assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
        assert!(refused.contains("www-authenticate: Bearer"), "{refused}");
    }
}
