//! A server over TLS: its certificate and its name are verified, or nothing is sent.

use std::fs;
use std::process::Command;

use custom_models_core::store::{ModelStore, StoreErrorKind};
use custom_models_postgres_cluster::{Programs, Server};
use custom_models_store_postgres::PostgresStore;

use crate::common::{acme, create, created, kind};

type Test = fn(&Programs);

pub(crate) const TESTS: [(&str, Test); 1] =
    [("over_tls_the_certificate_and_the_name_are_verified", verified)];

/// A self-signed certificate for a name, and its key.
fn certificate(name: &str) -> (Vec<u8>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-days", "2", "-subj", &format!("/CN={name}")])
        .args(["-addext", &format!("subjectAltName=DNS:{name}")])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (fs::read(certificate).unwrap(), fs::read(key).unwrap())
}

fn verified(programs: &Programs) {
    let server = Server::start(programs, &[]);
    let database = server.empty_database();
    let (trusted, key) = certificate("localhost");
    let (other, _) = certificate("localhost");
    let cert = server.own_file("server.pem", &trusted);
    let key = server.own_file("server.key", &key);
    for (name, path) in [("ssl_cert_file", &cert), ("ssl_key_file", &key)] {
        server.sql("postgres", &format!("ALTER SYSTEM SET {name} = '{}'", path.display()));
    }
    server.sql("postgres", "ALTER SYSTEM SET ssl = on");
    server.restart();
    let other = server.own_file("other.pem", &other);
    let url = |host: &str, roots: &std::path::Path| {
        let port = server.port();
        format!(
            "postgres://postgres@{host}:{port}/{database}?sslmode=verify-full&sslrootcert={}",
            roots.display()
        )
    };
    let store = PostgresStore::open(&url("localhost", &cert)).unwrap();
    created(store.apply(create(&acme(), None)));
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'custom-models'";
    assert_eq!(server.sql("postgres", encrypted), "t");
    // Another certificate is trusted, or another name is requested.
    for wrong in [url("localhost", &other), url("127.0.0.1", &cert)] {
        assert_eq!(kind(PostgresStore::open(&wrong)), StoreErrorKind::Unavailable, "{wrong}");
    }
    // A server without TLS is refused.
    server.sql("postgres", "ALTER SYSTEM SET ssl = off");
    server.restart();
    assert_eq!(kind(PostgresStore::open(&url("localhost", &cert))), StoreErrorKind::Unavailable);
}
