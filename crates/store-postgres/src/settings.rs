//! Settings: the address of the server, and the times that it is waited for.

use std::env;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use custom_models_core::store::{StoreError, StoreErrorKind};
use custom_models_core::time::UnixMillis;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// By which clock requests are admitted (RATE-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// That of the server, which all machines share.
    #[default]
    Server,
    /// The time that each admission says: for one machine, and for tests that make their own time.
    Caller,
}

impl Clock {
    /// The time of the caller, if that is the one that counts.
    pub(crate) fn given(self, now: UnixMillis) -> Option<UnixMillis> {
        match self {
            Clock::Server => None,
            Clock::Caller => Some(now),
        }
    }
}

/// The settings with which a store uses its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// By which clock requests are admitted.
    pub clock: Clock,
    /// The number of connections that read at the same time; two more write.
    pub reading_connections: usize,
    /// The longest wait for one of these while they are all in use. At most a day.
    pub wait: Duration,
    /// The longest time for a statement, or for a connection to a host. An operation that takes several times
    /// as long is not waited for any more. At most a day.
    pub patience: Duration,
}

/// The server's clock, 8 connections that read, 2 and 5 seconds.
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
    /// No time is longer than a day, and somebody reads.
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

/// The address of a server, and the certificates by which it is verified.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) config: Config,
    /// `None` goes without TLS.
    pub(crate) tls: Option<Roots>,
}

/// The certificate authorities whose signatures are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Roots {
    /// Those that the system trusts.
    System,
    /// Those in a file of PEM.
    File(PathBuf),
}

impl Address {
    /// The name of the database; that of the role where the URL has none, as on every server.
    pub(crate) fn database(&self) -> &str {
        self.config.get_dbname().or(self.config.get_user()).unwrap_or_default()
    }

    /// Takes a server that follows another one too, for what only reads.
    pub(crate) fn accept_any(&mut self) {
        self.config.target_session_attrs(TargetSessionAttrs::Any);
    }

    /// Reads a URL. What it says of passwords is in no error.
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
        // A store writes; whoever follows another server is not the one.
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
