use std::num::NonZeroU32;

use crate::access::rate_limit::RateLimitStatus;
use crate::access::scope::Scope;
use crate::store::StoreError;
use crate::tenant::UnknownPlan;
use crate::wire::ErrorBody;

/// A refusal by the [`Gate`](crate::access::Gate).
///
/// `Display` is for logs. A caller of the API may see only the [`ErrorBody`] of a refusal (WIRE).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessRefusal {
    /// 401: no valid key (AUTH-1).
    #[error("invalid or missing API key")]
    Unauthorized,
    /// 403: a valid key lacks the scope that the operation needs (AUTH-2).
    #[error("the key lacks the scope {required}")]
    InsufficientScope {
        /// The required scope.
        required: Scope,
    },
    /// 429: the key has as many requests in progress as allowed (RATE-2).
    #[error("{at_once} requests of the key are at work already")]
    ConcurrencyLimited {
        /// The most concurrent requests.
        at_once: NonZeroU32,
        /// The rate-limit status of the key, if the operation has a window.
        rate_limit: Option<RateLimitStatus>,
    },
    /// 429: the window of the key is full (RATE-1).
    #[error("{} requests were admitted already; retry after {retry_after} s", rate_limit.limit)]
    RateLimited {
        /// The rate-limit status of the key.
        rate_limit: RateLimitStatus,
        /// The whole seconds until a request is admitted if no other is sent (RATE-5).
        retry_after: u64,
    },
    /// 500: the plan of the organisation is not configured.
    #[error(transparent)]
    UnknownPlan(#[from] UnknownPlan),
    /// 500, or 503 if the caller may retry: the store failed. The cause is for the log alone.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<&AccessRefusal> for ErrorBody<'_> {
    fn from(refusal: &AccessRefusal) -> Self {
        match refusal {
            AccessRefusal::Unauthorized => {
                ErrorBody::new(401, "Unauthorized", "Invalid or missing API key")
                    .with_header("WWW-Authenticate", "Bearer")
            }
            AccessRefusal::InsufficientScope { required } => {
                let message = "The API key lacks the scope that this operation needs";
                ErrorBody::new(403, "Forbidden", message)
                    .with_code("INSUFFICIENT_SCOPE")
                    .with_detail("required_scope", required.as_str())
            }
            AccessRefusal::ConcurrencyLimited { at_once, rate_limit } => {
                let body = ErrorBody::new(429, "Too Many Requests", "Too many requests at a time")
                    .with_code("CONCURRENCY_LIMIT_EXCEEDED")
                    .with_detail("at_once", at_once.get())
                    .with_retry_after(1);
                rate_limit.iter().fold(body, with_standing)
            }
            AccessRefusal::RateLimited { rate_limit, retry_after } => {
                let body = ErrorBody::new(429, "Too Many Requests", "Request limit reached")
                    .with_code("RATE_LIMIT_EXCEEDED")
                    .with_detail("limit", rate_limit.limit)
                    .with_detail("retry_after", *retry_after)
                    .with_retry_after(*retry_after);
                with_standing(body, rate_limit)
            }
            AccessRefusal::UnknownPlan(_) => ErrorBody::internal(),
            AccessRefusal::Store(fault) => fault.into(),
        }
    }
}

fn with_standing<'a>(body: ErrorBody<'a>, rate_limit: &RateLimitStatus) -> ErrorBody<'a> {
    rate_limit.headers().into_iter().fold(body, |body, (name, value)| body.with_header(name, value))
}
