//! Completion in shells: a script that asks this command for candidates at each Tab.

use std::ffi::OsString;
use std::io;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_complete::env::{Bash, CompleteEnv, Elvish, EnvCompleter, Fish, Powershell, Shells, Zsh};

use crate::args::Cli;
use crate::config::global::Global;
use crate::output::failure::Failure;
use crate::output::report::{Exit, Report};

mod values;

/// The name of the command on the path.
const NAME: &str = "custom-models";

/// The variable that holds the shell's name while the shell asks.
const VARIABLE: &str = "CUSTOM_MODELS_COMPLETE";

const BASH: Scripted<Bash> = Scripted(Bash, include_str!("completions/bash.sh"));
const ZSH: Scripted<Zsh> = Scripted(Zsh, include_str!("completions/zsh.zsh"));
const SHELLS: Shells<'static> = Shells(&[&BASH, &Elvish, &Fish, &Powershell, &ZSH]);

/// Prints the script that completes the command in a shell.
pub(crate) fn completions(global: &Global, shell: Shell) -> Report {
    match script(shell) {
        Ok(script) => Report::answer(script),
        Err(error) => Report::failure(Failure::WrongUsage(error.to_string()), &global.store),
    }
}

fn script(shell: Shell) -> io::Result<String> {
    let shell = SHELLS.completer(&shell.to_string()).ok_or(io::ErrorKind::Unsupported)?;
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, NAME, NAME, NAME, &mut script)?;
    Ok(String::from_utf8_lossy(&script).trim().to_owned())
}

/// Answers a shell that asks for completions; `None` if no shell asks.
pub(crate) fn answer(arguments: &[OsString]) -> Option<Exit> {
    let folder = std::env::current_dir().ok();
    let shells = CompleteEnv::with_factory(command).var(VARIABLE).shells(SHELLS);
    match shells.try_complete(arguments, folder.as_deref()) {
        Ok(true) => Some(Exit::Done),
        Ok(false) => None,
        Err(error) => {
            // Nobody is left to tell when the message cannot be written.
            let _ = error.print();
            Some(Exit::WrongUsage)
        }
    }
}

/// The command line, with candidates for the values of its arguments.
fn command() -> Command {
    values::propose(Cli::command())
}

/// A shell of `clap_complete` with another script.
///
/// Bash splits `custom_models:read` into three words, and the script of `clap_complete` completes only the last
/// of them. The script for zsh puts a space after `sqlite:`.
struct Scripted<S>(S, &'static str);

impl<S: EnvCompleter> EnvCompleter for Scripted<S> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn is(&self, name: &str) -> bool {
        self.0.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        _name: &str,
        _bin: &str,
        completer: &str,
        script: &mut dyn io::Write,
    ) -> io::Result<()> {
        let text = self.1.replace("VARIABLE", variable).replace("NAME", completer);
        script.write_all(text.as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        folder: Option<&std::path::Path>,
        candidates: &mut dyn io::Write,
    ) -> io::Result<()> {
        self.0.write_complete(command, words, folder, candidates)
    }
}
