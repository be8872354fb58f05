//! The client, and the parts that its requests have in common.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use crate::builder::{ClientBuilder, InvalidClient};
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
    /// Makes a client with the default settings.
    ///
    /// # Errors
    ///
    /// Those of [`ClientBuilder::build`].
    pub fn new(base_url: impl Into<String>, key: impl Into<String>) -> Result<Self, InvalidClient> {
        Client::builder(base_url).key(key).build()
    }

    /// Starts a builder. The base URL is that under which the service has its `/api/v3`: a scheme, a host, and a path if
    /// a proxy or the host of the router puts it under one.
    pub fn builder(base_url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(base_url.into())
    }

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
