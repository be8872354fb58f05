//! The command line as clap parses it: commands, options and their help.

pub(crate) mod access;
pub(crate) mod data;
pub(crate) mod id;
pub(crate) mod models;
#[cfg(feature = "serve")]
pub(crate) mod serve;
#[cfg(feature = "client")]
mod server;
pub(crate) mod store;
pub(crate) mod work;

use std::ffi::OsString;

use clap::{Error, Parser, Subcommand};
use clap_complete::Shell;

use crate::args::access::{KeyCommand, OrgCommand};
use crate::args::models::ModelCommand;
#[cfg(feature = "serve")]
use crate::args::serve::{ListenArgs, ServeArgs};
#[cfg(feature = "sqlite")]
use crate::args::store::{CopyArgs, RestoreArgs};
use crate::args::store::{FileArgs, ImportArgs, SweepArgs};
use crate::args::work::WorkArgs;
use crate::config::global::Global;

/// Create, show, list and delete custom speech-recognition models, and serve them over HTTP
///
/// The rules and the JSON are those of the HTTP API. Models are kept in a store on this machine. Each
/// belongs to an organisation, and the organisation's plan limits their number. The result is one line of
/// JSON on standard output. A refusal is one line of JSON on standard error, and changes nothing.
#[derive(Debug, Parser)]
#[command(name = "custom-models", version, after_long_help = include_str!("args/help/main.txt"))]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Parses a command line, the program's name first.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Cli, Error> {
    #[cfg(feature = "client")]
    return server::parse(arguments);
    #[cfg(not(feature = "client"))]
    Cli::try_parse_from(arguments)
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Models(ModelCommand),
    /// Register the organisations that may use the service, and choose their plans
    #[command(subcommand, after_help = include_str!("args/help/org.txt"))]
    Org(OrgCommand),
    /// Create, list and revoke keys for the HTTP service
    #[command(subcommand, after_help = include_str!("args/help/key.txt"))]
    Key(KeyCommand),
    /// Copy a SQLite store to a file, also while other processes use it
    #[cfg(feature = "sqlite")]
    #[command(after_help = include_str!("args/help/backup.txt"))]
    Backup(CopyArgs),
    /// Make a SQLite store from a copy, after a check that the copy is complete
    #[cfg(feature = "sqlite")]
    #[command(after_help = include_str!("args/help/restore.txt"))]
    Restore(RestoreArgs),
    /// Write every record of a store to a file, one line of JSON each, as of one moment
    #[command(after_help = include_str!("args/help/export.txt"))]
    Export(FileArgs),
    /// Fill an empty store, of any kind, from the export of another store
    #[command(after_help = include_str!("args/help/import.txt"))]
    Import(ImportArgs),
    /// Check that the records of a store agree with each other and with the files of training data
    ///
    /// Each finding is a line on standard error.
    #[command(after_help = include_str!("args/help/check.txt"))]
    Check,
    /// Remove what is out of date, as a service does at intervals, and print the counts
    ///
    /// A training whose worker was lost three times fails. Stored answers older than a day and events older
    /// than the configured retention are deleted. Files that no record refers to are removed.
    #[command(after_help = include_str!("args/help/sweep.txt"))]
    Sweep(SweepArgs),
    /// Train models: claim trainings one after the other, and run a program for each
    #[command(after_help = include_str!("args/help/work.txt"))]
    Work(WorkArgs),
    /// Serve the API over HTTP
    ///
    /// Runs until SIGTERM or Ctrl-C. Then it accepts no more requests, finishes those that run, and ends.
    #[cfg(feature = "serve")]
    #[command(after_help = include_str!("args/help/serve.txt"))]
    Serve(ServeArgs),
    /// Serve a store in memory, with a key, to try the API
    #[cfg(feature = "serve")]
    #[command(after_help = include_str!("args/help/demo.txt"))]
    Demo(ListenArgs),
    /// Print the description of the API, in OpenAPI 3.1
    #[cfg(feature = "serve")]
    #[command(after_help = include_str!("args/help/openapi.txt"))]
    Openapi,
    /// Print the completion script of a shell
    #[command(after_help = include_str!("args/help/completions.txt"))]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
}
