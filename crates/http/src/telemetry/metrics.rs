//! Counters and timings of requests, recorded through the facade `metrics`.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{Response, StatusCode};
use axum::middleware::Next;
use custom_models_core::Refusal;
use custom_models_core::access::{AccessRefusal, Operation};
use metrics::{counter, describe_counter, describe_histogram, histogram};

use crate::rejection::Rejection;
use crate::response::{Cause, REPLAYED};
use crate::telemetry::access_log::{method_name, route_pattern};

/// Describes the metrics to the recorder, which must be installed already.
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

/// The function that returns the operation of a method on a route.
type OperationOf = fn(&str, &str) -> Option<Operation>;

/// Records a request when the response begins or the client has left.
pub(crate) async fn record(
    request: Request,
    next: Next,
    operation_of: OperationOf,
) -> Response<Body> {
    let mut record = Record {
        begun: Instant::now(),
        method: method_name(request.method()),
        route: request.extensions().get().cloned(),
        operation_of,
        status: None,
        outcome: "abandoned",
        limit: None,
    };
    let response = next.run(request).await;
    let rejection = response.extensions().get().map(|Cause(rejection)| rejection);
    record.status = Some(response.status());
    record.outcome = match rejection {
        Some(rejection) => outcome(rejection),
        None if response.headers().contains_key(REPLAYED) => "replayed",
        None if response.status() == StatusCode::OK => "validated",
        None => "created",
    };
    record.limit = rejection.and_then(limit);
    response
}

/// The measurements of a request, which are recorded when this is dropped.
struct Record {
    begun: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
    operation_of: OperationOf,
    /// `None` if the client left before the response.
    status: Option<StatusCode>,
    /// The outcome, for a request to create a model.
    outcome: &'static str,
    /// The limit that refused the request.
    limit: Option<&'static str>,
}

impl Drop for Record {
    fn drop(&mut self) {
        let Record { begun, method, ref route, operation_of, ref status, outcome, limit } = *self;
        let route = route_pattern(route.as_ref());
        let operation = operation_of(method, route);
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

/// Returns the name of the limit that a rejection is about.
fn limit(rejection: &Rejection) -> Option<&'static str> {
    match rejection {
        Rejection::Access(AccessRefusal::RateLimited { .. }) => Some("window"),
        Rejection::Access(AccessRefusal::ConcurrencyLimited { .. }) => Some("places"),
        Rejection::ShareExceeded { .. } => Some("share"),
        Rejection::AtCapacity => Some("capacity"),
        _ => None,
    }
}

/// Returns the outcome of a create that was rejected.
fn outcome(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::RequestTimeout => "timeout",
        Rejection::UnsupportedMediaType => "unsupported",
        Rejection::Access(AccessRefusal::Unauthorized) => "unauthorized",
        Rejection::Access(AccessRefusal::InsufficientScope { .. }) => "forbidden",
        Rejection::Access(AccessRefusal::RateLimited { .. }) => "window",
        Rejection::Access(AccessRefusal::ConcurrencyLimited { .. }) => "places",
        Rejection::Engine(Refusal::Invalid(_)) => "invalid",
        Rejection::Engine(Refusal::QuotaExceeded { .. }) => "quota",
        Rejection::Engine(Refusal::IdempotencyKeyReused) => "key_reused",
        Rejection::Engine(Refusal::BodyTooLarge) => "too_large",
        Rejection::Host(body) if body.status == 401 => "unauthorized",
        Rejection::Host(body) if body.status < 500 => "forbidden",
        rejection if rejection.is_outcome_unknown() => "unknown",
        rejection if rejection.status() == 503 => "unavailable",
        _ => "failed",
    }
}
