//! Pages of a model's data.

use serde::{Deserialize, Serialize};

use crate::model::data::{ContentDigest, DataFile, DataId, DataPair, DataType};
use crate::time::Timestamp;

/// A page of a model's data, as the API shows it to workers: with the names in the content store (TRAIN-3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DataPage {
    /// The number of pairs on this page.
    pub count: u64,
    /// The number of pairs that the model has, on all pages.
    pub total_results: u64,
    /// The pairs, in the order in which they were added.
    pub result: Vec<DataPair>,
}

impl DataPage {
    /// Makes a page of these pairs; the model has `total_results` in all.
    pub fn new(total_results: u64, result: Vec<DataPair>) -> Self {
        DataPage { count: result.len() as u64, total_results, result }
    }
}

/// A page of a model's data, as the API lists it (DATA-6): every field but the names in the content store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DataList {
    /// The number of pairs on this page.
    pub count: u64,
    /// The number of pairs that the model has, on all pages.
    pub total_results: u64,
    /// The pairs, in the order in which they were added.
    pub result: Vec<ListedPair>,
}

impl DataList {
    /// Makes a page of these pairs; the model has `total_results` in all.
    pub fn new(total_results: u64, result: Vec<ListedPair>) -> Self {
        DataList { count: result.len() as u64, total_results, result }
    }
}

/// A listed pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListedPair {
    /// The id of the pair within the model.
    pub id: DataId,
    /// The type of the pair.
    pub data_type: DataType,
    /// The length of the audio in milliseconds.
    pub audio_millis: u64,
    /// The audio.
    pub audio: ListedFile,
    /// The transcript of the audio.
    pub transcript: ListedFile,
    /// The time of the upload.
    pub created_at: Timestamp,
}

/// A listed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListedFile {
    /// The file name that the sender gave.
    pub filename: String,
    /// The size in bytes.
    pub bytes: u64,
    /// The SHA-256 digest of the file.
    pub sha256: ContentDigest,
}

impl From<DataPage> for DataList {
    fn from(DataPage { total_results, result, .. }: DataPage) -> Self {
        DataList::new(total_results, result.into_iter().map(ListedPair::from).collect())
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
