//! The arguments of the commands that serve.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use custom_models_core::access::RequestLimit;
use tracing_subscriber::filter::LevelFilter;

use crate::args::store::AdoptArgs;
use crate::config::span::{OrOff, Span};

#[derive(Args, Debug)]
pub(crate) struct ListenArgs {
    /// Where to listen; port 0 is a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) listen: ListenArgs,
    /// Where to serve /metrics to Prometheus, and nothing else; port 0 is a free one [default: nowhere]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// How many creates a key may ask for in any window of such a length (s, m, h, d), or off
    /// [default: 10/1h]
    #[arg(long, value_name = "LIMIT")]
    pub(crate) create_limit: Option<OrOff<RequestLimit>>,
    /// How many creates of a key may be at work at a time, or off [default: 3]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) create_concurrency: Option<OrOff<NonZeroU32>>,
    /// The share of the places for uploads and for waiting requests that one organisation may take, in percent,
    /// 1 to 100; one place at least
    #[arg(long, value_name = "PERCENT", default_value_t = 25,
        value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) org_share: u8,
    /// How often to look for what is over: leases that have run out, kept answers and events that are
    /// old, files that nothing refers to; or off
    #[arg(long, value_name = "SPAN", default_value = "60s")]
    pub(crate) sweep_every: OrOff<Span>,
    #[command(flatten)]
    pub(crate) folder: AdoptArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct LogArgs {
    /// How the log is written on standard error
    #[arg(long = "log", value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: LogFormat,
    /// The least that is logged: info is a line for each request and each sweep, warn what goes wrong
    #[arg(long = "log-level", value_name = "LEVEL", value_parser = level(), default_value = "info")]
    pub(crate) level: LevelFilter,
}

/// How a log is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

fn level() -> impl TypedValueParser<Value = LevelFilter> {
    PossibleValuesParser::new(["info", "warn", "error", "off"])
        .try_map(|level| level.parse::<LevelFilter>())
}
