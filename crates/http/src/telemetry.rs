//! Telemetry: the access log, the metrics and the causes of panics.

pub(crate) mod access_log;
pub(crate) mod metrics;
pub(crate) mod panics;
