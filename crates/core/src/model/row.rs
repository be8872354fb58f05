//! A model as a row of columns, as stores keep it.

use crate::field::{Description, Name};
use crate::model::custom_model::CustomModel;
use crate::model::id::ModelId;
use crate::model::status::TrainingStatus;
use crate::model::training::TrainingState;
use crate::model::version::{Revision, Version};
use crate::time::{Timestamp, UnixMillis};

/// A row of a stored model in primitive columns. It is validated when it becomes a [`CustomModel`], because a
/// file can be damaged in ways that a database does not notice.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Copy, Debug)]
pub struct ModelRow<'a> {
    /// [`CustomModel::id`].
    pub id: u64,
    /// [`Version::revision`].
    pub revision: u64,
    /// [`Version::heartbeats`].
    pub heartbeats: u32,
    /// [`CustomModel::name`].
    pub name: &'a str,
    /// [`CustomModel::description`].
    pub description: Option<&'a str>,
    /// The code of the language.
    pub language: &'a str,
    /// The name of the base model.
    pub base_model: &'a str,
    /// The number of the training status.
    pub training_status: u8,
    /// The training state, by [`TrainingState::to_record`].
    pub training: Option<&'a str>,
    /// [`TrainingState::claimable_at`] in milliseconds since 1970, if it has a column of its own.
    pub claimable_at: Option<Option<i64>>,
    /// The time of creation in seconds since 1970.
    pub created_at: i64,
    /// The time of the last change in seconds since 1970.
    pub updated_at: i64,
}

/// The error for a row that is not a valid model, with the reason.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidModelRow(pub &'static str);

impl TryFrom<ModelRow<'_>> for CustomModel {
    type Error = InvalidModelRow;

    fn try_from(row: ModelRow<'_>) -> Result<Self, InvalidModelRow> {
        let time = |seconds| {
            Timestamp::from_unix_seconds(seconds)
                .map_err(|_| InvalidModelRow("a time out of range"))
        };
        let description = row.description.map(|text| Description::try_from(text.to_owned()));
        Ok(CustomModel {
            id: ModelId::new(row.id).map_err(|_| InvalidModelRow("an id out of range"))?,
            version: Version {
                revision: Revision::new(row.revision)
                    .ok_or(InvalidModelRow("a revision of zero"))?,
                heartbeats: row.heartbeats,
            },
            name: Name::try_from(row.name.to_owned())
                .map_err(|_| InvalidModelRow("a name against the rules"))?,
            description: description
                .transpose()
                .map_err(|_| InvalidModelRow("a description against the rules"))?,
            language: row.language.parse().map_err(|_| InvalidModelRow("an unknown language"))?,
            base_model: row
                .base_model
                .parse()
                .map_err(|_| InvalidModelRow("an unknown base model"))?,
            training: row.training()?,
            created_at: time(row.created_at)?,
            updated_at: time(row.updated_at)?,
        })
    }
}

impl ModelRow<'_> {
    fn training(&self) -> Result<TrainingState, InvalidModelRow> {
        let status = TrainingStatus::from_number(self.training_status);
        let status = status.ok_or(InvalidModelRow("an unknown training status"))?;
        let training = TrainingState::from_record(status, self.training);
        let training =
            training.map_err(|_| InvalidModelRow("no training state of its training status"))?;
        let claimable_at = self.claimable_at.map(|at| at.map(UnixMillis::from_unix_millis));
        match claimable_at {
            Some(at) if at != training.claimable_at() => {
                Err(InvalidModelRow("a training that is to be claimed at another time"))
            }
            _ => Ok(training),
        }
    }
}

#[cfg(test)]
mod tests;
