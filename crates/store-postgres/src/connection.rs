//! Connections to the server, and the runtimes that drive them.

pub(crate) mod inline_runtime;
pub(crate) mod long_read;
pub(crate) mod pool;
pub(crate) mod reader;
pub(crate) mod retry;
pub(crate) mod runtime_thread;
pub(crate) mod statement;
