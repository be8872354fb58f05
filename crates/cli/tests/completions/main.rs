//! Completions in real shells, in which Tab is pressed.
//!
//! They need Bash, zsh, fish and python3, and `CUSTOM_MODELS_SHELL_TESTS=1`. Without it they are reported as
//! ignored. See CONTRIBUTING.md.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

/// A shell, and how it is started with a file to read.
struct Shell {
    /// The ending of the trial's name, behind the shell's, that tells two ways of starting it apart.
    way: &'static str,
    name: &'static str,
    arguments: &'static [&'static str],
    /// The file that it reads, in its folder, and what is in it.
    start: (&'static str, &'static str),
}

const SHELLS: [Shell; 4] = [
    Shell {
        way: "",
        name: "bash",
        arguments: &["--noprofile", "--rcfile", "start", "-i"],
        start: (
            "start",
            r#"PS1='READY>'
bind 'set bell-style none'
keep() { printf '%s\n' "$READLINE_LINE" >> result; }
bind -x '"\C-o": keep'
source <(custom-models completions bash)
"#,
        ),
    },
    Shell {
        way: "",
        name: "zsh",
        arguments: &["-i"],
        start: (
            ".zshrc",
            r#"PS1='READY>'
autoload -Uz compinit && compinit -u -D
keep() { print -r -- "$BUFFER" >> result }
zle -N keep
bindkey -e
bindkey '^O' keep
source <(custom-models completions zsh)
"#,
        ),
    },
    Shell {
        way: "_from_a_folder_of_functions",
        name: "zsh",
        arguments: &["-i"],
        start: (
            ".zshrc",
            r#"PS1='READY>'
custom-models completions zsh > _custom-models
fpath=($PWD $fpath)
autoload -Uz compinit && compinit -u -D
keep() { print -r -- "$BUFFER" >> result }
zle -N keep
bindkey -e
bindkey '^O' keep
"#,
        ),
    },
    Shell {
        way: "",
        name: "fish",
        arguments: &["--no-config", "--init-command", "source start", "-i"],
        start: (
            "start",
            r#"function fish_prompt; printf 'READY>'; end
function fish_greeting; end
set -g fish_autosuggestion_enabled 0
bind \co 'commandline >> result'
bind \cu 'commandline ""'
custom-models completions fish | source
"#,
        ),
    },
];

/// Typed keys, and the command line that they lead to.
const LINES: [(&str, &str); 21] = [
    ("custom-models exp\t", "custom-models export "),
    ("custom-models key cr\t", "custom-models key create "),
    ("custom-models data rem\t", "custom-models data remove "),
    ("custom-models create --lang\t", "custom-models create --language "),
    ("custom-models create --language vi\t", "custom-models create --language vi "),
    ("custom-models create --base-model me\t", "custom-models create --base-model medical "),
    ("custom-models list --status 4\t", "custom-models list --status 4 "),
    ("custom-models data add 1 --type tr\t", "custom-models data add 1 --type train "),
    ("custom-models data add 1 --audio to\t", "custom-models data add 1 --audio tone.flac "),
    ("custom-models list --plan Ent\t", "custom-models list --plan Enterprise "),
    ("custom-models list --config p\t", "custom-models list --config plans.toml "),
    (
        "custom-models --config plans.toml list --plan Sil\t",
        "custom-models --config plans.toml list --plan Silver ",
    ),
    ("custom-models key create --scope tr\t", "custom-models key create --scope training:work "),
    (
        "custom-models key create --scope custom_models:w\t",
        "custom-models key create --scope custom_models:write ",
    ),
    (
        "custom-models key create --scope training:work custom_models:r\t",
        "custom-models key create --scope training:work custom_models:read ",
    ),
    ("custom-models --store mem\t", "custom-models --store memory:"),
    (
        "custom-models --store sqlite:models.db --org acme key cr\t",
        "custom-models --store sqlite:models.db --org acme key create ",
    ),
    ("custom-models --store sqlite:mod\t", "custom-models --store sqlite:models.db "),
    ("custom-models --store sql\t", "custom-models --store sqlite:"),
    ("custom-models list --data fol\t", "custom-models list --data folder/"),
    ("custom-models completions fi\t", "custom-models completions fish "),
];

fn press_tab(shell: &Shell) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let place = folder.path();
    let (start, text) = shell.start;
    std::fs::write(place.join(start), text)?;
    std::fs::write(place.join("plans.toml"), "[plans]\nSilver = { models = 20 }\n")?;
    std::fs::create_dir(place.join("folder"))?;
    for name in ["tone.flac", "models.db"] {
        std::fs::write(place.join(name), "")?;
    }
    let program = Path::new(env!("CARGO_BIN_EXE_custom-models"));
    let programs = program.parent().ok_or("no folder of programs")?.display();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/completions/press_tab.py");
    let mut typing = Command::new("python3");
    typing.args([script, "result", shell.name]).args(shell.arguments).current_dir(place);
    typing.env("PATH", format!("{programs}:{}", std::env::var("PATH")?));
    typing.envs([("HOME", place), ("ZDOTDIR", place), ("XDG_DATA_HOME", place)]);
    typing.envs([("TERM", "xterm"), ("LC_ALL", "C.UTF-8")]).env_remove("INPUTRC");
    let mut typing = typing.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let lines: String = LINES.iter().map(|(typed, _)| format!("{typed}\n")).collect();
    typing.stdin.take().ok_or("no input")?.write_all(lines.as_bytes())?;
    let output = typing.wait_with_output()?;
    if !output.status.success() {
        return Err("the shell could not be asked".into());
    }
    let results = String::from_utf8(output.stdout)?;
    let mut wrong = Vec::new();
    for ((typed, expected), found) in LINES.iter().zip(results.lines()) {
        if found != *expected {
            wrong.push(format!("{typed:?} became {found:?}"));
        }
    }
    if results.lines().count() != LINES.len() {
        wrong.push(format!("{} lines became {}", LINES.len(), results.lines().count()));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

fn main() {
    let is_ignored = std::env::var_os("CUSTOM_MODELS_SHELL_TESTS").is_none();
    let trials = SHELLS.iter().map(|shell| {
        let name = format!("tab_completes_in_{}{}", shell.name, shell.way);
        let run = move || match is_ignored {
            true => Err(Failed::from("CUSTOM_MODELS_SHELL_TESTS is not set")),
            false => press_tab(shell),
        };
        Trial::test(name, run).with_ignored_flag(is_ignored)
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}
