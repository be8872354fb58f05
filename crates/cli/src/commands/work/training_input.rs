//! The input of a program: its training as JSON and as environment variables.

use std::path::PathBuf;

use custom_models_core::CustomModel;
use custom_models_core::engine::Claimed;
use custom_models_core::model::{DataFile, DataPair};
use serde::Serialize;

/// The longest variable of paths, in bytes. Linux starts no program with one of 128 KiB.
const LONGEST_VARIABLE: usize = 64 << 10;

/// Environment variables with their values.
pub(crate) type Variables = Vec<(&'static str, String)>;

/// Returns the environment variables, which have what a script needs, and standard input, which has
/// everything. A list of paths that is too long for a variable is on standard input only.
pub(crate) fn training_input(
    claimed: &Claimed,
    pairs: Vec<DataPair>,
    path: impl Fn(&DataFile) -> Option<PathBuf>,
) -> (Variables, String) {
    let model = &claimed.model;
    let place = |file: &DataFile| FileInput {
        filename: file.filename.clone(),
        bytes: file.bytes,
        sha256: file.sha256.to_string(),
        path: path(file).map(|path| path.to_string_lossy().into_owned()),
    };
    let told = |pair: DataPair| PairInput {
        id: pair.id.get(),
        data_type: pair.data_type.as_str(),
        audio_millis: pair.audio_millis,
        audio: place(&pair.audio),
        transcript: place(&pair.transcript),
    };
    let data: Vec<_> = pairs.into_iter().map(told).collect();
    let transcripts = |data_type: &str| {
        let of_type = data.iter().filter(|pair| pair.data_type == data_type);
        let paths = of_type.filter_map(|pair| pair.transcript.path.clone());
        paths.collect::<Vec<_>>().join("\n")
    };
    let mut variables = vec![
        ("CUSTOM_MODEL_ORGANISATION", claimed.organisation.to_string()),
        ("CUSTOM_MODEL_ID", model.id.to_string()),
        ("CUSTOM_MODEL_KEY", model.id.key().to_string()),
        ("CUSTOM_MODEL_LANGUAGE", model.language.to_string()),
        ("CUSTOM_MODEL_BASE_MODEL", model.base_model.to_string()),
        ("CUSTOM_MODEL_TRAIN_TRANSCRIPTS", transcripts("train")),
        ("CUSTOM_MODEL_TEST_TRANSCRIPTS", transcripts("test")),
    ];
    variables.retain(|(_, value)| value.len() <= LONGEST_VARIABLE);
    let told = TrainingInput { organisation: claimed.organisation.to_string(), model, data };
    (variables, serde_json::to_string(&told).unwrap_or_default())
}

#[derive(Serialize)]
struct TrainingInput<'a> {
    organisation: String,
    model: &'a CustomModel,
    data: Vec<PairInput>,
}

#[derive(Serialize)]
struct PairInput {
    id: u32,
    #[serde(rename = "type")]
    data_type: &'static str,
    audio_millis: u64,
    audio: FileInput,
    transcript: FileInput,
}

#[derive(Serialize)]
struct FileInput {
    filename: String,
    bytes: u64,
    sha256: String,
    path: Option<String>,
}

#[cfg(test)]
mod tests;
