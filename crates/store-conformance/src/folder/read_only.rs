//! Open files that become read-only.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;

use nix::unistd::dup2;

/// Makes every file below a folder read-only that this process has open, so that each write to it fails. Reads
/// go on.
///
/// A descriptor that is replaced must not be closed at the same time: the store has to be idle.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir("/proc/self/fd")? {
        let link = entry?.path();
        // The descriptor of this listing is gone at its end, as are those of other threads.
        let Ok(file) = fs::read_link(&link) else { continue };
        let number = link.file_name().and_then(|name| name.to_str()?.parse::<RawFd>().ok());
        let (true, Some(number)) = (file.starts_with(folder), number) else { continue };
        let read_only = fs::File::open(&link)?;
        dup2(read_only.as_raw_fd(), number)?;
    }
    Ok(())
}
