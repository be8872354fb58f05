//! The builder of an operation: its scope, parameters and body, and its responses with examples of all refusals.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use custom_models_core::access::{AccessRefusal, Operation, RateLimit, RateLimitStatus};
use custom_models_core::store::StoreErrorKind;
use custom_models_core::time::UnixMillis;
use custom_models_core::wire::ErrorBody;
use custom_models_core::{Refusal, Violations};
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation as OperationObject, OperationBuilder, Parameter};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Content, ContentBuilder, Header, Ref, Required};

use crate::rejection::Rejection;

pub(super) const JSON: &str = "application/json";

/// The rejections of a request whose body does not arrive as JSON.
pub(super) const BODY: [Rejection; 5] = [
    Rejection::RequestTimeout,
    Rejection::Engine(Refusal::BodyTooLarge),
    Rejection::UnsupportedContentEncoding,
    Rejection::UnsupportedMediaType,
    Rejection::UnsupportedTransferEncoding,
];

/// An operation that is being described.
pub(super) struct Described {
    scope: String,
    builder: OperationBuilder,
    rejections: Vec<Rejection>,
}

impl Described {
    /// Creates the description of an operation, with the rejections that every operation has.
    pub(super) fn new(operation: Operation, tag: &str, name: &str, summary: &str) -> Self {
        let limit = RateLimit::CREATE;
        let reset_at = UnixMillis::from_unix_millis(1_736_938_800_000);
        let rate_limit = RateLimitStatus { limit: limit.requests(), remaining: 0, reset_at };
        let scope = format!("Scope `{}`.", operation.scope());
        let builder = OperationBuilder::new()
            .tag(tag)
            .operation_id(Some(name))
            .summary(Some(summary))
            .description(Some(&scope));
        Described { scope, builder, rejections: Vec::new() }
            .rejects([
                AccessRefusal::Unauthorized,
                AccessRefusal::InsufficientScope { required: operation.scope() },
                AccessRefusal::ConcurrencyLimited {
                    at_once: NonZeroU32::MIN,
                    rate_limit: Some(rate_limit),
                },
                AccessRefusal::RateLimited { rate_limit, retry_after: limit.window().as_secs() },
            ])
            .rejects([Rejection::internal("")])
            .rejects([
                StoreErrorKind::Busy,
                StoreErrorKind::OutcomeUnknown,
                StoreErrorKind::Unavailable,
            ])
    }

    /// Adds text behind the scope.
    pub(super) fn notes(mut self, notes: &str) -> Self {
        self.builder = self.builder.description(Some(format!("{} {notes}", self.scope)));
        self
    }

    pub(super) fn parameters(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.builder = parameters.into_iter().fold(self.builder, OperationBuilder::parameter);
        self
    }

    /// Adds a body of JSON, and the rejections of one.
    pub(super) fn json_body(self, schema: &str, required: Required) -> Self {
        self.body(JSON, schema, required).rejects(BODY)
    }

    pub(super) fn body(self, media_type: &str, schema: &str, required: Required) -> Self {
        self.bodies([(media_type, schema)], required)
    }

    /// Adds a body of one of several media types.
    pub(super) fn bodies<const N: usize>(
        mut self,
        bodies: [(&str, &str); N],
        required: Required,
    ) -> Self {
        let body = RequestBodyBuilder::new().required(Some(required));
        let body = bodies.into_iter().fold(body, |body, (media_type, schema)| {
            body.content(media_type, Content::new(Some(Ref::from_schema_name(schema))))
        });
        self.builder = self.builder.request_body(Some(body.build()));
        self
    }

    /// Adds the refusal of a request that violates rules, with an example.
    pub(super) fn invalid(self, violations: Option<Violations>) -> Self {
        self.rejects(violations)
    }

    /// Adds rejections.
    pub(super) fn rejects(
        mut self,
        rejections: impl IntoIterator<Item = impl Into<Rejection>>,
    ) -> Self {
        self.rejections.extend(rejections.into_iter().map(Into::into));
        self
    }

    /// Adds the response to a request that succeeds.
    pub(super) fn responds(mut self, status: &str, response: ResponseBuilder) -> Self {
        self.builder = self.builder.response(status, with_headers(response, &[], true).build());
        self
    }

    /// Returns the description. Every operation refuses parameters that it does not know.
    pub(super) fn build(mut self) -> OperationObject {
        let is_invalid = |it: &Rejection| matches!(it, Rejection::Engine(Refusal::Invalid(_)));
        if !self.rejections.iter().any(is_invalid) {
            self = self.rejects([Violations::of_unknown_parameters(["colour"])]);
        }
        let mut by_status: BTreeMap<u16, Vec<Rejection>> = BTreeMap::new();
        for rejection in self.rejections {
            by_status.entry(rejection.status()).or_default().push(rejection);
        }
        let add = |builder: OperationBuilder, (status, rejections): (u16, Vec<Rejection>)| {
            builder.response(status.to_string(), error_response(&rejections).build())
        };
        by_status.into_iter().fold(self.builder, add).build()
    }
}

/// Returns a response with the rejections of one status, each an example under its code.
fn error_response(rejections: &[Rejection]) -> ResponseBuilder {
    let errors: Vec<ErrorBody<'_>> = rejections.iter().map(ErrorBody::from).collect();
    let examples = errors.iter().filter_map(|error| {
        let body = serde_json::to_value(error).ok()?;
        let name = error.error_code.unwrap_or("error").to_owned();
        Some((name, ExampleBuilder::new().value(Some(body)).build()))
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Refusal")))
        .examples_from_iter(examples)
        .build();
    let messages: Vec<&str> = errors.iter().map(|error| error.message).collect();
    let response = ResponseBuilder::new().description(messages.join(" / ")).content(JSON, content);
    // A request without a valid key and scope has no window.
    let has_window = errors.iter().all(|error| !matches!(error.status, 401 | 403));
    with_headers(response, &errors, has_window)
}

fn with_headers(
    mut response: ResponseBuilder,
    errors: &[ErrorBody<'_>],
    has_window: bool,
) -> ResponseBuilder {
    response =
        response.header("X-Request-Id", header(Type::String, "Names the request in the log"));
    if has_window {
        for (name, description) in [
            (
                "X-RateLimit-Limit",
                "How many requests a window takes, where the operation is limited",
            ),
            ("X-RateLimit-Remaining", "How many more it would take now"),
            ("X-RateLimit-Reset", "When its oldest request leaves it, in Unix seconds"),
        ] {
            response = response.header(name, header(Type::Integer, description));
        }
    }
    let has = |name| errors.iter().any(|error| error.headers.iter().any(|header| header.0 == name));
    if has("Retry-After") {
        let description = "After how many seconds trying again is right";
        response = response.header("Retry-After", header(Type::Integer, description));
    }
    if has("WWW-Authenticate") {
        response = response.header("WWW-Authenticate", header(Type::String, "`Bearer`"));
    }
    response
}

pub(super) fn header(kind: Type, description: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(kind);
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}
