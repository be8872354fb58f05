//! What the command says about itself.

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

/// What a help command prints, which has no escape sequences and fits a terminal.
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
fn completions_know_every_command_in_every_shell() {
    for (shell, binding) in [
        ("bash", " default custom-models\n"),
        ("elvish", "edit:completion:arg-completer[custom-models] "),
        ("fish", "complete -c custom-models "),
        ("powershell", " -CommandName 'custom-models' "),
        ("zsh", "#compdef custom-models\n"),
    ] {
        let folder = Folder::new();
        let script = folder.run(&["completions", shell]);
        assert_eq!((script.code, script.err.as_str()), (0, ""));
        let words = [binding, "base-model", "per-page", "store"];
        for word in COMMANDS.into_iter().chain(words) {
            assert!(script.out.contains(word), "`{word}` is not for {shell}");
        }
        assert_eq!(folder.files(), [""; 0]);
    }
}
