//! Refusals of each operation, made into the examples of its description.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use custom_models_core::access::{AccessRefusal, Operation as Asked, RequestLimit, Standing};
use custom_models_core::store::StoreErrorKind;
use custom_models_core::time::Moment;
use custom_models_core::wire::ErrorBody;
use custom_models_core::{Refusal, Violations};
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, OperationBuilder};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Header, Ref};

use crate::rejection::Rejection;

/// The refusals of a request whose body is not as it should be.
pub(super) const BODY: [Rejection; 5] = [
    Rejection::RequestTimeout,
    Rejection::Engine(Refusal::BodyTooLarge),
    Rejection::UnsupportedContentEncoding,
    Rejection::UnsupportedMediaType,
    Rejection::UnsupportedTransferEncoding,
];

/// The refusals of an operation.
pub(super) struct Refusals(Vec<Rejection>);

impl Refusals {
    /// Returns the refusals that every request behind a route may meet.
    pub(super) fn of(asked: Asked) -> Self {
        let limit = RequestLimit::CREATE;
        let reset_at = Moment::from_unix_millis(1_736_938_800_000);
        let standing = Standing { limit: limit.requests(), remaining: 0, reset_at };
        Refusals(Vec::new())
            .and([
                AccessRefusal::Unauthorized,
                AccessRefusal::InsufficientScope { required: asked.scope() },
                AccessRefusal::TooManyAtOnce { at_once: NonZeroU32::MIN, standing: Some(standing) },
                AccessRefusal::RateLimited { standing, retry_after: limit.window().as_secs() },
            ])
            .and([Rejection::internal("")])
            .and([
                StoreErrorKind::Busy,
                StoreErrorKind::OutcomeUnknown,
                StoreErrorKind::Unavailable,
            ])
    }

    /// And a request that violates rules, by an example.
    pub(super) fn invalid(mut self, violations: Option<Violations<'_>>) -> Self {
        self.0.extend(violations.map(Rejection::from));
        self
    }

    pub(super) fn and(mut self, refusals: impl IntoIterator<Item = impl Into<Rejection>>) -> Self {
        self.0.extend(refusals.into_iter().map(Into::into));
        self
    }

    /// An operation with these refusals, to which what it answers otherwise is added.
    ///
    /// Every operation refuses parameters that it does not know.
    pub(super) fn answer(mut self, operation: OperationBuilder) -> Answers {
        if !self.0.iter().any(|refusal| matches!(refusal, Rejection::Engine(Refusal::Invalid(_)))) {
            let unknown = Violations::of_unknown_parameters(["colour"]);
            self.0.push(unknown.into());
        }
        let mut by_status: BTreeMap<u16, Vec<Rejection>> = BTreeMap::new();
        for refusal in self.0 {
            by_status.entry(refusal.status()).or_default().push(refusal);
        }
        Answers { operation, by_status }
    }
}

/// An operation with its answers.
pub(super) struct Answers {
    operation: OperationBuilder,
    by_status: BTreeMap<u16, Vec<Rejection>>,
}

impl Answers {
    /// Adds the response of an operation that is done.
    pub(super) fn with(mut self, status: &str, done: ResponseBuilder) -> Self {
        self.operation = self.operation.response(status, with_headers(done, &[], true).build());
        self
    }

    pub(super) fn build(self) -> Operation {
        let refused = |operation: OperationBuilder, (status, refusals): (u16, Vec<Rejection>)| {
            operation.response(status.to_string(), response(&refusals).build())
        };
        self.by_status.into_iter().fold(self.operation, refused).build()
    }
}

/// Refusals of one status, each an example under its code.
fn response(refusals: &[Rejection]) -> ResponseBuilder {
    let errors: Vec<ErrorBody<'_>> = refusals.iter().map(ErrorBody::from).collect();
    let shown = errors.iter().filter_map(|error| {
        let body = serde_json::to_value(error).ok()?;
        let name = error.error_code.unwrap_or("error").to_owned();
        Some((name, ExampleBuilder::new().value(Some(body)).build()))
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Refusal")))
        .examples_from_iter(shown)
        .build();
    let descriptions: Vec<&str> = errors.iter().map(|error| error.message).collect();
    let response = ResponseBuilder::new()
        .description(descriptions.join(" / "))
        .content("application/json", content);
    // Who is not let in has no window.
    let says_how_it_stands = errors.iter().all(|error| !matches!(error.status, 401 | 403));
    with_headers(response, &errors, says_how_it_stands)
}

fn with_headers(
    mut response: ResponseBuilder,
    errors: &[ErrorBody<'_>],
    says_how_it_stands: bool,
) -> ResponseBuilder {
    response =
        response.header("X-Request-Id", header(Type::String, "Names the request in the log"));
    if says_how_it_stands {
        for (name, says) in [
            (
                "X-RateLimit-Limit",
                "How many requests a window takes, where the operation is limited",
            ),
            ("X-RateLimit-Remaining", "How many more it would take now"),
            ("X-RateLimit-Reset", "When its oldest request leaves it, in Unix seconds"),
        ] {
            response = response.header(name, header(Type::Integer, says));
        }
    }
    let has = |name| errors.iter().any(|error| error.headers.iter().any(|header| header.0 == name));
    if has("Retry-After") {
        let says = "After how many seconds trying again is right";
        response = response.header("Retry-After", header(Type::Integer, says));
    }
    if has("WWW-Authenticate") {
        response = response.header("WWW-Authenticate", header(Type::String, "`Bearer`"));
    }
    response
}

pub(super) fn header(kind: Type, says: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(kind);
    HeaderBuilder::new().schema(Some(schema)).description(Some(says)).build()
}
