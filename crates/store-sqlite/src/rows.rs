//! The rows of each table: the statements that read and write them, and their conversion to values.
//! Rows are checked against the rules when they are read, since SQLite cannot see every damage.

pub(crate) mod access;
pub(crate) mod admissions;
pub(crate) mod checksum;
pub(crate) mod data;
pub(crate) mod events;
pub(crate) mod idempotency;
pub(crate) mod models;

#[cfg(test)]
mod tests;
