//! Groups of writes, each committed as one transaction.

mod access;
mod group;
mod import;
mod purge;
pub(crate) mod writer;
