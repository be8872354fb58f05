//! The settings of a client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt;

use crate::client::{Client, Settings};
use crate::retry::RetryPolicy;

/// A builder of a [`Client`].
///
/// ```
/// use std::time::Duration;
/// use custom_models_client::{Client, RetryPolicy};
///
/// let client = Client::builder("https://models.example.com/speech")
///     .key("cm_0123456789ab_secret")
///     .timeout(Duration::from_secs(10))
///     .retries(RetryPolicy::default().with_max_retries(2))
///     .build()?;
/// assert!(!format!("{client:?}").contains("secret"));
/// # Ok::<(), custom_models_client::InvalidClient>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    base_url: String,
    key: Option<String>,
    connect_timeout: Duration,
    timeout: Duration,
    stall_timeout: Duration,
    retries: RetryPolicy,
    uses_proxy: bool,
}

/// The error for settings of which no client can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidClient {
    /// The base URL is not one of HTTP, or has a user, a query or a fragment.
    #[error("the base URL is not http:// or https:// with a host and a path alone")]
    BaseUrl,
    /// The key has characters that a header cannot have.
    #[error("the key has characters that no key has")]
    Key,
    /// TLS cannot be set up on this system.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
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
}

impl ClientBuilder {
    pub(crate) fn new(base_url: String) -> Self {
        ClientBuilder {
            base_url,
            key: None,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(60),
            retries: RetryPolicy::default(),
            uses_proxy: true,
        }
    }

    /// Sets the key, sent as `Authorization: Bearer`.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the time-out of a connection attempt. The default is 10 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the time-out of one attempt, from the connection to the end of the response. The default is 30 seconds. A
    /// request that waits for events has its wait in addition, and an upload has [`ClientBuilder::stall_timeout`] instead.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the time for which an upload may make no progress. The default is 60 seconds.
    pub fn stall_timeout(mut self, timeout: Duration) -> Self {
        self.stall_timeout = timeout;
        self
    }

    /// Sets the policy of retries.
    pub fn retries(mut self, retries: RetryPolicy) -> Self {
        self.retries = retries;
        self
    }

    /// Ignores `HTTP_PROXY` and the other variables that name proxies.
    pub fn no_proxy(mut self) -> Self {
        self.uses_proxy = false;
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    ///
    /// If the base URL or the key is invalid, or the system has no certificates.
    pub fn build(self) -> Result<Client, InvalidClient> {
        let base_url = base_url(&self.base_url)?;
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.key {
            let mut value = HeaderValue::try_from(format!("Bearer {key}"))
                .ok()
                .filter(|_| key.bytes().all(|byte| byte.is_ascii_graphic()))
                .filter(|_| !key.is_empty())
                .ok_or(InvalidClient::Key)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("custom-models-client/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(self.connect_timeout)
            .redirect(Policy::none())
            .tls_backend_preconfigured(tls()?);
        if !self.uses_proxy {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| InvalidClient::Tls(error.to_string()))?;
        let Self { timeout, stall_timeout, retries, .. } = self;
        Ok(Client(Arc::new(Settings { http, base_url, timeout, stall_timeout, retries })))
    }
}

/// Shows no key.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .field("stall_timeout", &self.stall_timeout)
            .field("retries", &self.retries)
            .finish_non_exhaustive()
    }
}

fn base_url(text: &str) -> Result<Url, InvalidClient> {
    let url = Url::parse(text).map_err(|_| InvalidClient::BaseUrl)?;
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
    if is_plain && is_http { Ok(url) } else { Err(InvalidClient::BaseUrl) }
}

/// Returns the settings of TLS. They do not depend on a provider that the process may have installed.
fn tls() -> Result<ClientConfig, InvalidClient> {
    let failed = |error: rustls::Error| InvalidClient::Tls(error.to_string());
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_platform_verifier()
        .map_err(failed)?
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
