//! The arguments of the commands on models. Values that the engine judges stay texts.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use custom_models_core::ModelId;

use crate::args::data::DataCommand;
use crate::args::id::{EditArgs, IdArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Create a model and print it
    ///
    /// The model is printed when it is durable. A refusal names every invalid field at once.
    #[command(after_help = include_str!("help/create.txt"))]
    Create(CreateArgs),
    /// Print one model
    #[command(after_help = include_str!("help/show.txt"))]
    Show(IdArgs),
    /// Print a page of the organisation's models, by ascending id
    #[command(after_help = include_str!("help/list.txt"))]
    List(ListArgs),
    /// Change the name or the description of a model, and print the model
    ///
    /// A field that is not given keeps its value. The language and the base model never change.
    #[command(after_help = include_str!("help/update.txt"))]
    Update(UpdateArgs),
    /// Start the training of a model, and print the model
    ///
    /// The model needs 5 hours of training audio. A worker does the training.
    #[command(after_help = include_str!("help/run.txt"))]
    Run(EditArgs),
    /// Cancel the training of a model, and print the model
    #[command(after_help = include_str!("help/cancel.txt"))]
    Cancel(EditArgs),
    /// Print the model with a key, if its last training succeeded
    #[command(after_help = include_str!("help/resolve.txt"))]
    Resolve(ResolveArgs),
    /// Add training data to a model, list it or remove it
    #[command(subcommand, after_help = include_str!("help/data.txt"))]
    Data(DataCommand),
    /// Print the organisation's changes, oldest first, with who made them
    #[command(after_help = include_str!("help/events.txt"))]
    Events(EventsArgs),
    /// Delete a model; it no longer counts against the plan
    ///
    /// Prints nothing. A second delete is refused, because the model no longer exists.
    #[command(after_help = include_str!("help/delete.txt"))]
    Delete(IdArgs),
}

/// The fields of a new model. None is required here: the engine reports missing fields together with
/// invalid ones.
#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    /// The display name, 1 to 200 characters [required, or --json]
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) name: Option<String>,
    /// The language, two lower-case letters such as en [required, or --json]
    #[arg(long, value_name = "CODE", allow_hyphen_values = true)]
    pub(crate) language: Option<String>,
    /// general, medical, legal or technical [default: general]
    #[arg(long, value_name = "TYPE", allow_hyphen_values = true)]
    pub(crate) base_model: Option<String>,
    /// A description, up to 1000 characters
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) description: Option<String>,
    /// A file with the request body of the API, at most 64 KiB; `-` for standard input
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["name", "language", "base_model", "description"]
    )]
    pub(crate) json: Option<PathBuf>,
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
    /// Remove the description
    #[arg(long, conflicts_with = "description")]
    pub(crate) no_description: bool,
    /// A file with the request body of the API, at most 64 KiB; `-` for standard input
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["name", "description", "no_description"]
    )]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ResolveArgs {
    /// The model's key, such as custom_model_123
    #[arg(value_name = "MODEL_KEY")]
    pub(crate) model_key: String,
}

#[derive(Args, Debug)]
pub(crate) struct EventsArgs {
    /// Print only events after this position
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    pub(crate) after: u64,
    /// The largest number of events to print
    #[arg(long, value_name = "NUMBER", conflicts_with = "follow")]
    pub(crate) limit: Option<std::num::NonZeroU32>,
    /// Wait for more events, until the command is stopped
    #[arg(long)]
    pub(crate) follow: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// The number of the page [default: 1]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(crate) page: Option<String>,
    /// The number of models on a page, 1 to 100 [default: 25]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(crate) per_page: Option<String>,
    /// Start after the model with this id; costs the same at any depth
    // The API has no such parameter, and no message for an invalid one: that is wrong usage.
    #[arg(long, value_name = "ID", conflicts_with = "page", allow_negative_numbers = true)]
    pub(crate) after: Option<ModelId>,
    /// Print only models with this training status, 1 to 5
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(crate) status: Option<String>,
    /// Print only models in this language
    #[arg(long, value_name = "CODE", allow_hyphen_values = true)]
    pub(crate) language: Option<String>,
    /// Print only models with this base model
    #[arg(long, value_name = "TYPE", allow_hyphen_values = true)]
    pub(crate) base_model: Option<String>,
}
