//! Reading and writing the pipes of a program, which another process may hold open after the program has ended.

#[cfg(unix)]
use std::io;
use std::io::{Read, Write};
#[cfg(unix)]
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

/// The most bytes that are read after the program has ended. A pipe holds no more.
const LAST_BYTES: usize = 1 << 20;

/// The bytes that are read at a time.
const PART: usize = 8 << 10;

/// Reads a pipe to its end. After the program has ended, reads what is left in the pipe and does not wait.
#[cfg(unix)]
pub(crate) fn drain(
    mut pipe: impl Read + AsFd,
    has_ended: &AtomicBool,
    mut take: impl FnMut(&[u8]),
) {
    let (mut part, mut left) = ([0; PART], LAST_BYTES);
    loop {
        // Loaded before the poll, so that everything the program wrote is in the pipe by then.
        let is_last = has_ended.load(Ordering::Acquire);
        match is_ready(&pipe, rustix::event::PollFlags::IN, !is_last) {
            Ok(false) if is_last => return,
            Ok(false) => continue,
            Ok(true) => {}
            Err(_) => return,
        }
        match pipe.read(&mut part) {
            Ok(0) => return,
            Ok(count) => {
                take(part.get(..count).unwrap_or_default());
                left = left.saturating_sub(if is_last { count } else { 0 });
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
        if left == 0 {
            return;
        }
    }
}

/// Reads a pipe to its end. May block, so the caller waits for a limited time.
#[cfg(not(unix))]
pub(crate) fn drain(mut pipe: impl Read, has_ended: &AtomicBool, mut take: impl FnMut(&[u8])) {
    let (mut part, mut left) = ([0; PART], LAST_BYTES);
    while let Ok(count @ 1..) = pipe.read(&mut part) {
        take(part.get(..count).unwrap_or_default());
        left = left.saturating_sub(if has_ended.load(Ordering::Acquire) { count } else { 0 });
        if left == 0 {
            return;
        }
    }
}

/// Writes all input, unless the program ends or closes the pipe before.
#[cfg(unix)]
pub(crate) fn feed(mut pipe: impl Write + AsFd, mut input: &[u8], has_ended: &AtomicBool) {
    if rustix::io::ioctl_fionbio(&pipe, true).is_err() {
        return;
    }
    while !input.is_empty() && !has_ended.load(Ordering::Acquire) {
        match is_ready(&pipe, rustix::event::PollFlags::OUT, true) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(_) => return,
        }
        match pipe.write(input) {
            Ok(count) => input = input.get(count..).unwrap_or_default(),
            Err(error) if is_for_now(&error) => {}
            Err(_) => return,
        }
    }
}

/// Writes all input, unless the program closes the pipe before.
#[cfg(not(unix))]
pub(crate) fn feed(mut pipe: impl Write, input: &[u8], _has_ended: &AtomicBool) {
    let _ = pipe.write_all(input);
}

#[cfg(unix)]
fn is_for_now(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}

/// Returns `true` if a read or write would not block. Waits up to 0.1 s for that if `waits`.
#[cfg(unix)]
fn is_ready(pipe: &impl AsFd, what: rustix::event::PollFlags, waits: bool) -> io::Result<bool> {
    use rustix::event::{PollFd, Timespec, poll};
    let span = Timespec { tv_sec: 0, tv_nsec: if waits { 100_000_000 } else { 0 } };
    loop {
        match poll(&mut [PollFd::new(pipe, what)], Some(&span)) {
            Ok(ready) => return Ok(ready > 0),
            // A signal came, which says nothing about the pipe.
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
