use std::fmt;
use std::str::FromStr;

use crate::Scope;

/// What a request asks for: the scope that it needs and the limits that it has go by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Creates a model.
    Create,
    /// Lists models.
    List,
    /// Shows one model.
    Get,
    /// Deletes a model.
    Delete,
}

/// A text is no operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an operation is one of create, list, get, delete")]
pub struct InvalidOperation;

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 4] =
        [Operation::Create, Operation::List, Operation::Get, Operation::Delete];

    /// The name, in a store and in a host's settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::List => "list",
            Operation::Get => "get",
            Operation::Delete => "delete",
        }
    }

    /// The scope that a key needs for it (AUTH-2).
    pub const fn scope(self) -> Scope {
        match self {
            Operation::Create | Operation::Delete => Scope::Write,
            Operation::List | Operation::Get => Scope::Read,
        }
    }
}

impl FromStr for Operation {
    type Err = InvalidOperation;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut all = Operation::ALL.into_iter();
        all.find(|operation| operation.as_str() == name).ok_or(InvalidOperation)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
