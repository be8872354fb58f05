//! Reads: the pool of connections, stores opened for reading alone, exports, and the search for
//! damage.

pub(crate) mod export;
pub(crate) mod pool;
pub(crate) mod read_only;
pub(crate) mod verify;
