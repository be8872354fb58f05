//! Errors of sled and the file system, as errors of a store.

use std::any::Any;
use std::cell::Cell;
use std::io;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::thread;

use custom_models_core::store::{StoreError, StoreErrorKind};

/// Calls sled. Every call goes through here, since sled may panic on damaged files. A panic becomes
/// an error with its message as the cause.
pub(crate) fn call_sled<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    let _silent = QuietPanics::begin();
    // A panic can only leave sled's own state inconsistent. Rows are checked when they are read,
    // and after a failed write the database is reopened.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        // The text of this error ends with an empty backtrace.
        Ok(Err(sled::Error::Corruption { at: None, .. })) => {
            Err(damaged("sled cannot read its files as it wrote them"))
        }
        Ok(Err(error)) => Err(StoreError::new(kind(&error), error)),
        Err(panic) => Err(StoreError::new(StoreErrorKind::Damaged, message(&*panic))),
    }
}

/// Installs a panic hook that is silent for panics inside [`call_sled`] and in sled's own threads,
/// which become errors here. Other panics go to the previous hook.
pub(crate) fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let is_of_sled =
                thread::current().name().is_some_and(|name| name.starts_with("sled-io-"));
            if !is_of_sled && !QUIET.get() {
                report(panic);
            }
        }));
    });
}

thread_local! {
    /// True while the thread calls sled.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics quiet on this thread until it is dropped.
struct QuietPanics {
    before: bool,
}

impl QuietPanics {
    fn begin() -> Self {
        QuietPanics { before: QUIET.replace(true) }
    }
}

impl Drop for QuietPanics {
    fn drop(&mut self) {
        QUIET.set(self.before);
    }
}

/// Converts an error of the file system outside sled.
pub(crate) fn io_error(error: io::Error) -> StoreError {
    StoreError::new(io_kind(error.kind()), error)
}

/// The error of a row with content that this crate cannot have written.
pub(crate) fn damaged(what: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Damaged, what)
}

fn kind(error: &sled::Error) -> StoreErrorKind {
    match error {
        // Sled has no error of its own for this.
        sled::Error::Io(error) if error.to_string().starts_with("could not acquire lock") => {
            StoreErrorKind::Locked
        }
        sled::Error::Io(error) => match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput => StoreErrorKind::Damaged,
            other => io_kind(other),
        },
        sled::Error::Corruption { .. }
        | sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_) => StoreErrorKind::Damaged,
        sled::Error::ReportableBug(_) => StoreErrorKind::Failed,
    }
}

/// Takes the kind, since sled drops the error number when it passes an I/O error on.
pub(crate) fn io_kind(kind: io::ErrorKind) -> StoreErrorKind {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreErrorKind::Full,
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem => StoreErrorKind::Unavailable,
        _ => StoreErrorKind::Failed,
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("sled panicked: {}", message.unwrap_or("without a message"))
}

#[cfg(test)]
mod tests;
