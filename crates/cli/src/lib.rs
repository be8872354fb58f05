//! The command line of custom models: the binary `custom-models`, as one function.
//!
//! Arguments (`args`) name a command (`commands`), which opens its store by what is configured (`config`). What
//! came of it is printed, with an exit code (`output`).
#![forbid(unsafe_code)]

mod args;
mod commands;
mod config;
mod output;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::commands::completions;
use crate::output::report::{self, Exit};
use crate::output::{secrets, stderr};

/// Does what a command line asks, the program's name first, and prints what comes of it.
///
/// Standard input is read if the arguments say so. The exit code is one of those that `--help`
/// lists.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(exit) = completions::answer(&arguments) {
        return exit.into();
    }
    match Cli::try_parse_from(&arguments) {
        Ok(Cli { global, command }) => {
            let report = commands::run(&global, command);
            stderr::finish(|mut err| report.print(&mut io::stdout(), &mut err))
        }
        Err(message) => print_message(&message, &arguments),
    }
    .into()
}

/// Prints what the parser of arguments has to say: help, the version, or what is wrong.
fn print_message(message: &clap::Error, arguments: &[OsString]) -> Exit {
    if !message.use_stderr() {
        return match message.print().and_then(|()| io::stdout().flush()) {
            Ok(()) => Exit::Done,
            Err(error) => report::not_written(&error, &mut io::stderr().lock()),
        };
    }
    // Nobody is left to tell when the message cannot be written.
    let plain = message.to_string();
    let _ = match secrets::without_secrets(&plain, arguments) {
        shown if shown == plain => message.print(),
        shown => io::stderr().lock().write_all(shown.as_bytes()),
    };
    Exit::WrongUsage
}
