//! The commands. Each takes its arguments, works on a store and returns a report.

mod backend;
#[cfg(feature = "sqlite")]
mod backup;
mod body;
mod check;
pub(crate) mod completions;
mod data;
mod events;
mod export;
mod import;
mod models;
mod orgs_and_keys;
#[cfg(feature = "serve")]
mod serve;
mod session;
mod sweep;
mod work;

use crate::args::Command;
use crate::config::global::Global;
use crate::output::report::Report;

/// Runs a command.
pub(crate) fn run(global: &Global, command: Command) -> Report {
    match command {
        Command::Completions { shell } => completions::completions(global, shell),
        Command::Models(command) => session::run(global, command),
        Command::Org(command) => orgs_and_keys::organisations(global, command),
        Command::Key(command) => orgs_and_keys::keys(global, command),
        #[cfg(feature = "sqlite")]
        Command::Backup(args) => backup::backup(global, &args),
        #[cfg(feature = "sqlite")]
        Command::Restore(args) => backup::restore(global, &args),
        Command::Export(args) => export::export(global, &args),
        Command::Import(args) => import::import(global, &args),
        Command::Check => check::check(global),
        Command::Sweep(args) => sweep::sweep(global, &args),
        Command::Work(args) => work::work(global, &args),
        #[cfg(feature = "serve")]
        Command::Openapi => serve::describe(global),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::serve(global, &args),
        #[cfg(feature = "serve")]
        Command::Demo(args) => serve::demo(global, &args),
    }
}
