//! The binary `custom-models`; everything that it does is in the library beside it.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    custom_models_cli::run(std::env::args_os())
}
