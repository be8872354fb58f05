#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod author;
mod breaker;
mod control;
mod disk;
mod history;
mod kind;
mod ledger;
mod line;
mod load;
mod process;
mod sample;
mod trace;
mod uploads;
mod worker;

use std::error::Error;

pub use author::Author;
pub use breaker::Breaker;
pub use control::{UnsyncedFiles, UnsyncedSqlite};
pub use disk::{Disk, Mounted, tmpfs};
pub use kind::Kind;
pub use ledger::{Ledger, Tally, ids};
pub use line::Line;
pub use load::{MEMBERS, Member, Output, PATIENCE, Task, explain};
pub use process::{LoadProcess, run};
pub use sample::{Token, callers, sample};
pub use trace::{Trace, Unsynced};

/// Why a test fails, or what kept it from being run.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Fails with a message unless a condition holds.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+).into());
        }
    };
}
