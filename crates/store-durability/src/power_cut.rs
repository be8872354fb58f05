//! Power cuts.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{BoxError, ensure};

/// Shuts down the file system of `argv[1]` when a byte arrives: `EXT4_IOC_SHUTDOWN` with
/// `EXT4_GOING_FLAGS_NOLOGFLUSH`. From then on nothing reaches the device, neither pages nor the journal's
/// running transaction, as after a power failure.
const SCRIPT: &str = r#"
import fcntl, os, struct, sys
folder = os.open(sys.argv[1], os.O_RDONLY)
print("ready", flush=True)
if os.read(0, 1):
    fcntl.ioctl(folder, 0x8004587D, struct.pack("I", 2))
"#;

/// A prepared power cut: its process is already running, so that the cut comes without delay. Dropping it
/// cuts nothing.
pub(crate) struct PowerCut(Child);

impl PowerCut {
    /// Prepares a power cut of the file system that a folder is in.
    pub(crate) fn new(folder: &Path) -> Result<Self, BoxError> {
        let mut child = Command::new("python3")
            .args(["-c", SCRIPT])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|cause| format!("a power cut needs python3: {cause}"))?;
        let output = child.stdout.take();
        let power_cut = PowerCut(child);
        let mut line = String::new();
        BufReader::new(output.ok_or("the switch has no output")?).read_line(&mut line)?;
        ensure!(line == "ready\n", "the switch is not ready: {line:?}");
        Ok(power_cut)
    }

    /// Cuts the power.
    pub(crate) fn cut(mut self) -> Result<(), BoxError> {
        self.0.stdin.take().ok_or("the switch has no input")?.write_all(b"!")?;
        let status = self.0.wait()?;
        ensure!(status.success(), "the file system could not be shut down: {status}");
        Ok(())
    }
}

impl Drop for PowerCut {
    fn drop(&mut self) {
        // The process has ended already after a cut.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
