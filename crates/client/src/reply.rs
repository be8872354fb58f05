//! The result of an operation, with what the headers of the response say.

use std::ops::Deref;
use std::time::Duration;

use custom_models_core::access::RateLimitStatus;
use custom_models_core::model::Revision;
use custom_models_core::time::UnixMillis;
use reqwest::header::{ETAG, HeaderMap, RETRY_AFTER};

/// The result of an operation. It dereferences to its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply<T> {
    /// The value.
    pub value: T,
    /// The id under which the service logs the request.
    pub request_id: Option<String>,
    /// The window of the key for this operation, if it has one (RATE-5).
    pub rate_limit: Option<RateLimitStatus>,
    /// True if the service had done this before, under the same idempotency key, and this is that response.
    pub is_replayed: bool,
    /// While a training runs: the time after which to look again.
    pub retry_after: Option<Duration>,
}

impl<T> Reply<T> {
    pub(crate) fn new(value: T, heads: Heads) -> Self {
        let Heads { request_id, rate_limit, is_replayed, retry_after, .. } = heads;
        Reply { value, request_id, rate_limit, is_replayed, retry_after }
    }

    pub(crate) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Reply<U> {
        let Reply { value, request_id, rate_limit, is_replayed, retry_after } = self;
        Reply { value: convert(value), request_id, rate_limit, is_replayed, retry_after }
    }

    /// Returns the value alone.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T> Deref for Reply<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// The headers of a response, as far as they are of this API.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heads {
    pub(crate) request_id: Option<String>,
    pub(crate) rate_limit: Option<RateLimitStatus>,
    pub(crate) is_replayed: bool,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) revision: Option<Revision>,
}

impl Heads {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let number = |name: &str| text(name)?.parse::<u64>().ok();
        let rate_limit = || {
            let reset = i64::try_from(number("x-ratelimit-reset")?).ok()?;
            Some(RateLimitStatus {
                limit: number("x-ratelimit-limit")?.try_into().ok()?,
                remaining: number("x-ratelimit-remaining")?.try_into().ok()?,
                reset_at: UnixMillis::from_unix_millis(reset.saturating_mul(1000)),
            })
        };
        let revision = || {
            let tag = text(ETAG.as_str())?.strip_prefix('"')?.strip_suffix('"')?;
            Revision::new(tag.parse().ok()?)
        };
        Heads {
            request_id: text("x-request-id").map(str::to_owned),
            rate_limit: rate_limit(),
            is_replayed: text("idempotency-replayed") == Some("true"),
            retry_after: number(RETRY_AFTER.as_str()).map(Duration::from_secs),
            revision: revision(),
        }
    }
}
