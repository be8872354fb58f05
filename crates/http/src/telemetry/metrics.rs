//! Counters and timings of requests, recorded through the facade `metrics`.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{Response, StatusCode};
use axum::middleware::Next;
use custom_models_core::{AccessRefusal, Operation, Refusal};
use metrics::{counter, describe_counter, describe_histogram, histogram};

use crate::paths::{MODELS, TRAINING};
use crate::rejection::Rejection;
use crate::response::{Cause, REPLAYED};
use crate::telemetry::access_log::{known, route_of};

/// For a recorder that is there before the router is.
pub(crate) fn describe() {
    describe_counter!(
        "custom_models_http_requests_total",
        "Requests, by the pattern of their route, their method and the status of their answer"
    );
    describe_histogram!(
        "custom_models_http_request_duration_seconds",
        "How long requests took until their answer began, by route and method"
    );
    describe_counter!(
        "custom_models_creates_total",
        "Requests to create a model, by what came of them"
    );
    describe_counter!(
        "custom_models_limit_refusals_total",
        "Requests that were refused for want of room, by operation and by which limit"
    );
}

/// Counts a request when it is answered, or when nobody waits for its answer any more.
pub(crate) async fn measure(request: Request, next: Next) -> Response<Body> {
    let mut asked = Asked {
        begun: Instant::now(),
        method: known(request.method()),
        route: request.extensions().get().cloned(),
        status: None,
        outcome: "abandoned",
        limit: None,
    };
    let response = next.run(request).await;
    let rejection = response.extensions().get().map(|Cause(rejection)| rejection);
    asked.status = Some(response.status());
    asked.outcome = match rejection {
        Some(rejection) => outcome(rejection),
        None if response.headers().contains_key(REPLAYED) => "replayed",
        None if response.status() == StatusCode::OK => "validated",
        None => "created",
    };
    asked.limit = rejection.and_then(limit);
    response
}

/// A request, counted when this is dropped.
struct Asked {
    begun: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
    /// None if nobody waited for it.
    status: Option<StatusCode>,
    /// The outcome of the create, if it asked for one.
    outcome: &'static str,
    /// The limit that refused it.
    limit: Option<&'static str>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        let Asked { begun, method, ref route, ref status, outcome, limit } = *self;
        let route = route_of(route.as_ref());
        let operation = operation(method, route);
        let status = status.as_ref().map_or("none", StatusCode::as_str).to_owned();
        let route = route.to_owned();
        counter!(
            "custom_models_http_requests_total",
            "route" => route.clone(), "method" => method, "status" => status
        )
        .increment(1);
        histogram!(
            "custom_models_http_request_duration_seconds",
            "route" => route, "method" => method
        )
        .record(begun.elapsed());
        if operation == Some(Operation::Create) {
            counter!("custom_models_creates_total", "outcome" => outcome).increment(1);
        }
        if let (Some(operation), Some(limit)) = (operation, limit) {
            let operation = operation.as_str();
            counter!(
                "custom_models_limit_refusals_total",
                "operation" => operation, "limit" => limit
            )
            .increment(1);
        }
    }
}

/// Returns the operation that a request asks for, if it is about models. Hosts may have put the routes below others.
fn operation(method: &str, route: &str) -> Option<Operation> {
    let place = route.split_once(MODELS).map(|(_, place)| place);
    match (method, place) {
        ("POST", Some("")) => Some(Operation::Create),
        ("GET" | "HEAD", Some("")) => Some(Operation::List),
        ("GET" | "HEAD", Some("/events")) => Some(Operation::Events),
        ("GET" | "HEAD", Some("/resolve/{model_key}")) => Some(Operation::Resolve),
        ("GET" | "HEAD", Some("/{id}")) => Some(Operation::Get),
        ("POST", Some("/{id}")) => Some(Operation::Update),
        ("DELETE", Some("/{id}")) => Some(Operation::Delete),
        ("PUT", Some("/{id}/data")) => Some(Operation::Upload),
        ("GET" | "HEAD", Some("/{id}/data")) => Some(Operation::ListData),
        ("DELETE", Some("/{id}/data/{data_id}")) => Some(Operation::DeleteData),
        ("POST", Some("/{id}/run")) => Some(Operation::Run),
        ("POST", Some("/{id}/cancel")) => Some(Operation::Cancel),
        ("POST", None) if route.contains(TRAINING) => Some(Operation::Work),
        _ => None,
    }
}

fn limit(rejection: &Rejection) -> Option<&'static str> {
    match rejection {
        Rejection::Access(AccessRefusal::RateLimited { .. }) => Some("window"),
        Rejection::Access(AccessRefusal::TooManyAtOnce { .. }) => Some("places"),
        Rejection::ShareExceeded { .. } => Some("share"),
        Rejection::AtCapacity => Some("capacity"),
        _ => None,
    }
}

/// Returns the outcome of a create that was refused.
fn outcome(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::RequestTimeout => "timeout",
        Rejection::UnsupportedMediaType => "unsupported",
        Rejection::Access(AccessRefusal::Unauthorized) => "unauthorized",
        Rejection::Access(AccessRefusal::InsufficientScope { .. }) => "forbidden",
        Rejection::Access(AccessRefusal::RateLimited { .. }) => "window",
        Rejection::Access(AccessRefusal::TooManyAtOnce { .. }) => "places",
        Rejection::Engine(Refusal::Invalid(_)) => "invalid",
        Rejection::Engine(Refusal::QuotaExceeded { .. }) => "quota",
        Rejection::Engine(Refusal::IdempotencyKeyReused) => "key_reused",
        Rejection::Engine(Refusal::BodyTooLarge) => "too_large",
        rejection if rejection.is_outcome_unknown() => "unknown",
        rejection if rejection.status() == 503 => "unavailable",
        _ => "failed",
    }
}
