//! The response to an upload.

use serde::Serialize;

use crate::model::custom_model::CustomModel;
use crate::model::data::NewPair;

/// The response to an upload (DATA-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Uploaded<'a> {
    message: &'static str,
    data_type: &'static str,
    filename: &'a str,
    transcript_filename: &'a str,
    training_status: u8,
}

impl<'a> Uploaded<'a> {
    /// Creates the response for a pair and the model that it was added to.
    pub fn new(pair: &'a NewPair, model: &CustomModel) -> Self {
        Uploaded {
            message: "Training data uploaded",
            data_type: pair.data_type.as_str(),
            filename: &pair.audio.filename,
            transcript_filename: &pair.transcript.filename,
            training_status: model.training_status().number(),
        }
    }
}
