//! The whole API against its own description: requests are made from it, right ones and wrong ones,
//! and every answer is held against it.

use std::fs::File;
use std::process::Command;

use crate::Tools;
use crate::served::Served;

/// The seed of a run's random choices.
const SEED: &str = "42";

/// The number of requests that are tried for each operation, beside the systematic ones.
const EXAMPLES: &str = "300";

/// One: before 3.11.8 and 3.12.2, CPython's `ast.parse` is not safe to be called by several threads (its counter of
/// recursion is shared by them), and the run ends with a `SystemError` now and then.
const WORKERS: &str = "1";

/// The settings of Schemathesis: the statuses that right and wrong requests may get, beside those of every API.
/// A 412 and a 422 depend on the state of the server, as a 409 does: on the model's revision, and on the request
/// that was sent under a key before. They are checked before the body is (ORDER), so a wrong body may meet them too.
///
/// No schema says whether a file is audio, so an upload that is right by its description may be refused.
///
/// A header that no schema knows changes nothing about an upload, one without the version of tus is a 412, and no schema
/// says what is a name with a value in Base64.
///
/// A request for events may wait for them, half a minute each: here none does.
const SETTINGS: &str = r#"
[parameters]
wait = 0
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 412, 422, 429, "5xx"]
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 415, 422, 428, 429, "5xx"]
[checks.missing_required_header]
expected-statuses = [400, 401, 403, 406, 412, 415, 422]
[[operations]]
include-operation-id = "beginUpload"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 412, 413, 422, 429, "5xx"]
[operations.checks.negative_data_rejection]
expected-statuses = [201, 400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428, 429, "5xx"]
[[operations]]
include-operation-id = "continueUpload"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 412, 413, 422, 429, "5xx"]
[operations.checks.negative_data_rejection]
expected-statuses = [204, 400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428, 429, "5xx"]
[[operations]]
include-operation-id = "uploadTrainingData"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 412, 422, 429, "5xx"]
"#;

/// A module that has the bytes of an upload sent as they are.
const HOOKS: &str = r#"
import schemathesis
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
"#;

pub(crate) fn holds(tools: &Tools) {
    let unlimited = ["--create-limit", "off", "--create-concurrency", "off"];
    let served = Served::start("Enterprise", &unlimited);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("schemathesis.toml"), SETTINGS).unwrap();
    std::fs::write(folder.path().join("hooks.py"), HOOKS).unwrap();
    let report = folder.path().join("report");
    let status = Command::new(tools.schemathesis())
        .args(["run", &format!("http://{}/openapi.json", served.address)])
        .args(["--header", &format!("Authorization: Bearer {}", served.key())])
        .args(["--checks", "all", "--seed", SEED, "--max-examples", EXAMPLES])
        .args(["--workers", WORKERS, "--no-color", "--generation-database", "none"])
        .current_dir(folder.path())
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .stdout(File::create(&report).unwrap())
        .status()
        .unwrap();
    let report = std::fs::read_to_string(report).unwrap();
    assert!(status.success(), "{report}");
    let tested = format!("Tested: {}\n", served.operations().len());
    assert!(report.contains(&tested), "{report}");
}
