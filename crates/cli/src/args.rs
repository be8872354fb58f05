//! The arguments, as the parser of arguments sees them. Values that the engine judges stay texts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use custom_models_core::{ModelId, Organisation};

use crate::commands::completions::values;
use crate::config::span::Span;
use crate::config::store_url::StoreUrl;

mod access;
#[cfg(feature = "serve")]
mod serve;

pub(crate) use access::{EraseArgs, KeyArgs, KeyCommand, OrgCommand};
#[cfg(feature = "serve")]
pub(crate) use serve::{ListenArgs, LogArgs, LogFormat, ServeArgs};

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

/// The options that every command takes, before its name or behind it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Where models, organisations and keys are kept: sqlite:PATH, sled:DIR, postgres://… or memory:
    #[arg(long, global = true, value_name = "URL", add = values::stores(), default_value = "sqlite:custom-models.db")]
    pub(crate) store: StoreUrl,
    /// Whose models or keys: 1 to 64 characters of A-Z a-z 0-9 _ -
    #[arg(long, global = true, value_name = "NAME", add = values::organisations(), default_value = "default")]
    pub(crate) org: Organisation,
    /// The folder of training data [default: the store's path with .data behind it]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) data: Option<PathBuf>,
    /// The plan to register, which set-plan needs, or that of an organisation without one [default: Enterprise]
    #[arg(long, global = true, value_name = "NAME", add = values::plans())]
    pub(crate) plan: Option<String>,
    /// More plans, and limits, from a TOML file; the help of serve shows one
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
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

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Create a model and print it
    ///
    /// The model is printed when it is durable. Everything that is wrong with the request is said
    /// at once.
    #[command(after_help = include_str!("args/help/create.txt"))]
    Create(CreateArgs),
    /// Print one model
    #[command(after_help = include_str!("args/help/show.txt"))]
    Show(IdArgs),
    /// Print a page of the organisation's models, in ascending order of their ids
    #[command(after_help = include_str!("args/help/list.txt"))]
    List(ListArgs),
    /// Change the name or the description of a model, and print the model
    ///
    /// What is not given stays as it is. The language and the base model are fixed at creation.
    #[command(after_help = include_str!("args/help/update.txt"))]
    Update(UpdateArgs),
    /// Have a model trained, and print it
    ///
    /// It needs 5 hours of audio to train with. A worker does the training.
    #[command(after_help = include_str!("args/help/run.txt"))]
    Run(EditArgs),
    /// Call the training of a model off, and print the model
    #[command(after_help = include_str!("args/help/cancel.txt"))]
    Cancel(EditArgs),
    /// Print the model that a key names, if its last training succeeded
    #[command(after_help = include_str!("args/help/resolve.txt"))]
    Resolve(KeyOfModel),
    /// Add training data to a model, list it or remove it
    #[command(subcommand, after_help = include_str!("args/help/data.txt"))]
    Data(DataCommand),
    /// Print what was changed, by whom, in the order of the changes
    #[command(after_help = include_str!("args/help/events.txt"))]
    Events(EventsArgs),
    /// Delete a model; its place in the plan is free at once
    ///
    /// Prints nothing. Deleting it again is refused: there is no such model any more.
    #[command(after_help = include_str!("args/help/delete.txt"))]
    Delete(IdArgs),
}

/// The fields of a new model. None is required here: the engine says what is missing, together with
/// all else that is wrong.
#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    /// The display name, 1 to 200 characters [required, or --json]
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) name: Option<String>,
    /// The language, two lower-case letters such as en [required, or --json]
    #[arg(long, value_name = "CODE", add = values::languages(), allow_hyphen_values = true)]
    pub(crate) language: Option<String>,
    /// general, medical, legal or technical [default: general]
    #[arg(long, value_name = "TYPE", add = values::base_models(), allow_hyphen_values = true)]
    pub(crate) base_model: Option<String>,
    /// A description, up to 1000 characters
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) description: Option<String>,
    /// Take the request body of the API from a file of at most 64 KiB, or `-` for standard input
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["name", "language", "base_model", "description"]
    )]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct IdArgs {
    /// The model's id
    #[arg(add = values::models(), allow_negative_numbers = true)]
    pub(crate) id: String,
}

#[derive(Args, Debug)]
pub(crate) struct EditArgs {
    #[command(flatten)]
    pub(crate) id: IdArgs,
    /// Only if the model is at this revision; the API shows it as the ETag
    #[arg(long, value_name = "NUMBER")]
    pub(crate) if_revision: Option<std::num::NonZeroU64>,
}

#[derive(Args, Debug)]
pub(crate) struct UpdateArgs {
    #[command(flatten)]
    pub(crate) edit: EditArgs,
    /// The new display name, 1 to 200 characters
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) name: Option<String>,
    /// The new description, up to 1000 characters
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) description: Option<String>,
    /// Leave the model without a description
    #[arg(long, conflicts_with = "description")]
    pub(crate) no_description: bool,
    /// Take the request body of the API from a file of at most 64 KiB, or `-` for standard input
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["name", "description", "no_description"]
    )]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Add a pair of audio and transcript, and print what became of it
    ///
    /// How long the audio lasts is read from the audio itself. With 5 hours to train with a model is
    /// ready to run.
    #[command(after_long_help = include_str!("args/help/data-add.txt"))]
    Add(AddData),
    /// Print the model's pairs, in the order in which they were added
    List(IdArgs),
    /// Remove a pair, with its files
    Remove {
        #[command(flatten)]
        edit: EditArgs,
        /// The pair's number, which `data list` shows
        #[arg(value_name = "DATA_ID")]
        data_id: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct AddData {
    #[command(flatten)]
    pub(crate) edit: EditArgs,
    /// train or test [required]
    #[arg(long = "type", value_name = "TYPE", add = values::data_types())]
    pub(crate) data_type: Option<String>,
    /// The audio: .mp3, .wav, .flac, .m4a, .aac or .ogg [required]
    #[arg(long, value_name = "FILE")]
    pub(crate) audio: Option<PathBuf>,
    /// What was said in it: a text in UTF-8, .txt [required]
    #[arg(long, value_name = "FILE")]
    pub(crate) transcript: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct KeyOfModel {
    /// The model's key, such as custom_model_123
    #[arg(value_name = "MODEL_KEY")]
    pub(crate) model_key: String,
}

#[derive(Args, Debug)]
pub(crate) struct EventsArgs {
    /// Only events behind this position
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    pub(crate) after: u64,
    /// How many events at most
    #[arg(long, value_name = "NUMBER", conflicts_with = "follow")]
    pub(crate) limit: Option<std::num::NonZeroU32>,
    /// Go on with what is changed from now on, until the command is ended
    #[arg(long)]
    pub(crate) follow: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// The page, from 1 [default: 1]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(crate) page: Option<String>,
    /// How many models a page holds, 1 to 100 [default: 25]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(crate) per_page: Option<String>,
    /// Start behind the model with this id, at the same cost however far that is
    // The API has no such parameter and so no words for a wrong one: it is wrong usage.
    #[arg(long, value_name = "ID", add = values::models(), conflicts_with = "page", allow_negative_numbers = true)]
    pub(crate) after: Option<ModelId>,
    /// Only models in this training status, 1 to 5
    #[arg(long, value_name = "NUMBER", add = values::statuses(), allow_negative_numbers = true)]
    pub(crate) status: Option<String>,
    /// Only models in this language
    #[arg(long, value_name = "CODE", add = values::languages(), allow_hyphen_values = true)]
    pub(crate) language: Option<String>,
    /// Only models on this base model
    #[arg(long, value_name = "TYPE", add = values::base_models(), allow_hyphen_values = true)]
    pub(crate) base_model: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct FileArgs {
    /// The file, or - for standard output or input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    #[command(flatten)]
    pub(crate) folder: AdoptArgs,
}

#[derive(Args, Debug)]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    pub(crate) folder: AdoptArgs,
    /// Only say what would be done, and which files would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// The right to take over a folder of training data (PLACE-2).
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct AdoptArgs {
    /// Take the folder of training data over, whatever store it belongs to, and say which files would go
    #[arg(long)]
    pub(crate) adopt: bool,
}

#[cfg(feature = "sqlite")]
#[derive(Args, Debug)]
pub(crate) struct CopyArgs {
    /// The copy
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[cfg(feature = "sqlite")]
#[derive(Args, Debug)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    pub(crate) copy: CopyArgs,
    #[command(flatten)]
    pub(crate) folder: AdoptArgs,
}

#[derive(Args, Debug)]
pub(crate) struct WorkArgs {
    /// The program that trains, as the shell runs it
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::ExecutablePath)]
    pub(crate) command: String,
    /// Only trainings of this organisation [default: of all]
    #[arg(long, value_name = "NAME", add = values::organisations())]
    pub(crate) only: Option<Organisation>,
    /// End when no training waits
    #[arg(long)]
    pub(crate) once: bool,
    /// How long a training is the worker's without a word of it, 1s to 1d
    #[arg(long, value_name = "SPAN", default_value = "60s")]
    pub(crate) lease: Span,
    /// How long to wait before looking again when no training waits
    #[arg(long, value_name = "SPAN", default_value = "1s")]
    pub(crate) poll: Span,
}
