//! The command line of custom models: the binary `custom-models`, as one function.
//!
//! `args` parses the command line, `commands` runs the command on its store, `config` has the store and the
//! settings, and `output` prints the result and chooses the exit code.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod config;
mod output;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::args::Cli;
use crate::commands::completions;
use crate::output::report::{self, Exit};
use crate::output::{secrets, stderr};

/// Runs a command line, the program's name first, and prints the result.
///
/// Reads standard input if the arguments say so. Returns one of the exit codes that `--help` lists.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(exit) = completions::answer(&arguments) {
        return exit.into();
    }
    match args::parse(&arguments) {
        Ok(Cli { global, command }) => {
            let report = commands::run(&global, command);
            stderr::finish(|mut err| report.print(&mut io::stdout(), &mut err))
        }
        Err(message) => print_message(&message, &arguments),
    }
    .into()
}

/// Prints a message of the parser of arguments: help, the version, or an error.
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
