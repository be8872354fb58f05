//! The binary `custom-models`, a call of the library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    custom_models_cli::run(std::env::args_os())
}
