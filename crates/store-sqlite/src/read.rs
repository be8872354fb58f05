//! Reads that are more than one statement: the connections for them, exports, and the search for damage.

pub(crate) mod export;
pub(crate) mod pool;
pub(crate) mod read_only;
pub(crate) mod verify;
