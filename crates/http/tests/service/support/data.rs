//! Models that can be trained.

use custom_models_core::model::{ContentDigest, DataFile, DataType, Expected, NewPair};
use custom_models_core::{Caller, ModelId, Plan};

use super::Server;

impl Server {
    /// Adds so many seconds of audio to a model, as an upload does.
    pub(crate) fn has_data(&self, organisation: &str, id: u64, data_type: DataType, seconds: u64) {
        let caller = Caller::new(organisation.parse().unwrap(), Plan::gold());
        let id = ModelId::new(id).unwrap();
        let pair = pair(data_type, seconds);
        self.engine.add_data(&caller, id, pair, &Expected::Anything).unwrap();
    }

    /// Creates a model with data for training and testing, and returns its path.
    pub(crate) fn ready_model(&self, key: &str, id: u64) -> String {
        assert_eq!(self.create(key, super::NAMED).status, 201);
        self.has_data("acme", id, DataType::Train, 18_000);
        self.has_data("acme", id, DataType::Test, 1);
        format!("{}/{id}", super::MODELS)
    }

    /// Creates a model and trains it, and returns its path.
    pub(crate) fn running_model(&self, key: &str, id: u64) -> String {
        let path = self.ready_model(key, id);
        assert_eq!(self.post(key, &format!("{path}/run"), "{}").status, 200);
        path
    }

    pub(crate) fn post(&self, key: &str, path: &str, body: &str) -> super::Answer {
        self.post_with(key, path, &[], body)
    }

    /// Posts JSON with further headers.
    pub(crate) fn post_with(
        &self,
        key: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> super::Answer {
        let mut all = vec![("Authorization", key), ("Content-Type", "application/json")];
        all.extend(headers);
        self.request("POST", path, &all, body)
    }
}

fn pair(data_type: DataType, seconds: u64) -> NewPair {
    let file = |filename: &str| DataFile {
        filename: filename.to_owned(),
        bytes: 1,
        sha256: ContentDigest::from_bytes([7; 32]),
        content: "c".to_owned(),
    };
    NewPair {
        data_type,
        audio: file("a.wav"),
        audio_millis: seconds * 1000,
        transcript: file("a.txt"),
    }
}
