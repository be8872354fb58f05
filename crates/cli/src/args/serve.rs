//! The arguments of the commands that serve.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use custom_models_core::access::RateLimit;
use tracing_subscriber::filter::LevelFilter;

use crate::args::store::AdoptArgs;
use crate::config::span::{OrOff, Span};

#[derive(Args, Debug)]
pub(crate) struct ListenArgs {
    /// The address to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) listen: ListenArgs,
    /// The address of /metrics for Prometheus, which serves nothing else; port 0 picks a free port [default: none]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// The number of creates that a key may request in any period of this length (s, m, h, d), or off
    /// [default: 10/1h]
    #[arg(long, value_name = "LIMIT")]
    pub(crate) create_limit: Option<OrOff<RateLimit>>,
    /// The number of creates of a key that may run at a time, or off [default: 3]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) create_concurrency: Option<OrOff<NonZeroU32>>,
    /// The percentage of all concurrent uploads and of all waiting requests that one organisation may use,
    /// 1 to 100; at least one of each
    #[arg(long, value_name = "PERCENT", default_value_t = 25,
        value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) org_share: u8,
    /// The interval of sweeps, or off. A sweep ends trainings whose leases ran out, and removes old answers,
    /// old events and files that no record refers to
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub(crate) sweep_every: OrOff<Span>,
    #[command(flatten)]
    pub(crate) folder: AdoptArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct LogArgs {
    /// The format of the log on standard error
    #[arg(long = "log", value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: LogFormat,
    /// The lowest level that is logged: info has a line for each request and each sweep, warn only faults
    #[arg(long = "log-level", value_name = "LEVEL", value_parser = level(), default_value = "info")]
    pub(crate) level: LevelFilter,
}

/// The format of a log.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

fn level() -> impl TypedValueParser<Value = LevelFilter> {
    PossibleValuesParser::new(["info", "warn", "error", "off"])
        .try_map(|level| level.parse::<LevelFilter>())
}
