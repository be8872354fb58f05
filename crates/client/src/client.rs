//! The client, and the parts that its requests have in common.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use crate::retry::RetryPolicy;

/// A client of one service, with one key. Clones share its connections.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Settings>);

pub(crate) struct Settings {
    pub(crate) http: reqwest::Client,
    pub(crate) base_url: Url,
    pub(crate) timeout: Duration,
    pub(crate) stall_timeout: Duration,
    pub(crate) retries: RetryPolicy,
}

impl Client {
    /// Returns the base URL.
    pub fn base_url(&self) -> &str {
        self.0.base_url.as_str()
    }
}

/// Shows no key.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url())
            .field("retries", &self.0.retries)
            .finish_non_exhaustive()
    }
}
