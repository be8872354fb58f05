//! The arguments of a worker.

use clap::{Args, ValueHint};
use custom_models_core::Organisation;

use crate::config::span::Span;

#[derive(Args, Debug)]
pub(crate) struct WorkArgs {
    /// The command that trains a model, run by the shell
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::ExecutablePath)]
    pub(crate) command: String,
    /// Claim only trainings of this organisation [default: all organisations]
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Option<Organisation>,
    /// End as soon as no training waits
    #[arg(long)]
    pub(crate) once: bool,
    /// The time after which a silent worker loses its training, 1s to 1d
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub(crate) lease: Span,
    /// The time between two looks for a training when none waits
    #[arg(long, value_name = "DURATION", default_value = "1s")]
    pub(crate) poll: Span,
}
