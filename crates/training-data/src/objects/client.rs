//! Clients of the services, configured by the environment.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use custom_models_core::store::{StoreError, StoreErrorKind};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::multipart::MultipartStore;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

use super::clock::{Clock, Noting};
use super::location::{Location, Service};
use super::options::ObjectOptions;

/// A service with both interfaces.
pub(super) trait Client: ObjectStore + MultipartStore {}

impl<T: ObjectStore + MultipartStore> Client for T {}

/// Creates the client for a location. It connects with the first request.
pub(super) fn client(
    location: &Location,
    options: &ObjectOptions,
    clock: &Clock,
) -> Result<Arc<dyn Client>, StoreError> {
    // Another part of the process may have installed a provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (retry, connector) = (retries(options), Noting(clock.clone()));
    let bucket = &location.bucket;
    let limits = [
        (ClientConfigKey::ConnectTimeout, options.connect_timeout),
        (ClientConfigKey::Timeout, options.request_timeout),
    ]
    .map(|(key, time)| (key, format!("{}ms", time.as_millis())));
    // A macro, since the builders have no common trait.
    macro_rules! built {
        ($builder:expr, $key:ident, $named:ident) => {{
            let mut builder =
                $builder.$named(bucket).with_retry(retry).with_http_connector(connector);
            for (key, limit) in limits {
                let key = $key::Client(key);
                // The environment takes precedence.
                if builder.get_config_value(&key).is_none_or(|there| is_default(&there)) {
                    builder = builder.with_config(key, limit);
                }
            }
            for (name, value) in &options.settings {
                builder = builder.with_config(setting::<$key>(name)?, value);
            }
            Ok(Arc::new(builder.build().map_err(|error| unbuilt(&error))?))
        }};
    }
    match location.service {
        Service::S3 => built!(AmazonS3Builder::from_env(), AmazonS3ConfigKey, with_bucket_name),
        Service::Google => {
            built!(GoogleCloudStorageBuilder::from_env(), GoogleConfigKey, with_bucket_name)
        }
        Service::Azure => {
            built!(MicrosoftAzureBuilder::from_env(), AzureConfigKey, with_container_name)
        }
    }
}

/// Returns true for a limit that is not set.
fn is_default(limit: &str) -> bool {
    let defaults = object_store::ClientOptions::default();
    [ClientConfigKey::ConnectTimeout, ClientConfigKey::Timeout]
        .iter()
        .any(|key| defaults.get_config_value(key).as_deref() == Some(limit))
}

fn retries(options: &ObjectOptions) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: options.first_pause,
            max_backoff: options.first_pause.saturating_mul(50),
            base: 2.0,
        },
        max_retries: options.retries,
        retry_timeout: options.retry_timeout,
    }
}

fn setting<K: FromStr<Err = object_store::Error>>(name: &str) -> Result<K, StoreError> {
    name.parse().map_err(|_| {
        let cause = format!("object storage has no setting '{name}'");
        StoreError::new(StoreErrorKind::Unavailable, cause)
    })
}

/// Converts the error of a client that could not be configured. The library's text names the missing setting,
/// and may repeat a value, so it is not passed on.
fn unbuilt(error: &dyn fmt::Display) -> StoreError {
    let text = error.to_string();
    let missing =
        ["region", "bucket", "account", "container", "service account", "endpoint", "URL"]
            .into_iter()
            .find(|it| text.to_lowercase().contains(&it.to_lowercase()));
    let what = missing.map_or_else(String::new, |it| format!(": look at the {it}"));
    let cause = format!("object storage: the environment has no or wrong settings for it{what}");
    StoreError::new(StoreErrorKind::Unavailable, cause)
}
