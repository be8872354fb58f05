//! The body of an upload that names its files instead of sending them.

use crate::field::{Field, ViolationKind};
use crate::model::DataType;
use crate::request::parameters::NamedValues;
use crate::request::violations::Violations;
use crate::request::worker::{Judged, string};

/// A valid body of an upload that names two files which were sent before (DATA-3).
///
/// An id is any text: the content store knows which uploads there are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedUploads {
    /// The type of the pair.
    pub data_type: DataType,
    /// The id of the upload with the audio.
    pub audio: String,
    /// The id of the upload with the transcript.
    pub transcript: String,
}

impl NamedUploads {
    /// Parses a request body: `type`, `audio_file` and `transcript_file`.
    ///
    /// # Errors
    ///
    /// All violations at once.
    pub fn from_json(body: &[u8]) -> Result<Self, Violations> {
        let fields = [Field::Type, Field::AudioFile, Field::TranscriptFile];
        let mut given = NamedValues::of_body(body, &fields)?;
        let data_type = given.required(Field::Type, data_type);
        let audio = given.required(Field::AudioFile, string);
        let transcript = given.required(Field::TranscriptFile, string);
        let request =
            || Some(NamedUploads { data_type: data_type?, audio: audio?, transcript: transcript? });
        given.finish(request())
    }
}

fn data_type(value: &str) -> Judged<DataType> {
    DataType::from_name(&string(value)?).ok_or(ViolationKind::Unsupported)
}
