//! Completion scripts for shells.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::args::Cli;

/// The script that completes the command in a shell.
///
/// It is put together in memory: the generator panics when it cannot write.
pub(crate) fn script(shell: Shell) -> String {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).trim_end().to_owned()
}
