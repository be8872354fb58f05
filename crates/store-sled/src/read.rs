//! Reads that see one moment, while writes go on.

pub(crate) mod export;
pub(crate) mod models;
pub(crate) mod records;
mod snapshot;
mod view;
