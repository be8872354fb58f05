//! The training state of a model as text, for stores, which need not understand it.

use crate::model::status::TrainingStatus;
use crate::model::training::TrainingState;

/// The error for a record that is not a training state, or contradicts the status stored with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the record of a training state")]
pub struct InvalidTrainingState;

impl TrainingState {
    /// Returns the training state as text; `None` for that of a new model.
    ///
    /// # Errors
    ///
    /// Never in practice: every training state serialises.
    pub fn to_record(&self) -> Result<Option<String>, serde_json::Error> {
        if *self == TrainingState::default() {
            return Ok(None);
        }
        serde_json::to_string(self).map(Some)
    }

    /// Parses a stored training state, and checks it against the status in the same row.
    ///
    /// # Errors
    ///
    /// If [`TrainingState::to_record`] does not write such a text, or the status differs.
    pub fn from_record(
        status: TrainingStatus,
        record: Option<&str>,
    ) -> Result<Self, InvalidTrainingState> {
        let training = match record {
            None => TrainingState::default(),
            Some(record) => serde_json::from_str(record).map_err(|_| InvalidTrainingState)?,
        };
        if training.status() == status && training.is_sound() {
            Ok(training)
        } else {
            Err(InvalidTrainingState)
        }
    }
}
