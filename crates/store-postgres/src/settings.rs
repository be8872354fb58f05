//! Settings: the address of the server, timeouts and the number of connections.

use std::env;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use custom_models_core::store::{StoreError, StoreErrorKind};
use custom_models_core::time::UnixMillis;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// The clock by which requests are admitted (RATE-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The server's clock, which all machines share.
    #[default]
    Server,
    /// The time given with each request: for a single machine, and for tests.
    Caller,
}

impl Clock {
    /// The caller's time, if this is the caller's clock.
    pub(crate) fn given(self, now: UnixMillis) -> Option<UnixMillis> {
        match self {
            Clock::Server => None,
            Clock::Caller => Some(now),
        }
    }
}

/// The settings of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The clock by which requests are admitted.
    pub clock: Clock,
    /// The number of connections for reading. Two more are for writing.
    pub reading_connections: usize,
    /// The longest wait for a reading connection while all are in use. At most a day.
    pub wait: Duration,
    /// The timeout of a statement, and of connecting to a host. Operations of several statements
    /// have a multiple of it. At most a day.
    pub patience: Duration,
}

/// The server's clock, 8 reading connections, a wait of 2 seconds and a patience of 5.
impl Default for Settings {
    fn default() -> Self {
        Settings {
            clock: Clock::Server,
            reading_connections: 8,
            wait: Duration::from_secs(2),
            patience: Duration::from_secs(5),
        }
    }
}

impl Settings {
    /// Limits each time to a day, and the number of reading connections to at least 1.
    pub(crate) fn bounded(self) -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        let bounded = |time: Duration| time.clamp(Duration::from_millis(1), DAY);
        Settings {
            clock: self.clock,
            reading_connections: self.reading_connections.max(1),
            wait: bounded(self.wait),
            patience: bounded(self.patience),
        }
    }
}

/// The address of a server, and the certificates that verify it.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) config: Config,
    /// `None` is a connection without TLS.
    pub(crate) tls: Option<Roots>,
}

/// The certificate authorities whose signatures are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Roots {
    /// The system's.
    System,
    /// Those in a PEM file.
    File(PathBuf),
}

impl Address {
    /// The name of the database, by default that of the role.
    pub(crate) fn database(&self) -> &str {
        self.config.get_dbname().or(self.config.get_user()).unwrap_or_default()
    }

    /// Also accepts a standby, for stores opened for reading alone.
    pub(crate) fn accept_any(&mut self) {
        self.config.target_session_attrs(TargetSessionAttrs::Any);
    }

    /// Parses a URL. No error contains its password.
    pub(crate) fn parse(url: &str, patience: Duration) -> Result<Self, StoreError> {
        let (rest, parameters) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots) = (None, None);
        let mut others = Vec::new();
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(PathBuf::from(value)),
                _ => others.push(parameter),
            }
        }
        let url = format!("{rest}?{}", others.join("&"));
        let mut config: Config = url.parse().map_err(unusable)?;
        // A store writes, so a standby is not accepted.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(patience);
        }
        if config.get_application_name().is_none() {
            config.application_name("custom-models");
        }
        if config.get_password().is_none()
            && let Some(password) = env::var_os("PGPASSWORD")
        {
            config.password(password.as_encoded_bytes());
        }
        let has_tls = match mode {
            None => !is_local(&config),
            Some("disable") => false,
            Some("require" | "verify-full") => true,
            Some(_) => return Err(unusable("sslmode is disable or verify-full")),
        };
        config.ssl_mode(if has_tls { SslMode::Require } else { SslMode::Disable });
        let roots = roots.map_or(Roots::System, Roots::File);
        Ok(Address { config, tls: has_tls.then_some(roots) })
    }
}

fn is_local(config: &Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    })
}

fn unusable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, cause)
}

#[cfg(test)]
mod tests;
