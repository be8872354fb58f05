use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The user id of servers where the tests run as root, since PostgreSQL refuses to run as root.
pub(crate) const NOBODY: u32 = 65534;

/// The programs that tests start.
const NEEDED: [&str; 6] = ["initdb", "postgres", "pg_ctl", "pg_basebackup", "pg_dump", "psql"];

/// The folder in which Debian puts the programs of each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The programs of an installed PostgreSQL.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Those on the `PATH`, or the newest that Debian's packages have put aside.
    pub fn find() -> Option<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let version = |folder: &PathBuf| -> u32 {
            let name = folder.file_name().and_then(OsStr::to_str);
            name.and_then(|name| name.parse().ok()).unwrap_or(0)
        };
        let mut debian: Vec<PathBuf> = fs::read_dir(DEBIAN)
            .map(|folders| folders.flatten().map(|folder| folder.path()).collect())
            .unwrap_or_default();
        debian.sort_by_key(version);
        let aside = debian.iter().rev().map(|folder| folder.join("bin"));
        let has_all = |folder: &PathBuf| NEEDED.iter().all(|it| folder.join(it).is_file());
        env::split_paths(&path).chain(aside).find(has_all).map(|folder| Programs { folder })
    }

    /// One of them, as it is run in tests: not as root, and ended with the thread that starts it.
    pub(crate) fn command(&self, program: &str) -> Command {
        let program = self.folder.join(program);
        if !is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--pdeathsig=INT", "--"])
            .arg(program)
            .current_dir("/");
        command
    }
}

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0)
}

/// Lets the servers write into a folder.
pub(crate) fn hand_over(folder: &Path) {
    if is_root() {
        std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}
