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
    /// The model is printed when it is durable. Everything that is wrong with the request is said
    /// at once.
    #[command(after_help = include_str!("help/create.txt"))]
    Create(CreateArgs),
    /// Print one model
    #[command(after_help = include_str!("help/show.txt"))]
    Show(IdArgs),
    /// Print a page of the organisation's models, in ascending order of their ids
    #[command(after_help = include_str!("help/list.txt"))]
    List(ListArgs),
    /// Change the name or the description of a model, and print the model
    ///
    /// What is not given stays as it is. The language and the base model are fixed at creation.
    #[command(after_help = include_str!("help/update.txt"))]
    Update(UpdateArgs),
    /// Have a model trained, and print it
    ///
    /// It needs 5 hours of audio to train with. A worker does the training.
    #[command(after_help = include_str!("help/run.txt"))]
    Run(EditArgs),
    /// Call the training of a model off, and print the model
    #[command(after_help = include_str!("help/cancel.txt"))]
    Cancel(EditArgs),
    /// Print the model that a key names, if its last training succeeded
    #[command(after_help = include_str!("help/resolve.txt"))]
    Resolve(ResolveArgs),
    /// Add training data to a model, list it or remove it
    #[command(subcommand, after_help = include_str!("help/data.txt"))]
    Data(DataCommand),
    /// Print what was changed, by whom, in the order of the changes
    #[command(after_help = include_str!("help/events.txt"))]
    Events(EventsArgs),
    /// Delete a model; its place in the plan is free at once
    ///
    /// Prints nothing. Deleting it again is refused: there is no such model any more.
    #[command(after_help = include_str!("help/delete.txt"))]
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
    #[arg(long, value_name = "CODE", allow_hyphen_values = true)]
    pub(crate) language: Option<String>,
    /// general, medical, legal or technical [default: general]
    #[arg(long, value_name = "TYPE", allow_hyphen_values = true)]
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

#[derive(Args, Debug)]
pub(crate) struct ResolveArgs {
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
    #[arg(long, value_name = "ID", conflicts_with = "page", allow_negative_numbers = true)]
    pub(crate) after: Option<ModelId>,
    /// Only models in this training status, 1 to 5
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(crate) status: Option<String>,
    /// Only models in this language
    #[arg(long, value_name = "CODE", allow_hyphen_values = true)]
    pub(crate) language: Option<String>,
    /// Only models on this base model
    #[arg(long, value_name = "TYPE", allow_hyphen_values = true)]
    pub(crate) base_model: Option<String>,
}
