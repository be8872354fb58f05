//! Times: timestamps in seconds for the API, and milliseconds for windows and leases.

mod date;
mod millis;
mod timestamp;

pub use self::millis::UnixMillis;
pub use self::timestamp::{InvalidTimestamp, Timestamp};
