#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod disk;
mod full_disk;
mod history;
mod ledger;
mod load;
mod power_cut;
mod power_loss;
mod process;
mod process_death;
mod protocol;
mod rounds;
mod sample;
mod subject;
mod sync_order;
mod trace;
mod trials;
mod uploads;
mod worker;
mod workload;

use std::error::Error;

pub use full_disk::uploads_are_refused;
pub use ledger::{Ledger, Tally, ids};
pub use load::{MEMBERS, Member, Output, Task};
pub use power_loss::loses;
pub use process::LoadProcess;
pub use protocol::Line;
pub use rounds::load_task;
pub use sample::Token;
pub use subject::{Open, Subject, contents};
pub use sync_order::is_seen_unsynced;
pub use trials::{Needs, Trials, run_load, run_tests, run_tests_and};

pub(crate) use disk::{Disk, tmpfs};
pub(crate) use load::{PATIENCE, explain};
pub(crate) use power_cut::PowerCut;
pub(crate) use process::run;
pub(crate) use sample::{callers, sample};
pub(crate) use trace::Trace;
pub(crate) use workload::Workload;

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
