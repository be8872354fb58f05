//! Reads of a whole database: exports, and the search for damage.

pub(crate) mod export;
pub(crate) mod verify;
