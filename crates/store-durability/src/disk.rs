//! File systems for tests. All of them need root.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{BoxError, run};

/// An ext4 file system in a file, which can be mounted repeatedly.
pub(crate) struct Disk {
    folder: TempDir,
}

impl Disk {
    /// Small, but several times what a test fills.
    const SIZE: u64 = 128 << 20;

    /// Creates an empty file system.
    pub(crate) fn new() -> Result<Self, BoxError> {
        let disk = Disk { folder: TempDir::with_prefix("custom-models-disk-")? };
        File::create(disk.image())?.set_len(Self::SIZE)?;
        let options = ["-q", "-F", "-b", "4096", "-J", "size=4", "-E"].map(OsString::from);
        // Leaves the kernel no background preparation while the test runs.
        let prepared = OsString::from("nodiscard,lazy_itable_init=0,lazy_journal_init=0");
        run("mkfs.ext4", options.into_iter().chain([prepared, disk.image().into()]))?;
        Ok(disk)
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    /// Mounts the file system on a loop device that is released when it is unmounted. After a power cut this
    /// recovers the journal.
    pub(crate) fn mount(&self) -> Result<Mounted, BoxError> {
        // The journal is committed only by syncs, not every five seconds as well. So a store cannot pass by
        // luck, and a control loses what it did not sync.
        Mounted::new(["-t", "ext4", "-o", "loop,commit=600"], self.image().as_os_str())
    }
}

/// Creates a file system in memory of this many MiB.
pub(crate) fn tmpfs(mebibytes: u32) -> Result<Mounted, BoxError> {
    let size = format!("size={mebibytes}m");
    Mounted::new(["-t", "tmpfs", "-o", &size], OsStr::new("tmpfs"))
}

/// The number of attempts to unmount.
const ATTEMPTS: u32 = 100;

/// A mounted file system. Dropping it unmounts it.
pub(crate) struct Mounted {
    folder: TempDir,
    is_mounted: bool,
}

impl Mounted {
    fn new(options: [&str; 4], source: &OsStr) -> Result<Self, BoxError> {
        let folder = TempDir::with_prefix("custom-models-mount-")?;
        let options = options.map(OsStr::new).into_iter();
        run("mount", options.chain([source, folder.path().as_os_str()]))
            .map_err(|cause| format!("this test must mount, and cannot: {cause}"))?;
        Ok(Mounted { folder, is_mounted: true })
    }

    /// Returns the folder at which it is mounted.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Resizes a file system in memory.
    pub(crate) fn resize(&self, mebibytes: u32) -> Result<(), BoxError> {
        let options = format!("remount,size={mebibytes}m");
        run("mount", [OsStr::new("-o"), OsStr::new(&options), self.folder().as_os_str()])
    }

    /// Writes everything to the disk, as does not happen at a power cut.
    pub(crate) fn sync(&self) -> Result<(), BoxError> {
        run("sync", [OsStr::new("-f"), self.folder().as_os_str()])
    }

    /// Unmounts it. No file of it may be open.
    pub(crate) fn unmount(mut self) -> Result<(), BoxError> {
        // A process that another test is starting has all files of this one open until it executes its
        // program.
        let mut result = Ok(());
        for _ in 0..ATTEMPTS {
            result = run("umount", [self.folder.path()]);
            if result.is_ok() {
                self.is_mounted = false;
                break;
            }
        }
        result
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if self.is_mounted {
            // A failed test may have left files open; a lazy unmount ends when they are closed.
            let _ = run("umount", [OsStr::new("--lazy"), self.folder.path().as_os_str()]);
        }
    }
}
