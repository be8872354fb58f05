//! The page of the documentation, as a browser without a network shows it.

use std::process::Command;

use crate::served::Served;

/// The programs that are tried as the browser.
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
    let operations = served.operations();
    for (path, summary) in &operations {
        assert!(page.contains(summary), "{path}: `{summary}` is not shown: {page}");
    }
    assert!(!operations.is_empty() && page.contains("Custom models"));
}
