//! What is shown of a model's data.

use serde::Serialize;

use crate::{ContentDigest, DataFile, DataId, DataPair, DataType, Timestamp};

/// The data of a model, as the API lists it (DATA-6): everything but where contents are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DataList {
    /// How many pairs there are.
    pub count: u64,
    /// The pairs, in the order in which they were added.
    pub result: Vec<ListedPair>,
}

/// A pair, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedPair {
    /// Its number within the model.
    pub id: DataId,
    /// What it is for.
    pub data_type: DataType,
    /// How many milliseconds the audio lasts.
    pub audio_millis: u64,
    /// The audio.
    pub audio: ListedFile,
    /// What was said in it.
    pub transcript: ListedFile,
    /// When it was uploaded.
    pub created_at: Timestamp,
}

/// A file, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedFile {
    /// What its sender calls it.
    pub filename: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its digest.
    pub sha256: ContentDigest,
}

impl From<Vec<DataPair>> for DataList {
    fn from(pairs: Vec<DataPair>) -> Self {
        let result: Vec<_> = pairs.into_iter().map(ListedPair::from).collect();
        DataList { count: result.len() as u64, result }
    }
}

impl From<DataPair> for ListedPair {
    fn from(pair: DataPair) -> Self {
        let DataPair { id, data_type, audio, audio_millis, transcript, created_at } = pair;
        let (audio, transcript) = (audio.into(), transcript.into());
        ListedPair { id, data_type, audio_millis, audio, transcript, created_at }
    }
}

impl From<DataFile> for ListedFile {
    fn from(DataFile { filename, bytes, sha256, .. }: DataFile) -> Self {
        ListedFile { filename, bytes, sha256 }
    }
}
