//! A request on its way to the engine: its head checked, its query, key and body read, its limits kept.

pub(crate) mod body;
pub(crate) mod context;
pub(crate) mod framing;
pub(crate) mod multipart;
pub(crate) mod pace;
pub(crate) mod precondition;
pub(crate) mod query;
pub(crate) mod turn;
pub(crate) mod upload;
