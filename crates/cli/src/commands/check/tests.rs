use custom_models_core::MemoryStore;
use custom_models_core::model::{DataId, DataType};
use custom_models_core::store::{ArchiveChange, ArchiveStore, ModelStore, StoreErrorKind};
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

fn with_pairs(pairs: u32) -> Arc<MemoryStore> {
    let store = MemoryStore::new();
    let file = |content: &str| DataFile {
        filename: "tone".to_owned(),
        bytes: 7,
        sha256: ContentDigest::from_bytes([7; 32]),
        content: content.to_owned(),
    };
    let pair = |number| DataPair {
        id: DataId::new(number).unwrap(),
        data_type: DataType::Train,
        audio: file("a"),
        audio_millis: 1000,
        transcript: file("t"),
        created_at: Timestamp::from_unix_seconds(1).unwrap(),
    };
    let model = ModelId::new(1).unwrap();
    let record = |number| Record::Data { organisation: organisation(), model, pair: pair(number) };
    store.archive(ArchiveChange::Import((1..=pairs).map(record).collect())).unwrap();
    Arc::new(store)
}

fn found(store: &MemoryStore, contents: Gone) -> (u64, Vec<String>) {
    found_by(&|of, model, after, limit| store.data(of, model, after, limit), contents)
}

fn found_by(data: &ReadData<'_>, contents: Gone) -> (u64, Vec<String>) {
    let mut findings = Vec::new();
    let contents = Arc::new(contents);
    let mut files = Files { data, contents, findings: &mut findings };
    let looked = files.check_model(&organisation(), ModelId::new(1).unwrap()).unwrap();
    (looked, findings)
}

#[test]
fn a_file_that_is_not_there_is_found_with_the_cause() {
    let store = with_pairs(1);
    let (looked, findings) = found(&store, Gone(None));
    assert_eq!((looked, findings.len()), (2, 2), "{findings:?}");
    for (finding, file) in findings.iter().zip(["a", "t"]) {
        let which = format!("acme: model 1, data 1, file {file}: cannot be opened: ");
        assert!(finding.starts_with(&which) && finding.ends_with(": no\nsuch file"), "{finding}");
    }
}

#[test]
fn files_of_a_pair_that_goes_meanwhile_are_no_finding() {
    let store = with_pairs(1);
    let (looked, findings) = found(&store, Gone(Some(Arc::clone(&store))));
    assert_eq!((looked, findings), (2, vec![]));
}

#[test]
fn data_6_a_check_reads_each_pair_once_and_once_more_for_each_fault() {
    let (store, read) = (with_pairs(2500), std::cell::Cell::new((0, 0)));
    let data = |of: &Organisation, model: ModelId, after: u32, limit: u32| {
        let pairs = store.data(of, model, after, limit)?;
        let (calls, rows) = read.get();
        read.set((calls + 1, rows + pairs.len()));
        assert!(pairs.len() <= 1000, "so many at a time");
        Ok(pairs)
    };
    let (looked, findings) = found_by(&data, Gone(None));
    assert_eq!((looked, findings.len()), (5000, 5000));
    assert_eq!(read.get(), (3 + 5000, 2500 + 5000));
}
