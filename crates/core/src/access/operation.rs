use std::fmt;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::access::scope::Scope;

/// The operation of a request. It determines the required scope and the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Creates a model.
    Create,
    /// Lists models.
    List,
    /// Shows one model.
    Get,
    /// Changes the name or the description of a model.
    Update,
    /// Deletes a model.
    Delete,
    /// Adds a data pair to a model.
    Upload,
    /// Begins, continues, shows or removes a file that is sent in several requests.
    Resume,
    /// Lists the data pairs of a model.
    ListData,
    /// Removes a data pair from a model.
    DeleteData,
    /// Starts the training of a model.
    Run,
    /// Cancels the training of a model.
    Cancel,
    /// Resolves the key of a model for transcription.
    Resolve,
    /// Reads the history of the organisation.
    Events,
    /// Claims trainings and reports on them.
    Work,
}

/// The error for a text that is not an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an operation is one of create, list, get, update, delete, upload, resume, list_data, delete_data, \
    run, cancel, resolve, events, work"
)]
pub struct InvalidOperation;

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 14] = [
        Operation::Create,
        Operation::List,
        Operation::Get,
        Operation::Update,
        Operation::Delete,
        Operation::Upload,
        Operation::Resume,
        Operation::ListData,
        Operation::DeleteData,
        Operation::Run,
        Operation::Cancel,
        Operation::Resolve,
        Operation::Events,
        Operation::Work,
    ];

    /// Returns the name, as used in stores and in a host's settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::List => "list",
            Operation::Get => "get",
            Operation::Update => "update",
            Operation::Delete => "delete",
            Operation::Upload => "upload",
            Operation::Resume => "resume",
            Operation::ListData => "list_data",
            Operation::DeleteData => "delete_data",
            Operation::Run => "run",
            Operation::Cancel => "cancel",
            Operation::Resolve => "resolve",
            Operation::Events => "events",
            Operation::Work => "work",
        }
    }

    /// Returns the scope that a key needs for the operation (AUTH-2).
    pub const fn scope(self) -> Scope {
        match self {
            Operation::Create
            | Operation::Update
            | Operation::Delete
            | Operation::Upload
            | Operation::Resume
            | Operation::DeleteData
            | Operation::Run
            | Operation::Cancel => Scope::Write,
            Operation::List
            | Operation::Get
            | Operation::ListData
            | Operation::Resolve
            | Operation::Events => Scope::Read,
            Operation::Work => Scope::TrainingWork,
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

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
