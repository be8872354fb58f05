//! The help texts of the command.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use support::Folder;

const COMMANDS: [&str; 23] = [
    "create",
    "show",
    "list",
    "delete",
    "org",
    "key",
    "serve",
    "demo",
    "openapi",
    "completions",
    "update",
    "run",
    "cancel",
    "resolve",
    "events",
    "data",
    "work",
    "sweep",
    "backup",
    "restore",
    "check",
    "export",
    "import",
];

/// Returns the output of a help command. Asserts that it has no escape sequences and fits a terminal.
fn help(arguments: &[&str]) -> String {
    let help = Folder::new().run(arguments);
    assert_eq!((help.code, help.err.as_str()), (0, ""), "{arguments:?}");
    for line in help.out.lines() {
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(line.chars().count() <= 100, "{line}");
    }
    help.out
}

#[test]
fn help_names_commands_options_stores_plans_and_exit_codes() {
    let help = help(&["--help"]);
    for part in COMMANDS.into_iter().chain([
        "--store <URL>",
        "--server <URL>",
        "[default: sqlite:custom-models.db]",
        "--org <NAME>",
        "[default: default]",
        "--plan <NAME>",
        "--config <FILE>",
        "[default: Enterprise]",
        "\nExamples:\n  custom-models create --name \"Medical Cardiology EN\" --language en --base-model medical\n",
        "\nStore URLs:\n  sqlite:PATH ",
        "\n  sled:DIR ",
        "\n  postgres://",
        "\n  memory: ",
        "\nPlans:\n  Gold         5 models",
        "\n  Enterprise ",
        "\nExit codes:\n  0  Done.\n  1  Refused.",
        "\n  2  Wrong usage.",
        "\n  3  The store failed.",
        "\n  4  Done, but ",
    ]) {
        assert!(help.contains(part), "`{part}` is not in:\n{help}");
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in COMMANDS {
        let help = help(&[command, "--help"]);
        let example = format!("custom-models {command} ");
        assert!(help.contains("\nExample"), "{help}");
        let usage = format!("Usage: {example}");
        assert!(help.replace(&usage, "").contains(&example), "{help}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = concat!("custom-models ", env!("CARGO_PKG_VERSION"), "\n");
    Folder::new().run(&["--version"]).is_done(version);
}

#[test]
fn without_a_command_the_help_is_wrong_usage() {
    let ended = Folder::new().run::<&str>(&[]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(ended.err.contains("Usage: custom-models"), "{}", ended.err);
}

#[test]
fn every_shell_has_a_script_that_asks_the_command() {
    for (shell, binding) in [
        ("bash", " -F _custom_models custom-models"),
        ("elvish", "edit:completion:arg-completer[custom-models] "),
        ("fish", "--command custom-models "),
        ("powershell", " -CommandName custom-models "),
        ("zsh", "#compdef custom-models\n"),
    ] {
        let folder = Folder::new();
        let script = folder.run(&["completions", shell]);
        assert_eq!((script.code, script.err.as_str()), (0, ""));
        assert!(script.out.contains(binding), "{shell}: {}", script.out);
        assert!(script.out.contains("CUSTOM_MODELS_COMPLETE"), "{shell}: {}", script.out);
        assert_eq!(folder.files(), [""; 0]);
    }
}

/// The first words of what is proposed in place of the last of these words.
fn proposed(folder: &Folder, words: &[&str]) -> Vec<String> {
    let mut command = folder.command(&[&["--", "custom-models"][..], words].concat());
    let output = command.env("CUSTOM_MODELS_COMPLETE", "fish").output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().filter_map(|line| line.split('\t').next().map(str::to_owned)).collect()
}

#[test]
fn completions_propose_every_command_and_every_value() {
    let folder = Folder::new();
    let commands = proposed(&folder, &[""]);
    for command in COMMANDS {
        assert!(commands.iter().any(|it| it == command), "{command} is not in {commands:?}");
    }
    assert_eq!(proposed(&folder, &["create", "--language", ""]).len(), 33);
    for (words, values) in [
        (&["create", "--base-model", ""][..], &["general", "medical", "legal", "technical"][..]),
        (&["list", "--status", ""], &["1", "2", "3", "4", "5"]),
        (&["data", "add", "1", "--type", ""], &["train", "test"]),
        (
            &["key", "create", "--scope", ""],
            &["custom_models:write", "custom_models:read", "training:work"],
        ),
        (&["list", "--plan", ""], &["Gold", "Enterprise"]),
        (&["list", "--store", ""], &["sqlite:", "sled:", "postgres://", "memory:"]),
    ] {
        assert_eq!(proposed(&folder, words), values, "{words:?}");
    }
    assert_eq!(folder.files(), [""; 0], "what is proposed makes no store");
}

#[test]
fn completions_propose_what_is_in_a_store_that_is_there() {
    let folder = Folder::new();
    for words in [&["show", ""][..], &["list", "--org", ""], &["key", "revoke", ""]] {
        assert_eq!(proposed(&folder, words).iter().filter(|it| !it.starts_with('-')).count(), 0);
    }
    assert_eq!(folder.files(), [""; 0], "to ask makes no store");
    let at = ["--store", "sqlite:m.db"];
    let run = |arguments: &[&str]| folder.run(&[&at[..], arguments].concat()).out;
    run(&["org", "add", "acme"]);
    run(&["org", "add", "zebra"]);
    let key = run(&["key", "create", "--org", "acme", "--scope", "training:work"]);
    for org in ["acme", "zebra", "acme"] {
        run(&["create", "--name", "n", "--language", "en", "--org", org]);
    }
    for (words, values) in [
        (&["--org", "acme", "show", ""][..], &["1", "3"][..]),
        (&["--org=zebra", "delete", ""], &["2"]),
        (&["list", "--org", "acme", "--after", ""], &["1", "3"]),
        (&["list", "--org", ""], &["acme", "zebra"]),
        (&["list", "--org", "z"], &["zebra"]),
        (&["org", "delete", ""], &["acme", "zebra"]),
        (&["key", "--org", "acme", "revoke", ""], &[&key[3..15]]),
        (&["key", "--org", "zebra", "revoke", ""], &[]),
    ] {
        let mut found = proposed(&folder, &[&at[..], words].concat());
        found.retain(|it| !it.starts_with('-'));
        assert_eq!(found, values, "{words:?}");
    }
}
