//! Connections to the server: those that read, and one that writes.

use std::sync::Arc;

use custom_models_core::{StoreError, StoreErrorKind};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::fault::Fault;
use crate::settings::{Address, Roots, Settings};

/// Connections that are made when they are needed, and made again when they are lost.
#[derive(Clone)]
pub(crate) struct Connections {
    reading: Pool,
    writing: Pool,
}

impl Connections {
    pub(crate) fn new(address: &Address, settings: &Settings) -> Result<Self, StoreError> {
        let reading = pool(address, settings, settings.reading_connections)?;
        let writing = pool(address, settings, 1)?;
        Ok(Connections { reading, writing })
    }

    pub(crate) async fn for_reading(&self) -> Result<Object, Fault> {
        Ok(self.reading.get().await?)
    }

    pub(crate) async fn for_writing(&self) -> Result<Object, Fault> {
        Ok(self.writing.get().await?)
    }
}

fn pool(address: &Address, settings: &Settings, size: usize) -> Result<Pool, StoreError> {
    let config = address.config.clone();
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match &address.tls {
        None => Manager::from_config(config, NoTls, recycling),
        Some(roots) => Manager::from_config(config, tls(roots)?, recycling),
    };
    // A connection may be made to one host after another, and each has its own time.
    let hosts = u32::try_from(address.config.get_hosts().len()).unwrap_or(u32::MAX);
    let create = Some(settings.patience.saturating_mul(hosts.saturating_add(1)));
    Pool::builder(manager)
        .max_size(size)
        .timeouts(Timeouts { wait: Some(settings.wait), create, recycle: None })
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|cause| StoreError::new(StoreErrorKind::Failed, cause))
}

/// TLS with the server's certificate verified, its name included.
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
