//! Requests: the head is checked, the query, the key and the body are read, and the gate's limits are kept.

pub(crate) mod admission;
pub(crate) mod body;
#[cfg(feature = "uploads")]
pub(crate) mod chunks;
pub(crate) mod context;
#[cfg(feature = "uploads")]
pub(crate) mod finished_uploads;
pub(crate) mod framing;
#[cfg(feature = "uploads")]
mod min_rate;
#[cfg(feature = "uploads")]
pub(crate) mod multipart;
pub(crate) mod precondition;
pub(crate) mod query;
#[cfg(feature = "uploads")]
pub(crate) mod tus;
#[cfg(feature = "uploads")]
pub(crate) mod upload;
