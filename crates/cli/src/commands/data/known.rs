//! The pairs that a model has, by the digests of their files, so that no pair is added twice.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use custom_models_core::model::{ContentDigest, DataPair, DataType, NewPair};

/// The digests of an audio and of its transcript.
pub(super) type PairDigest = (ContentDigest, ContentDigest);

/// The pairs of a model, with those that this run adds.
#[derive(Debug, Default)]
pub(super) struct KnownPairs {
    /// The sizes of the files of each pair that the model had before the run.
    sizes: HashSet<(u64, u64)>,
    types: Mutex<HashMap<PairDigest, DataType>>,
}

impl KnownPairs {
    /// Lists the pairs of a model.
    pub(super) fn of(pairs: &[DataPair]) -> Self {
        let digest = |pair: &DataPair| (pair.audio.sha256, pair.transcript.sha256);
        KnownPairs {
            sizes: pairs.iter().map(|pair| (pair.audio.bytes, pair.transcript.bytes)).collect(),
            types: Mutex::new(pairs.iter().map(|pair| (digest(pair), pair.data_type)).collect()),
        }
    }

    /// Returns `true` if the model had a pair with files of these sizes. If not, their digests need not be computed.
    pub(super) fn has_sizes(&self, audio: u64, transcript: u64) -> bool {
        self.sizes.contains(&(audio, transcript))
    }

    /// Returns the type of a pair that the model has.
    pub(super) fn get(&self, pair: &PairDigest) -> Option<DataType> {
        self.types.lock().unwrap_or_else(PoisonError::into_inner).get(pair).copied()
    }

    /// Claims a pair for the caller to add. Returns its type if the model has it, or another thread adds it.
    pub(super) fn claim(&self, pair: &NewPair) -> Option<DataType> {
        let digest = (pair.audio.sha256, pair.transcript.sha256);
        let mut types = self.types.lock().unwrap_or_else(PoisonError::into_inner);
        match types.get(&digest) {
            Some(data_type) => Some(*data_type),
            None => {
                types.insert(digest, pair.data_type);
                None
            }
        }
    }
}
