//! Reads that see one state of the database, while writes go on.

pub(crate) mod export;
pub(crate) mod models;
pub(crate) mod records;
mod snapshot;
mod view;
