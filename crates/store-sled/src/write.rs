//! Groups of writes, each committed as one batch with one sync.

mod access;
mod group;
mod import;
mod purge;
pub(crate) mod writer;
