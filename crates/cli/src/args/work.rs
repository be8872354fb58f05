//! The arguments of a worker.

use clap::{Args, ValueHint};
use custom_models_core::Organisation;

use crate::config::span::Span;

#[derive(Args, Debug)]
pub(crate) struct WorkArgs {
    /// The program that trains, as the shell runs it
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::ExecutablePath)]
    pub(crate) command: String,
    /// Only trainings of this organisation [default: of all]
    #[arg(long, value_name = "NAME")]
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
