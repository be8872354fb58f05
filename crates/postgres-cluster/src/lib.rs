//! Private PostgreSQL servers for tests: started from what is installed, in temporary folders, on free
//! ports of 127.0.0.1, and stopped at the end.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test support"
)]

mod programs;
mod server;
mod trials;

pub use programs::Programs;
pub use server::Server;
pub use trials::{Trials, run};
