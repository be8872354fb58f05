//! Load over HTTP: connections that ask and wait, against servers in processes of their own.

pub mod client;
pub mod programs;
pub mod report;
pub mod server;

/// The numbers of connections that ask at a time.
pub const CONNECTIONS: [usize; 5] = [1, 8, 32, 64, 256];

/// The kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A model that is created.
    Create,
    /// One of the models that were created.
    Get,
}

impl Asked {
    /// Both, in the order in which they are asked for.
    pub const ALL: [Asked; 2] = [Asked::Create, Asked::Get];

    /// Returns the name of the request in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Asked::Create => "create",
            Asked::Get => "get",
        }
    }
}
