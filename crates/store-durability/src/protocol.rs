//! The output of a load while it runs: one line per fact, each written to the pipe with one write.

use std::fmt;
use std::str::FromStr;

use custom_models_core::ModelId;
use custom_models_core::model::{Revision, Version};

use crate::{BoxError, Token};

/// A fact about the load.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Line {
    /// The engine acknowledged a create.
    Created {
        /// The id that the model was given.
        id: ModelId,
        /// The organisation that owns the model.
        organisation: String,
        /// The token from which all fields of the model follow.
        token: Token,
    },
    /// The engine is about to be asked to change a model. From now on the model may be changed.
    Changing {
        /// The model.
        id: ModelId,
        /// The organisation that owns the model.
        organisation: String,
        /// The token of the change, which no other change has.
        edit: Token,
    },
    /// The engine acknowledged a change of a model.
    Changed {
        /// The model.
        id: ModelId,
        /// The organisation that owns the model.
        organisation: String,
        /// The version of the model after the change.
        version: Version,
    },
    /// The engine is about to be asked to delete a model. From now on the model may be gone.
    Deleting {
        /// The model.
        id: ModelId,
        /// The organisation that owns the model.
        organisation: String,
    },
    /// The engine acknowledged a delete.
    Deleted {
        /// The model.
        id: ModelId,
        /// The organisation that owned the model.
        organisation: String,
    },
    /// The engine refused a create because its organisation is at its limit.
    AtLimit,
    /// The engine returned an error.
    Failed(String),
}

impl Line {
    /// Returns true if the engine acknowledged a create, a change or a delete.
    pub fn is_acknowledgement(&self) -> bool {
        matches!(self, Line::Created { .. } | Line::Changed { .. } | Line::Deleted { .. })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Created { id, organisation, token } => {
                write!(f, "created {id} {organisation} {token}")
            }
            Line::Changing { id, organisation, edit } => {
                write!(f, "changing {id} {organisation} {edit}")
            }
            Line::Changed { id, organisation, version: Version { revision, heartbeats } } => {
                write!(f, "changed {id} {organisation} {revision} {heartbeats}")
            }
            Line::Deleting { id, organisation } => write!(f, "deleting {id} {organisation}"),
            Line::Deleted { id, organisation } => write!(f, "deleted {id} {organisation}"),
            Line::AtLimit => write!(f, "at-limit"),
            Line::Failed(cause) => write!(f, "failed {}", cause.replace('\n', " ")),
        }
    }
}

impl FromStr for Line {
    type Err = BoxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(cause) = text.strip_prefix("failed ") {
            return Ok(Line::Failed(cause.to_owned()));
        }
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or_else(|| format!("`{text}` is cut short"));
        Ok(match word()? {
            "created" => Line::Created {
                id: word()?.parse()?,
                organisation: word()?.to_owned(),
                token: word()?.parse()?,
            },
            "changing" => Line::Changing {
                id: word()?.parse()?,
                organisation: word()?.to_owned(),
                edit: word()?.parse()?,
            },
            "changed" => Line::Changed {
                id: word()?.parse()?,
                organisation: word()?.to_owned(),
                version: Version {
                    revision: Revision::new(word()?.parse()?).ok_or("revision 0")?,
                    heartbeats: word()?.parse()?,
                },
            },
            "deleting" => Line::Deleting { id: word()?.parse()?, organisation: word()?.to_owned() },
            "deleted" => Line::Deleted { id: word()?.parse()?, organisation: word()?.to_owned() },
            "at-limit" => Line::AtLimit,
            _ => return Err(format!("`{text}` is no line of the load").into()),
        })
    }
}
