//! The command line of custom models: the binary `custom-models`, as one function.
//!
//! Arguments become an operation (`args`, `operation`). The store is opened by its URL, the
//! operation done and the store closed (`store_url`, `perform`). What came of it is printed, with
//! an exit code (`report`).
#![forbid(unsafe_code)]

mod archive;
mod args;
#[cfg(feature = "sqlite")]
mod backup;
mod body;
mod check;
mod completions;
mod data;
mod data_folder;
mod escape;
mod events;
mod export;
mod failure;
mod import;
mod lease;
#[cfg(feature = "serve")]
mod log;
#[cfg(feature = "serve")]
mod metrics;
mod new_file;
mod operation;
mod perform;
mod places;
mod program;
mod register;
mod report;
mod secrets;
#[cfg(feature = "serve")]
mod serve;
mod settings;
mod sink;
mod store_path;
mod store_url;
mod sweep;
#[cfg(feature = "serve")]
mod sweeper;
mod temporary;
mod told;
mod work;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::report::Exit;

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
            let report = match command {
                Command::Completions { shell } => completions::completions(&global, shell),
                Command::Models(command) => perform::on_store(&global, command),
                Command::Org(command) => register::organisations(&global, command),
                Command::Key(command) => register::keys(&global, command),
                #[cfg(feature = "sqlite")]
                Command::Backup(args) => backup::backup(&global, &args),
                #[cfg(feature = "sqlite")]
                Command::Restore(args) => backup::restore(&global, &args),
                Command::Export(args) => export::export(&global, &args),
                Command::Import(args) => import::import(&global, &args),
                Command::Check => check::check(&global),
                Command::Sweep(args) => sweep::sweep(&global, &args),
                Command::Work(args) => work::work(&global, &args),
                #[cfg(feature = "serve")]
                Command::Openapi => serve::describe(&global),
                #[cfg(feature = "serve")]
                Command::Serve(args) => serve::serve(&global, &args),
                #[cfg(feature = "serve")]
                Command::Demo(args) => serve::demo(&global, &args),
            };
            sink::finish(|mut err| report.print(&mut io::stdout(), &mut err))
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
