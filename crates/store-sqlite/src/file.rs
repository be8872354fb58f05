//! The files of a store: how they are found, opened, watched and copied.

pub(crate) mod copy;
pub(crate) mod held;
mod name_events;
pub(crate) mod open;
pub(crate) mod path;
pub(crate) mod private_copy;
pub(crate) mod staged;
pub(crate) mod watch;
