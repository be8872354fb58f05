//! The routes that features add: each is there with its feature, and without it like any unknown route. This file runs
//! under every combination.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::SystemTime;

use custom_models_core::access::{Gate, Limits};
use custom_models_core::tenant::Plans;
use custom_models_core::{Engine, MemoryStore};
use custom_models_http::{Options, openapi, router, serve};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Starts a service over a new store. It ends with the runtime.
fn start(runtime: &Runtime) -> SocketAddr {
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::new(store.clone(), SystemTime::now);
    let gate = Gate::new(store, Plans::default(), Limits::default(), SystemTime::now).unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        let options = Options::default();
        serve(listener, router(engine, gate, options.clone()), &options, std::future::pending())
            .await
    });
    address
}

/// Returns the status and the body of the response to a request without a key and a body.
fn ask(address: SocketAddr, method: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    let response = String::from_utf8_lossy(&response).into_owned();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[test]
fn wire_404_a_route_without_its_feature_is_like_any_that_is_not_there() {
    let runtime = Runtime::new().unwrap();
    let address = start(&runtime);
    let unknown = ask(address, "GET", "/api/v3/nothing");
    assert_eq!(unknown.0, 404);
    for path in ["/docs/", "/docs/index.html"] {
        let page = ask(address, "GET", path);
        if cfg!(feature = "docs") {
            assert_eq!(page.0, 200, "{path}");
            assert!(page.1.contains("swagger-ui"), "{path}");
        } else {
            assert_eq!(page, unknown, "{path}");
        }
    }
    // With the feature these routes need a content store too, which this service does not have.
    for method in ["GET", "PUT"] {
        assert_eq!(ask(address, method, "/api/v3/custom_models/1/data"), unknown);
    }
    assert_eq!(ask(address, "DELETE", "/api/v3/custom_models/1/data/1"), unknown);
    for method in ["POST", "OPTIONS"] {
        assert_eq!(ask(address, method, "/api/v3/uploads"), unknown);
    }
    for path in ["/api/v3/custom_models", "/api/v3/custom_models/1", "/api/v3/training/1/data"] {
        assert_eq!(ask(address, "GET", path).0, 401, "{path}");
    }
    for path in ["/openapi.json", "/health", "/ready"] {
        assert_eq!(ask(address, "GET", path).0, 200, "{path}");
    }
}

#[test]
fn the_description_has_training_data_only_with_uploads() {
    let has_uploads = cfg!(feature = "uploads");
    let document = serde_json::to_value(openapi()).unwrap();
    let has_path = |path| document["paths"].get(path).is_some();
    assert!(has_path("/api/v3/custom_models/{id}/run"));
    assert_eq!(has_path("/api/v3/custom_models/{id}/data"), has_uploads);
    assert_eq!(has_path("/api/v3/custom_models/{id}/data/{data_id}"), has_uploads);
    assert_eq!(has_path("/api/v3/uploads"), has_uploads);
    assert_eq!(document["components"]["schemas"].get("NewData").is_some(), has_uploads);
    let tags = document["tags"].as_array().unwrap();
    assert_eq!(tags.iter().any(|tag| tag["name"] == "Training data"), has_uploads);
    // Each schema that is referred to is there.
    let schemas = &document["components"]["schemas"];
    for reference in document.to_string().split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.get(name).is_some(), "{name}");
    }
}
