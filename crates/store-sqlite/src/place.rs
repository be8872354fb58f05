//! The files at the place of a store, looked at by their paths and never opened.
//!
//! Closing a file that SQLite has open takes this process's locks from it, those of SQLite's own
//! connections too. Another process could then delete the log that they write.

use std::ffi::OsString;
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Instant;

use custom_models_core::{StoreError, StoreErrorKind};

/// A regular file that a store can be opened from, or what is there instead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    /// A file of 0 bytes.
    Empty,
    /// A file that is long enough for a database.
    File,
}

/// A fault about a path, with the reason.
pub(crate) fn about(kind: StoreErrorKind, path: &Path, what: impl std::fmt::Display) -> StoreError {
    StoreError::new(kind, format!("{}: {what}", path.display()))
}

/// A fault of the file system at a path.
pub(crate) fn unusable(path: &Path, cause: &io::Error) -> StoreError {
    let kind = match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreErrorKind::Full,
        _ => StoreErrorKind::Unavailable,
    };
    about(kind, path, cause)
}

/// The path of a file that SQLite keeps beside a database. SQLite names it after the file that links
/// lead to.
pub(crate) fn beside(database: &Path, ending: &str) -> PathBuf {
    let is_link = fs::symlink_metadata(database).is_ok_and(|it| it.is_symlink());
    let real = if is_link { fs::canonicalize(database).ok() } else { None };
    let mut path = real.map_or_else(|| database.as_os_str().to_owned(), OsString::from);
    path.push(ending);
    path.into()
}

/// True if there is a file beside the database with something in it.
pub(crate) fn has_content(database: &Path, ending: &str) -> bool {
    fs::metadata(beside(database, ending)).is_ok_and(|found| found.len() > 0)
}

/// Refuses what SQLite would take for an empty database and write over, since it does not look at files
/// that are shorter than its smallest page; and a write-ahead log without its database, which SQLite
/// would delete (PLACE-1).
pub(crate) fn look_at(path: &Path) -> Result<Found, StoreError> {
    // A store that another process makes between two steps of a look seems odd to the first look alone.
    look_once(path).or_else(|_| look_once(path))
}

fn look_once(path: &Path) -> Result<Found, StoreError> {
    const SMALLEST_PAGE: u64 = 512;
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            Err(about(StoreErrorKind::Unavailable, path, "not a file"))
        }
        Ok(found) if found.len() >= SMALLEST_PAGE => Ok(Found::File),
        Ok(found) if found.len() > 0 => Err(too_short(path)),
        Ok(_) => refuse_lone_log(path).map(|()| Found::Empty),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(unusable(path, &error)),
        Err(_) if fs::symlink_metadata(path).is_ok() => {
            Err(about(StoreErrorKind::Unavailable, path, "a link to a file that does not exist"))
        }
        Err(_) => refuse_lone_log(path).map(|()| Found::Nothing),
    }
}

fn too_short(path: &Path) -> StoreError {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    match fs::read(path) {
        Err(error) => unusable(path, &error),
        Ok(content) if content.starts_with(MAGIC) => {
            about(StoreErrorKind::Damaged, path, "a database file that is cut short")
        }
        Ok(_) => about(StoreErrorKind::NotOurs, path, "not a database file"),
    }
}

fn refuse_lone_log(path: &Path) -> Result<(), StoreError> {
    if !has_content(path, "-wal") {
        return Ok(());
    }
    let log = beside(path, "-wal");
    let what = format!(
        "this write-ahead log holds changes of a database that is not at {}; move the database back beside its \
        log, or move the log away if the database is lost",
        path.display()
    );
    Err(about(StoreErrorKind::Unavailable, &log, what))
}

/// The fault of a place without a store, where none may be made.
pub(crate) fn missing(path: &Path, found: Found) -> StoreError {
    let what = match found {
        Found::Nothing => "no such file",
        Found::Empty | Found::File => "an empty file",
    };
    about(StoreErrorKind::Missing, path, what)
}

/// Makes an empty file for a new database, for its owner alone (PLACE-5). SQLite gives its mode to what it
/// keeps beside it. A file that is there already stays as it is.
///
/// No other connection of this process may be opened meanwhile, for this closes a file.
pub(crate) fn make(path: &Path) -> Result<(), StoreError> {
    match own_file().create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(path);
            Err(about(StoreErrorKind::Unavailable, folder, "no such folder"))
        }
        made => made.map(drop).map_err(|error| unusable(path, &error)),
    }
}

/// Options of files that are made for their owner alone.
pub(crate) fn own_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// True if files that this process makes beside a database belong to the owner of the database: SQLite hands
/// those of the superuser over.
pub(crate) fn is_owner(database: &Path) -> bool {
    #[cfg(unix)]
    {
        let me = rustix::process::geteuid();
        let owner = fs::metadata(database).map(|found| std::os::unix::fs::MetadataExt::uid(&found));
        me.is_root() || owner.is_ok_and(|owner| owner == me.as_raw())
    }
    #[cfg(not(unix))]
    {
        let _ = database;
        true
    }
}

/// Tells a file from another one at the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
    #[cfg(not(unix))]
    created: Option<std::time::SystemTime>,
}

impl FileId {
    /// The file at a path.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Some(found) = FileId::within(rustix::fs::CWD, path) {
            return found;
        }
        fs::metadata(path).map(|found| FileId::of(&found))
    }

    /// The file at a path within a folder; `None` if the system cannot say it like this.
    ///
    /// Asks for the inode alone. A file whose times were asked for gets finer ones with the next write, and its
    /// inode then has to be written too: 40 µs a create, against 1 µs.
    #[cfg(target_os = "linux")]
    fn within(folder: impl std::os::fd::AsFd, path: &Path) -> Option<io::Result<Self>> {
        use rustix::fs::{AtFlags, StatxFlags, makedev, statx};
        match statx(folder, path, AtFlags::empty(), StatxFlags::INO) {
            Ok(found) => {
                let device = makedev(found.stx_dev_major, found.stx_dev_minor);
                Some(Ok(FileId { device_and_inode: (device, found.stx_ino) }))
            }
            // Kernels before 4.11, and sandboxes that do not know it.
            Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => None,
            Err(error) => Some(Err(error.into())),
        }
    }

    pub(crate) fn of(found: &Metadata) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            FileId { device_and_inode: (found.dev(), found.ino()) }
        }
        #[cfg(not(unix))]
        {
            FileId { created: found.created().ok() }
        }
    }
}

/// The files of an open store, as they were when it was opened (PLACE-3).
pub(crate) struct Watch {
    database: Watched,
    /// The log and its index, while a connection is known to have them open. SQLite deletes them with its
    /// last connection and makes them with the first, so they are others in between.
    logs: RwLock<Option<[Watched; 2]>>,
    log: PathBuf,
    index: PathBuf,
    opened_at: Instant,
    /// When all files were last looked at and were fine, or [`NEVER`].
    looked_at: AtomicU64,
}

/// For how long a look at all paths counts, which takes some microseconds. What is moved or replaced within this
/// time in the folder is noticed behind the commit.
const FRESH_MICROS: u64 = 5_000;

const NEVER: u64 = u64::MAX;

struct Watched {
    path: PathBuf,
    id: FileId,
    /// The folder of the file as it was, and the name there: a shorter way than the whole path.
    #[cfg(target_os = "linux")]
    near: Option<(std::os::fd::OwnedFd, PathBuf)>,
}

impl Watched {
    fn new(path: &Path) -> Result<Self, StoreError> {
        let id = FileId::at(path).map_err(|error| unusable(path, &error))?;
        Ok(Watched {
            path: path.to_owned(),
            id,
            #[cfg(target_os = "linux")]
            near: near(path),
        })
    }

    /// Looks at the whole path.
    fn look(&self) -> Result<(), Moved> {
        self.judge(FileId::at(&self.path))
    }

    /// Looks in the folder as it was, wherever that is now.
    fn look_near(&self) -> Result<(), Moved> {
        #[cfg(target_os = "linux")]
        if let Some((folder, name)) = &self.near
            && let Some(found) = FileId::within(folder, name)
        {
            return self.judge(found);
        }
        self.look()
    }

    fn judge(&self, found: io::Result<FileId>) -> Result<(), Moved> {
        match found {
            Ok(id) if id == self.id => Ok(()),
            Ok(_) => Err(Moved { path: self.path.clone(), is_gone: false }),
            Err(_) => Err(Moved { path: self.path.clone(), is_gone: true }),
        }
    }
}

/// The folder of a file, and the name of the file there.
#[cfg(target_os = "linux")]
fn near(path: &Path) -> Option<(std::os::fd::OwnedFd, PathBuf)> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = open(path.parent()?, flags, Mode::empty()).ok()?;
    Some((folder, path.file_name()?.into()))
}

/// A file that is no longer the one that was opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    path: PathBuf,
    is_gone: bool,
}

impl Moved {
    /// The fault of whoever hears of it.
    pub(crate) fn fault(&self, kind: StoreErrorKind) -> StoreError {
        let what = if self.is_gone { "was removed or moved" } else { "was replaced" };
        about(kind, &self.path, format_args!("this file {what} while the store was open"))
    }
}

impl Watch {
    /// Looks at the database before it is opened.
    pub(crate) fn new(database: &Path) -> Result<Self, StoreError> {
        let (log, index) = (beside(database, "-wal"), beside(database, "-shm"));
        let database = Watched::new(database)?;
        let (opened_at, looked_at) = (Instant::now(), AtomicU64::new(NEVER));
        Ok(Watch { database, logs: RwLock::new(None), log, index, opened_at, looked_at })
    }

    /// Looks at the log and its index, which a connection has open.
    pub(crate) fn begin_logs(&self) -> Result<(), StoreError> {
        let logs = [Watched::new(&self.log)?, Watched::new(&self.index)?];
        *self.logs.write().unwrap_or_else(PoisonError::into_inner) = Some(logs);
        Ok(())
    }

    /// The connection that had them open is closed.
    pub(crate) fn end_logs(&self) {
        *self.logs.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Looks whether every file is still the one that was opened.
    pub(crate) fn look(&self) -> Result<(), Moved> {
        let is_fine = self
            .database
            .look()
            .and_then(|()| self.logs().iter().flatten().try_for_each(Watched::look));
        let now = self.now();
        self.looked_at.store(if is_fine.is_ok() { now } else { NEVER }, Ordering::Relaxed);
        is_fine
    }

    /// [`Watch::look`], unless that was done within [`FRESH_MICROS`].
    pub(crate) fn look_lately(&self) -> Result<(), Moved> {
        let looked_at = self.looked_at.load(Ordering::Relaxed);
        if looked_at != NEVER && self.now().saturating_sub(looked_at) < FRESH_MICROS {
            return Ok(());
        }
        self.look()
    }

    /// Looks at the database and its log in the folder as it was. [`Watch::look`] sees that the folder was moved.
    pub(crate) fn look_at_content(&self) -> Result<(), Moved> {
        let is_fine = self.database.look_near().and_then(|()| match &*self.logs() {
            Some([log, _]) => log.look_near(),
            None => Ok(()),
        });
        if is_fine.is_err() {
            self.looked_at.store(NEVER, Ordering::Relaxed);
        }
        is_fine
    }

    fn logs(&self) -> RwLockReadGuard<'_, Option<[Watched; 2]>> {
        self.logs.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time since the store was opened, in microseconds.
    fn now(&self) -> u64 {
        u64::try_from(self.opened_at.elapsed().as_micros()).unwrap_or(NEVER)
    }

    /// True if the log was removed, and nothing else.
    pub(crate) fn is_log_alone_gone(&self, moved: &Moved) -> bool {
        moved.is_gone && (moved.path == self.log || moved.path == self.index) && !self.log.exists()
    }
}
