//! The files of a store: how they are found, opened, watched and copied.

pub(crate) mod connection;
pub(crate) mod copy;
mod folder_events;
pub(crate) mod open;
pub(crate) mod path;
pub(crate) mod private_copy;
pub(crate) mod staged_file;
pub(crate) mod watch;
