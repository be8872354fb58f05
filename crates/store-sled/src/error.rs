//! The meaning of errors of sled and of the file system for the caller of a store.

use std::any::Any;
use std::cell::Cell;
use std::io;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::thread;

use custom_models_core::store::{StoreError, StoreErrorKind};

/// Calls sled. Every call goes through here: on damaged files sled may panic where others return
/// an error, and then the panic's message is the cause.
pub(crate) fn call_sled<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    let _silent = QuietPanics::begin();
    // What a panic may have left half done is sled's own state. Reads go on with it and are judged;
    // a write that failed closes the database, and it is opened anew.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        // Its text ends with an empty backtrace.
        Ok(Err(sled::Error::Corruption { at: None, .. })) => {
            Err(damaged("sled cannot read its files as it wrote them"))
        }
        Ok(Err(error)) => Err(StoreError::new(kind(&error), error)),
        Err(panic) => Err(StoreError::new(StoreErrorKind::Damaged, message(&*panic))),
    }
}

/// Keeps panics inside of [`call_sled`], and those of sled's own threads, from being reported to standard
/// error: they are errors here. Whatever else panics is reported by the hook that was there before.
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

/// A call of sled's. Dropping it ends it.
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

/// An error of the file system outside of sled.
pub(crate) fn io_error(error: io::Error) -> StoreError {
    StoreError::new(io_kind(error.kind()), error)
}

/// Something is stored that this crate cannot have written.
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

/// Sled keeps the kind of an I/O error when it hands it on, but not its number.
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
