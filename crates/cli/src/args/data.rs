//! The arguments of the commands on training data.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};

use crate::args::id::{EditArgs, IdArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Add a pair of audio and transcript, or many, and print the result
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
    /// train or test
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) data_type: Option<String>,
    /// The audio of one pair: .mp3, .wav, .flac, .m4a, .aac or .ogg
    #[arg(long, value_name = "FILE", conflicts_with = "many")]
    pub(crate) audio: Option<PathBuf>,
    /// The transcript of that audio: a .txt file in UTF-8
    #[arg(long, value_name = "FILE", conflicts_with = "many")]
    pub(crate) transcript: Option<PathBuf>,
    /// Many pairs: a .tsv, .csv or .jsonl file with a row for each
    #[arg(long, value_name = "FILE", group = "many", conflicts_with = "if_revision")]
    pub(crate) manifest: Option<PathBuf>,
    /// Many pairs: a .zip file with audio files and their transcripts in trans.txt
    #[arg(long, value_name = "FILE", group = "many", conflicts_with = "if_revision")]
    pub(crate) archive: Option<PathBuf>,
    /// The percentages of pairs to train and to test with, such as 80/20, by a hash of the audio's name
    #[arg(long, value_name = "TRAIN/TEST", requires = "many", conflicts_with = "data_type")]
    pub(crate) split: Option<Split>,
    /// The number of pairs that are added at a time, 1 to 64 [default: the number of processors, 2 to 8]
    #[arg(long, value_name = "NUMBER", requires = "many", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) jobs: Option<u8>,
}

/// The shares of pairs to train and to test with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    /// The percentage of pairs to train with.
    pub(crate) train: u8,
}

/// The error for a text that is not a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two percentages from 1 that add up to 100, such as 80/20")]
pub(crate) struct InvalidSplit;

impl FromStr for Split {
    type Err = InvalidSplit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (train, test) = text.split_once('/').ok_or(InvalidSplit)?;
        let percentage = |text: &str| match text.parse::<u8>() {
            Ok(number @ 1..=99) if !text.starts_with(['+', '0']) => Ok(number),
            _ => Err(InvalidSplit),
        };
        let (train, test) = (percentage(train)?, percentage(test)?);
        if train + test == 100 { Ok(Split { train }) } else { Err(InvalidSplit) }
    }
}
