//! The arguments, as the parser of arguments sees them.

pub(crate) mod access;
pub(crate) mod data;
pub(crate) mod id;
pub(crate) mod models;
#[cfg(feature = "serve")]
pub(crate) mod serve;
pub(crate) mod store;
pub(crate) mod work;

use clap::{Parser, Subcommand};
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
/// The rules and the JSON are those of the HTTP API. Models are kept in a store on this machine and
/// belong to an organisation, whose plan says how many it may have. What is asked of models is answered
/// on standard output, in one line of JSON. A refusal is one line of JSON on standard error, and nothing
/// was changed.
#[derive(Debug, Parser)]
#[command(name = "custom-models", version, after_long_help = include_str!("args/help/main.txt"))]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Models(ModelCommand),
    /// Register the organisations that may use the service, each on a plan
    #[command(subcommand, after_help = include_str!("args/help/org.txt"))]
    Org(OrgCommand),
    /// Make, list and revoke the keys of the HTTP service
    #[command(subcommand, after_help = include_str!("args/help/key.txt"))]
    Key(KeyCommand),
    /// Copy a SQLite store, as it is at one moment, also while others use it
    #[cfg(feature = "sqlite")]
    #[command(after_help = include_str!("args/help/backup.txt"))]
    Backup(CopyArgs),
    /// Make a SQLite store of a copy, after making sure that the copy is whole
    #[cfg(feature = "sqlite")]
    #[command(after_help = include_str!("args/help/restore.txt"))]
    Restore(RestoreArgs),
    /// Write all that a store holds to a file, a line of JSON a record, as it is at one moment
    #[command(after_help = include_str!("args/help/export.txt"))]
    Export(FileArgs),
    /// Fill an empty store, of whatever kind, with what was exported of another one
    #[command(after_help = include_str!("args/help/import.txt"))]
    Import(ImportArgs),
    /// Look whether all that a store holds agrees with itself, and with the files of training data
    ///
    /// What is found is said on standard error, a line each.
    #[command(after_help = include_str!("args/help/check.txt"))]
    Check,
    /// See once to what is over, as a service does from time to time, and print what was done
    ///
    /// Trainings whose workers fell silent three times fail. Kept answers of more than a day, and events
    /// past the retention of the configuration, are forgotten. Files that nothing refers to are removed.
    #[command(after_help = include_str!("args/help/sweep.txt"))]
    Sweep(SweepArgs),
    /// Train models: claim trainings one after the other, and have a program do them
    #[command(after_help = include_str!("args/help/work.txt"))]
    Work(WorkArgs),
    /// Serve the API over HTTP
    ///
    /// Until it is told to end by SIGTERM or Ctrl-C: then it takes nothing new, lets what runs end,
    /// and ends itself.
    #[cfg(feature = "serve")]
    #[command(after_help = include_str!("args/help/serve.txt"))]
    Serve(ServeArgs),
    /// Serve a store in memory with a key that is ready, to try the API
    #[cfg(feature = "serve")]
    #[command(after_help = include_str!("args/help/demo.txt"))]
    Demo(ListenArgs),
    /// Print the description of the API, in OpenAPI 3.1
    #[cfg(feature = "serve")]
    #[command(after_help = include_str!("args/help/openapi.txt"))]
    Openapi,
    /// Print a script that completes this command in a shell
    #[command(after_help = include_str!("args/help/completions.txt"))]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
}
