//! The response to an upload.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::model::custom_model::CustomModel;
use crate::model::data::{DataType, NewPair};
use crate::model::status::TrainingStatus;

/// The response to an upload (DATA-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Uploaded<'a> {
    /// A text for people.
    pub message: Cow<'a, str>,
    /// The type of the pair.
    pub data_type: DataType,
    /// The name of the audio.
    pub filename: Cow<'a, str>,
    /// The name of the transcript.
    pub transcript_filename: Cow<'a, str>,
    /// The training status of the model with the pair.
    pub training_status: TrainingStatus,
}

impl<'a> Uploaded<'a> {
    /// Creates the response for a pair and the model that it was added to.
    pub fn new(pair: &'a NewPair, model: &CustomModel) -> Self {
        Uploaded {
            message: Cow::Borrowed("Training data uploaded"),
            data_type: pair.data_type,
            filename: Cow::Borrowed(&pair.audio.filename),
            transcript_filename: Cow::Borrowed(&pair.transcript.filename),
            training_status: model.training_status(),
        }
    }

    /// Returns the same response with owned texts.
    pub fn into_owned(self) -> Uploaded<'static> {
        Uploaded {
            message: Cow::Owned(self.message.into_owned()),
            filename: Cow::Owned(self.filename.into_owned()),
            transcript_filename: Cow::Owned(self.transcript_filename.into_owned()),
            data_type: self.data_type,
            training_status: self.training_status,
        }
    }
}
