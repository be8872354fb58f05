//! The options that every command takes.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use custom_models_core::Organisation;

use crate::config::store_url::StoreUrl;

/// The options that every command takes, before its name or behind it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The store of models, organisations and keys: sqlite:PATH, sled:DIR, postgres://… or memory:
    #[arg(long, global = true, value_name = "URL", default_value = "sqlite:custom-models.db")]
    pub(crate) store: StoreUrl,
    /// The URL of a service to ask instead of a store, with a key of the organisation in CUSTOM_MODELS_KEY
    #[cfg(feature = "client")]
    #[arg(long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) server: Option<String>,
    /// The organisation: 1 to 64 characters of A-Z a-z 0-9 _ -
    #[arg(long, global = true, value_name = "NAME", default_value = "default")]
    pub(crate) org: Organisation,
    /// The folder of training data [default: the store's path followed by .data]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) data: Option<PathBuf>,
    /// The plan: for org add and set-plan, and for organisations that are not registered [default: Enterprise]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) plan: Option<String>,
    /// A TOML file with more plans and limits; `custom-models serve --help` shows one
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
