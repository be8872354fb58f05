//! A service of a trial's own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

/// The service on a free port, with a store in a folder of its own, gone with the trial.
pub(crate) struct Served {
    child: Child,
    folder: TempDir,
    pub(crate) address: String,
}

impl Served {
    /// Serves an organisation `acme`, of this plan.
    pub(crate) fn start(plan: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let add = run(&folder, &["org", "add", "acme", "--plan", plan]);
        assert!(add.contains("acme"), "{add}");
        let (child, address) = serve(&folder, "127.0.0.1:0", options);
        Served { child, folder, address }
    }

    /// Kills the service in whatever it does, and starts it again on the same address and store.
    pub(crate) fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.child, self.address) = serve(&self.folder, &self.address, &[]);
    }

    /// A key that may do everything.
    pub(crate) fn key(&self) -> String {
        let scopes = ["--scope", "custom_models:write", "custom_models:read", "training:work"];
        let made = run(&self.folder, &[&["key", "create", "--org", "acme"], &scopes[..]].concat());
        made.trim_end().to_owned()
    }

    /// The description of the API.
    pub(crate) fn description(&self) -> String {
        run(&self.folder, &["openapi"])
    }

    /// A program with the address of this service, and a key.
    pub(crate) fn filled_in(&self, program: &str) -> String {
        let program =
            program.replace("https://api.scriptix.io", &format!("http://{}", self.address));
        program.replace("YOUR_API_KEY", &self.key())
    }

    /// The path and the summary of every operation that the description of the API has.
    pub(crate) fn operations(&self) -> Vec<(String, String)> {
        let description: Value = serde_json::from_str(&self.description()).unwrap();
        let paths = description["paths"].as_object().unwrap();
        let of_path = |(path, methods): (&String, &Value)| -> Vec<(String, String)> {
            let operations = methods.as_object().unwrap().values();
            let summary = |it: &Value| it["summary"].as_str().unwrap().to_owned();
            operations.map(|it| (path.clone(), summary(it))).collect()
        };
        paths.iter().flat_map(of_path).collect()
    }

    /// Creates a model from the command line.
    pub(crate) fn create(&self) {
        let create = ["create", "--org", "acme", "--name", "n", "--language", "en"];
        run(&self.folder, &create);
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the service, and returns its address.
fn serve(folder: &TempDir, listen: &str, options: &[&str]) -> (Child, String) {
    let mut command = command(folder, &["serve", "--listen", listen]);
    let mut child = command.args(options).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let address = loop {
        let mut line = String::new();
        assert!(said.read_line(&mut line).unwrap() > 0, "the service did not start");
        if let Some(address) = line.strip_prefix("listening on http://") {
            break address.trim().to_owned();
        }
    };
    // What it logs is read, so that it never waits for a reader.
    thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    (child, address)
}

fn command<S: AsRef<OsStr>>(folder: &TempDir, arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_custom-models"));
    command.args(arguments).current_dir(folder.path()).stdin(Stdio::null());
    command
}

fn run<S: AsRef<OsStr>>(folder: &TempDir, arguments: &[S]) -> String {
    let output = command(folder, arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
