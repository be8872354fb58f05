//! The whole API against its own description: requests are made from it, right ones and wrong ones,
//! and every answer is held against it.

use std::fs::File;
use std::process::Command;

use crate::Tools;
use crate::served::Served;

/// What the choices of a run follow from.
const SEED: &str = "42";

/// How many requests are tried of each operation, beside the systematic ones.
const EXAMPLES: &str = "300";

pub(crate) fn holds(tools: &Tools) {
    let unlimited = ["--create-limit", "off", "--create-concurrency", "off"];
    let served = Served::start("Enterprise", &unlimited);
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    let status = Command::new(tools.schemathesis())
        .args(["run", &format!("http://{}/openapi.json", served.address)])
        .args(["--header", &format!("Authorization: Bearer {}", served.key())])
        .args(["--checks", "all", "--seed", SEED, "--max-examples", EXAMPLES])
        .args(["--workers", "2", "--no-color", "--generation-database", "none"])
        .current_dir(folder.path())
        .stdout(File::create(&report).unwrap())
        .status()
        .unwrap();
    let report = std::fs::read_to_string(report).unwrap();
    assert!(status.success(), "{report}");
    assert!(report.contains("No issues found"), "{report}");
}
