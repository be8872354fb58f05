//! A service to try, and the line that it prints.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

pub(crate) fn is_pasted() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_custom-models"));
    demo.args(["demo", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = demo.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let pasted = Command::new("sh").args(["-c", &line]).output().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let said = String::from_utf8_lossy(&pasted.stderr);
    let model: Value = serde_json::from_slice(&pasted.stdout).unwrap_or_default();
    assert_eq!(model["model_key"], "custom_model_1", "{line}{model}{said}");
}
