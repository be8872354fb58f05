#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod control;
mod disk;
mod history;
mod ledger;
mod load;
mod power_cut;
mod process;
mod protocol;
mod sample;
mod store_kind;
mod trace;
mod uploads;
mod worker;
mod workload;

use std::error::Error;

pub use control::{UnsyncedFiles, UnsyncedSqlite};
pub use disk::{Disk, Mounted, tmpfs};
pub use ledger::{Ledger, Tally, ids};
pub use load::{MEMBERS, Member, Output, PATIENCE, Task, explain};
pub use power_cut::PowerCut;
pub use process::{LoadProcess, run};
pub use protocol::Line;
pub use sample::{Token, callers, sample};
pub use store_kind::StoreKind;
pub use trace::{Trace, Unsynced};
pub use workload::Workload;

/// The reason why a test fails or could not run.
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
