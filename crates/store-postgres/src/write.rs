//! Groups of writes, each committed as one transaction.

mod bulk_create;
mod group;
mod import;
pub(crate) mod queues;
mod read_set;
mod single;
mod snapshot;
mod statements;
mod write_set;
pub(crate) mod writer;
