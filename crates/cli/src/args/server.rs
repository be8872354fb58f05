//! The arguments that a command on a service cannot have.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, Error, FromArgMatches};

use crate::args::{Cli, Command};

/// The options of a store, and why a service has none of them.
const OF_A_STORE: [(&str, &str); 5] = [
    ("store", "the service has a store of its own"),
    ("data", "the service has training data of its own"),
    ("org", "the organisation is that of the key"),
    ("plan", "the plan is that of the key's organisation"),
    ("config", "the service has plans and limits of its own"),
];

/// Parses a command line, and refuses what `--server` excludes.
pub(super) fn parse(arguments: &[OsString]) -> Result<Cli, Error> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(arguments)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    if cli.global.server.is_none() {
        return Ok(cli);
    }
    let reason = match (&cli.command, matches.subcommand_name()) {
        (Command::Models(_), _) => given(&matches),
        (_, name) => Some(format!(
            "`{}` works on a store: it cannot be used with --server",
            name.unwrap_or_default()
        )),
    };
    match reason {
        Some(reason) => Err(command.error(ErrorKind::ArgumentConflict, reason)),
        None => Ok(cli),
    }
}

/// Returns the reason against the first option of a store that is given, before the name of the command or behind it.
fn given(matches: &ArgMatches) -> Option<String> {
    let mut last = matches;
    while let Some((_, of_command)) = last.subcommand() {
        last = of_command;
    }
    let is_given = |name: &str| last.value_source(name) == Some(ValueSource::CommandLine);
    let (name, reason) = OF_A_STORE.into_iter().find(|(name, _)| is_given(name))?;
    Some(format!("--{name} cannot be used with --server: {reason}"))
}
