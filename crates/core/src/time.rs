//! Times: the timestamps of the wire, in seconds, and the milliseconds by which windows and leases are judged.

mod millis;
mod timestamp;

pub use self::millis::UnixMillis;
pub use self::timestamp::{InvalidTimestamp, Timestamp};
