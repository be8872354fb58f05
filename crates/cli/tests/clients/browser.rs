//! The page of the documentation, as a browser without a network shows it.

use std::process::Command;

use crate::served::Served;

/// Where a browser is looked for.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Nothing but the service can be reached, and nothing is done in the background.
const OPTIONS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--virtual-time-budget=20000",
    "--dump-dom",
];

pub(crate) fn shows_every_operation() {
    let served = Served::start("Gold", &[]);
    let folder = tempfile::tempdir().unwrap();
    let page = format!("http://{}/docs", served.address);
    let shown = BROWSERS.iter().find_map(|browser| {
        let mut command = Command::new(browser);
        let data = format!("--user-data-dir={}", folder.path().display());
        command.arg(data).args(OPTIONS).arg(&page).output().ok()
    });
    let shown = shown.unwrap_or_else(|| panic!("there is no browser: {}", BROWSERS.join(", ")));
    let page = String::from_utf8_lossy(&shown.stdout);
    let description: serde_json::Value = serde_json::from_str(&description_of_the_api()).unwrap();
    let mut operations = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values() {
            let summary = operation["summary"].as_str().unwrap();
            assert!(page.contains(summary), "{path}: `{summary}` is not shown: {page}");
            operations += 1;
        }
    }
    assert!(operations > 0 && page.contains("Custom models"));
}

/// What the command prints of the API.
fn description_of_the_api() -> String {
    let command = Command::new(env!("CARGO_BIN_EXE_custom-models")).arg("openapi").output();
    String::from_utf8(command.unwrap().stdout).unwrap()
}
