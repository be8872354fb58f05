//! The rows of each table: the statements that read them, and their conversion to values. Rows are
//! checked against the rules when they are read.

pub(crate) mod access;
pub(crate) mod admissions;
pub(crate) mod columns;
pub(crate) mod data;
pub(crate) mod events;
pub(crate) mod idempotency;
pub(crate) mod models;
