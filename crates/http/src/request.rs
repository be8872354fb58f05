//! Requests: the head is checked, the query, the key and the body are read, and the gate's limits are kept.

pub(crate) mod admission;
pub(crate) mod body;
pub(crate) mod chunks;
pub(crate) mod context;
pub(crate) mod finished_uploads;
pub(crate) mod framing;
mod min_rate;
pub(crate) mod multipart;
pub(crate) mod precondition;
pub(crate) mod query;
pub(crate) mod tus;
pub(crate) mod upload;
