//! The router in parts: left out, merged and nested by a host.

use axum::Router;
use axum::routing::get;
use custom_models_core::access::Limits;
use custom_models_http::{Options, Rejection, Routers, metrics_router};

use crate::support::{CREATED, MODELS, NAMED, Server};

fn mount(place: impl FnOnce(Routers) -> Router) -> Server {
    Server::mount(Limits::NONE, Options::default(), |engine, gate, options| {
        place(Routers::new(engine, gate, options))
    })
}

fn host() -> Router {
    Router::new().route("/own", get(async || "own")).fallback(async || Rejection::RouteNotFound)
}

#[test]
fn parts_merge_with_a_router_that_has_a_fallback() {
    let server = mount(|parts| parts.api.merge(host()).merge(parts.docs).merge(parts.probes));
    let key = server.any_key();
    server.create(&key, NAMED).is(201, CREATED);
    server
        .request("PUT", MODELS, &[], "")
        .refuses(405, "METHOD_NOT_ALLOWED")
        .has("allow", "GET,HEAD,POST");
    assert_eq!(server.get("", "/own").body, "own");
    assert_eq!(server.get("", "/docs/").status, 200);
    assert!(server.get("", "/health").headers.contains_key("x-request-id"));
    server.get("", "/nowhere").refuses(404, "ROUTE_NOT_FOUND").has_no("x-request-id");
}

#[test]
fn parts_merge_with_the_router_of_metrics() {
    let server = mount(|parts| metrics_router(|| "page".to_owned()).merge(parts.api));
    assert_eq!(server.get("", "/metrics").body, "page");
    assert_eq!(server.get("", MODELS).status, 401);
}

#[test]
fn parts_that_are_left_out_are_not_there() {
    let server = mount(|parts| host().merge(parts.api));
    for path in ["/docs", "/docs/", "/openapi.json", "/health", "/ready"] {
        server.get("", path).refuses(404, "ROUTE_NOT_FOUND");
    }
}

#[test]
fn parts_of_two_services_nest_beside_each_other() {
    let server = Server::mount(Limits::NONE, Options::default(), |engine, gate, options| {
        let one = Routers::new(engine.clone(), gate.clone(), options.clone());
        let other = Routers::new(engine, gate, options);
        host().nest("/one", one.api.merge(one.docs)).nest("/other", other.api.merge(other.probes))
    });
    let key = server.any_key();
    for prefix in ["/one", "/other"] {
        assert_eq!(server.get(&key, &format!("{prefix}{MODELS}")).status, 200);
    }
    assert_eq!(server.get("", "/other/ready").status, 200);
    server.get("", "/one/docs").has("location", "/one/docs/");
    let page = server.get("", "/one/docs/swagger-initializer.js").body;
    assert!(page.contains("\"/one/openapi.json\""), "{page}");
}
