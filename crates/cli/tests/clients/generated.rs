//! Clients that two generators make of the description: they compile, and create a model.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Tools;
use crate::served::Served;

/// The output of each of the programs.
const PRINTED: &str = "1 custom_model_1 1\nMedical Cardiology EN\n400 Invalid field values\n";

/// The settings of openapi-python-client: the type of a piece, which it does not know, is a file as others are.
const SETTINGS: &str = r#"
content_type_overrides:
  application/offset+octet-stream: application/octet-stream
"#;

/// A client of openapi-typescript, with openapi-fetch.
pub(crate) fn typescript_creates(tools: &Tools) {
    let (served, folder) = (Served::start("Gold", &[]), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("openapi.json"), served.description()).unwrap();
    let program = served.filled_in(include_str!("generated/create.mts"));
    fs::write(folder.path().join("create.mts"), program).unwrap();
    // Imports of modules do not look at NODE_PATH.
    std::os::unix::fs::symlink(tools.node_modules(), folder.path().join("node_modules")).unwrap();
    let node = |program: &str, arguments: &[&str]| {
        let program = tools.node_modules().join(program);
        run(Command::new("node").arg(program).args(arguments), folder.path())
    };
    node("openapi-typescript/bin/cli.js", &["openapi.json", "-o", "schema.d.ts"]);
    let options = ["--strict", "--target", "es2022", "--lib", "es2022,dom", "--module", "nodenext"];
    node("typescript/bin/tsc", &[&options[..], &["create.mts"]].concat());
    assert_eq!(run(Command::new("node").arg("create.mjs"), folder.path()), PRINTED);
}

/// A client of openapi-python-client.
pub(crate) fn python_creates(tools: &Tools) {
    let (served, folder) = (Served::start("Gold", &[]), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("openapi.json"), served.description()).unwrap();
    let program = served.filled_in(include_str!("generated/create.py"));
    fs::write(folder.path().join("create.py"), program).unwrap();
    fs::write(folder.path().join("generator.yml"), SETTINGS).unwrap();
    // The generator formats what it makes with ruff, which is beside it.
    let programs = tools.python().parent().unwrap().to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut generate = Command::new(programs.join("openapi-python-client"));
    generate
        .args(["generate", "--path", "openapi.json", "--output-path", "generated"])
        .args(["--meta", "none", "--fail-on-warning", "--config", "generator.yml"])
        .env("PATH", format!("{}:{path}", programs.display()));
    run(&mut generate, folder.path());
    assert_eq!(run(Command::new(tools.python()).arg("create.py"), folder.path()), PRINTED);
}

/// Runs a program to its end, and returns what it prints.
fn run(command: &mut Command, folder: &Path) -> String {
    let output = command.current_dir(folder).output().unwrap();
    let (out, err) = (output.stdout, output.stderr);
    let (out, err) = (String::from_utf8_lossy(&out), String::from_utf8_lossy(&err));
    assert!(output.status.success(), "{command:?}: {out}{err}");
    out.into_owned()
}
