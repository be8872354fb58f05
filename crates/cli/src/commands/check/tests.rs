use custom_models_core::MemoryStore;
use custom_models_core::model::{DataId, DataType};
use custom_models_core::store::{ArchiveChange, ArchiveStore, StoreErrorKind};
use custom_models_core::time::Timestamp;
use custom_models_training_data::{Content, ContentSweep, NewContent};

use super::*;

fn organisation() -> Organisation {
    "acme".parse().unwrap()
}

/// Has none of the contents that it is asked for, and may have the pair erased at that moment.
#[derive(Debug)]
struct Gone(Option<Arc<MemoryStore>>);

impl ContentStore for Gone {
    fn begin(&self, _: &Organisation, _: ModelId) -> Result<Box<dyn NewContent>, StoreError> {
        Err(StoreErrorKind::Unavailable.into())
    }

    fn open(
        &self,
        organisation: &Organisation,
        _: ModelId,
        _: &str,
    ) -> Result<Box<dyn Content>, StoreError> {
        if let Some(store) = &self.0 {
            let organisation = organisation.clone();
            store.archive(ArchiveChange::Erase { organisation, limit: 10 })?;
        }
        Err(StoreError::new(StoreErrorKind::Damaged, io::Error::other("no\nsuch file")))
    }

    fn remove(&self, _: &Organisation, _: ModelId, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    fn remove_model(&self, _: &Organisation, _: ModelId) -> Result<(), StoreError> {
        Ok(())
    }

    fn remove_organisation(&self, _: &Organisation) -> Result<u64, StoreError> {
        Ok(0)
    }

    fn sweep(&self, _: &dyn ArchiveStore) -> Result<ContentSweep, StoreError> {
        Ok(ContentSweep::default())
    }

    fn path(&self, _: &Organisation, _: ModelId, _: &str) -> Option<std::path::PathBuf> {
        None
    }
}

fn with_a_pair() -> Arc<MemoryStore> {
    let store = MemoryStore::new();
    let file = |content: &str| DataFile {
        filename: "tone".to_owned(),
        bytes: 7,
        sha256: ContentDigest::from_bytes([7; 32]),
        content: content.to_owned(),
    };
    let pair = DataPair {
        id: DataId::new(1).unwrap(),
        data_type: DataType::Train,
        audio: file("a"),
        audio_millis: 1000,
        transcript: file("t"),
        created_at: Timestamp::from_unix_seconds(1).unwrap(),
    };
    let model = ModelId::new(1).unwrap();
    let record = Record::Data { organisation: organisation(), model, pair };
    store.archive(ArchiveChange::Import(vec![record])).unwrap();
    Arc::new(store)
}

fn found(store: &MemoryStore, contents: Gone) -> (u64, Vec<String>) {
    let mut findings = Vec::new();
    let contents = Arc::new(contents);
    let mut files = Files { store, contents, findings: &mut findings };
    let looked = files.check_model(&organisation(), ModelId::new(1).unwrap()).unwrap();
    (looked, findings)
}

#[test]
fn a_file_that_is_not_there_is_found_with_the_cause() {
    let store = with_a_pair();
    let (looked, findings) = found(&store, Gone(None));
    assert_eq!((looked, findings.len()), (2, 2), "{findings:?}");
    for (finding, file) in findings.iter().zip(["a", "t"]) {
        let which = format!("acme: model 1, data 1, file {file}: cannot be opened: ");
        assert!(finding.starts_with(&which) && finding.ends_with(": no\nsuch file"), "{finding}");
    }
}

#[test]
fn files_of_a_pair_that_goes_meanwhile_are_no_finding() {
    let store = with_a_pair();
    let (looked, findings) = found(&store, Gone(Some(Arc::clone(&store))));
    assert_eq!((looked, findings), (2, vec![]));
}
