//! The arguments of the commands on training data.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::id::{EditArgs, IdArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Add a pair of audio and transcript, and print the result
    ///
    /// The duration is read from the audio itself. A model with 5 hours of training audio is ready to run.
    #[command(after_long_help = include_str!("help/data-add.txt"))]
    Add(AddDataArgs),
    /// Print the model's pairs, oldest first
    List(IdArgs),
    /// Remove a pair and its files
    Remove {
        #[command(flatten)]
        edit: EditArgs,
        /// The pair's number, which `data list` shows
        #[arg(value_name = "DATA_ID")]
        data_id: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct AddDataArgs {
    #[command(flatten)]
    pub(crate) edit: EditArgs,
    /// train or test [required]
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) data_type: Option<String>,
    /// The audio: .mp3, .wav, .flac, .m4a, .aac or .ogg [required]
    #[arg(long, value_name = "FILE")]
    pub(crate) audio: Option<PathBuf>,
    /// The transcript of the audio: a .txt file in UTF-8 [required]
    #[arg(long, value_name = "FILE")]
    pub(crate) transcript: Option<PathBuf>,
}
