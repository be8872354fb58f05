//! Files of several users (PLACE-5). Needs root, which becomes one user or another; is reported as
//! ignored elsewhere.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

#[cfg(unix)]
mod unix;

fn main() {
    #[cfg(unix)]
    unix::main();
}
