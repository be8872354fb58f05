//! Pools of connections to the server.

use std::sync::Arc;
use std::time::Duration;

use custom_models_core::store::{StoreError, StoreErrorKind};
use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolBuilder,
    RecyclingMethod, Runtime, Timeouts,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::Fault;
use crate::settings::{Address, Roots, Settings};

/// A pool that opens connections on demand, and replaces lost ones.
#[derive(Clone)]
pub(crate) struct ConnectionPool(Pool);

impl ConnectionPool {
    /// A pool of connections for reading. Callers wait while all are in use.
    pub(crate) fn reading(address: &Address, settings: &Settings) -> Result<Self, StoreError> {
        let wait = Some(settings.wait);
        build(pool(address, settings, settings.reading_connections, wait)?)
    }

    /// A pool with the one connection of a writer. Statements that wait too long for a lock fail.
    pub(crate) fn writing(address: &Address, settings: &Settings) -> Result<Self, StoreError> {
        let patience = format!("SET lock_timeout = {}", settings.patience.as_millis());
        let set = Hook::async_fn(move |client: &mut ClientWrapper, _| {
            let patience = patience.clone();
            Box::pin(
                async move { client.batch_execute(&patience).await.map_err(HookError::Backend) },
            )
        });
        build(pool(address, settings, 1, None)?.post_create(set))
    }

    pub(crate) async fn get(&self) -> Result<Object, Fault> {
        Ok(self.0.get().await?)
    }
}

fn pool(
    address: &Address,
    settings: &Settings,
    size: usize,
    wait: Option<Duration>,
) -> Result<PoolBuilder, StoreError> {
    let config = address.config.clone();
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match &address.tls {
        None => Manager::from_config(config, NoTls, recycling),
        Some(roots) => Manager::from_config(config, tls(roots)?, recycling),
    };
    // Hosts are tried one after the other, each with its own timeout.
    let hosts = u32::try_from(address.config.get_hosts().len()).unwrap_or(u32::MAX);
    let create = Some(settings.patience.saturating_mul(hosts.saturating_add(1)));
    let timeouts = Timeouts { wait, create, recycle: None };
    Ok(Pool::builder(manager).max_size(size).timeouts(timeouts).runtime(Runtime::Tokio1))
}

fn build(pool: PoolBuilder) -> Result<ConnectionPool, StoreError> {
    pool.build().map(ConnectionPool).map_err(|cause| StoreError::new(StoreErrorKind::Failed, cause))
}

/// TLS that verifies the server's certificate and name.
fn tls(roots: &Roots) -> Result<MakeRustlsConnect, StoreError> {
    let unusable = |cause: Box<dyn std::error::Error + Send + Sync>| {
        StoreError::new(StoreErrorKind::Unavailable, cause)
    };
    let mut trusted = RootCertStore::empty();
    match roots {
        Roots::System => {
            trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Roots::File(path) => {
            for certificate in
                CertificateDer::pem_file_iter(path).map_err(|it| unusable(it.into()))?
            {
                let certificate = certificate.map_err(|it| unusable(it.into()))?;
                trusted.add(certificate).map_err(|it| unusable(it.into()))?;
            }
        }
    }
    if trusted.is_empty() {
        return Err(unusable("there is no certificate to trust".into()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|it| unusable(it.into()))?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
