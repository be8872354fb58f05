//! The disk for stores that are measured. It must be a real one: in memory, a sync costs nothing.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder on a real disk that fresh stores are made in.
pub struct Disk {
    folder: PathBuf,
    /// Its file system, for the report.
    pub file_system: String,
}

impl Disk {
    /// Takes `folder`, or the one that this program lies in, under the build's target folder.
    pub fn new(folder: Option<PathBuf>) -> Self {
        let folder = folder.unwrap_or_else(|| {
            let program = std::env::current_exe().expect("a program has a path");
            program.parent().expect("a program lies in a folder").to_owned()
        });
        let file_system = file_system(&folder);
        assert!(
            !matches!(file_system.as_str(), "tmpfs" | "ramfs"),
            "a sync costs nothing in memory: name a folder on a disk with --dir"
        );
        Disk { folder, file_system }
    }

    /// A fresh folder, which goes when it is dropped.
    pub fn fresh(&self) -> TempDir {
        tempfile::tempdir_in(&self.folder).expect("the folder can be written")
    }
}

/// The type of the file system of a folder, by the longest mount point above it.
fn file_system(folder: &Path) -> String {
    let folder = fs::canonicalize(folder).expect("the folder exists");
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let places = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    let holding = places.filter(|(place, _)| folder.starts_with(place));
    let nearest = holding.max_by_key(|(place, _)| place.len());
    nearest.map_or_else(|| "unknown".to_owned(), |(_, kind)| kind.to_owned())
}
