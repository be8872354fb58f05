//! The order of writes, syncs and acknowledgements, from a trace by strace.

use std::collections::HashMap;
use std::path::Path;

use crate::BoxError;

/// The traced steps on one file and on standard output, in order.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    steps: Vec<Step>,
}

/// An acknowledgement that was written too early.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unsynced {
    /// The index of the acknowledgement.
    pub(crate) acknowledgement: usize,
    /// The step that it did not wait for.
    pub(crate) missing: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A write to the file ended.
    Written,
    /// A sync of the file began.
    SyncBegun,
    /// The sync ended well.
    Synced,
    /// An acknowledgement was written to the standard output.
    Acknowledged,
}

impl Trace {
    /// The arguments for strace that produce the format read here.
    pub(crate) const ARGUMENTS: [&str; 6] = [
        "-f",
        "-y",
        "-s",
        "16",
        "-e",
        "trace=write,writev,pwrite64,pwritev,pwritev2,ftruncate,fsync,fdatasync",
    ];

    /// Parses the output of strace, for one file.
    pub(crate) fn read(text: &str, file: &Path) -> Result<Self, BoxError> {
        let file = format!("<{}>", file.display());
        let mut trace = Trace::default();
        // Calls that the trace interrupted by those of another thread.
        let mut begun: HashMap<&str, &str> = HashMap::new();
        for line in text.lines() {
            let (thread, call) =
                line.split_once(' ').ok_or_else(|| format!("`{line}` is not strace's"))?;
            let call = call.trim_start();
            if call.ends_with("<unfinished ...>") {
                trace.begin(call, &file);
                begun.insert(thread, call);
            } else if call.starts_with("<... ") {
                if let Some(beginning) = begun.remove(thread) {
                    trace.end(beginning, call, &file);
                }
            } else {
                trace.begin(call, &file);
                trace.end(call, call, &file);
            }
        }
        Ok(trace)
    }

    fn begin(&mut self, call: &str, file: &str) {
        if is_sync(call) && call.contains(file) {
            self.steps.push(Step::SyncBegun);
        } else if call.starts_with("write(") && call.contains("<pipe:") {
            let is_acknowledgement =
                ["\"created ", "\"changed ", "\"deleted "].iter().any(|word| call.contains(word));
            self.steps.extend(is_acknowledgement.then_some(Step::Acknowledged));
        }
    }

    fn end(&mut self, beginning: &str, ending: &str, file: &str) {
        if beginning.contains(file) {
            if !is_sync(beginning) {
                self.steps.push(Step::Written);
            } else if ending.ends_with("= 0") {
                self.steps.push(Step::Synced);
            }
        }
    }

    /// Returns the number of acknowledgements.
    pub(crate) fn acknowledgements(&self) -> usize {
        self.steps.iter().filter(|step| **step == Step::Acknowledged).count()
    }

    /// Checks that before every acknowledgement the file was written since the last one, and everything
    /// written was synced. The load must have one thread: with more, the next group is written while this one
    /// is acknowledged.
    pub(crate) fn judge(&self) -> Result<(), Unsynced> {
        let mut acknowledgement = 0;
        let mut has_written = false;
        let mut is_dirty = false;
        let mut covers_all = false;
        for step in &self.steps {
            match step {
                Step::Written => {
                    has_written = true;
                    is_dirty = true;
                    covers_all = false;
                }
                Step::SyncBegun => covers_all = true,
                Step::Synced => is_dirty &= !covers_all,
                Step::Acknowledged if !has_written => {
                    return Err(Unsynced { acknowledgement, missing: "a write" });
                }
                Step::Acknowledged if is_dirty => {
                    return Err(Unsynced { acknowledgement, missing: "a sync" });
                }
                Step::Acknowledged => {
                    acknowledgement += 1;
                    has_written = false;
                }
            }
        }
        Ok(())
    }
}

fn is_sync(call: &str) -> bool {
    call.starts_with("fsync(") || call.starts_with("fdatasync(")
}
