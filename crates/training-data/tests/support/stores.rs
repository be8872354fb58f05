//! Stores in memory, with references to contents.

use custom_models_core::model::{ContentDigest, DataFile, DataId, DataPair, DataType};
use custom_models_core::store::{
    ArchiveChange, ArchiveStore, Record, StoreError, StoreErrorKind, StoreIdentity, StoreSummary,
};
use custom_models_core::time::Timestamp;
use custom_models_core::{MemoryStore, ModelId, Organisation};
use custom_models_training_data::{ContentStore, ContentSweep, Folder, KeptBack};

pub(crate) fn acme() -> Organisation {
    "acme".parse().unwrap()
}

pub(crate) fn model(number: u64) -> ModelId {
    ModelId::new(number).unwrap()
}

pub(crate) fn store(number: u8) -> MemoryStore {
    MemoryStore::with_identity(StoreIdentity::from_bytes([number; 16]))
}

/// Returns a copy of a store, as `cp` makes one.
pub(crate) fn copy(store: &MemoryStore) -> MemoryStore {
    let StoreSummary { identity, lineage, .. } = store.summary().unwrap();
    let copy = MemoryStore::with_identity(identity);
    let mut records = Vec::new();
    let read = store.export(&mut |record| {
        records.push(record);
        Ok(())
    });
    read.unwrap();
    copy.archive(ArchiveChange::Import(records)).unwrap();
    if let Some(lineage) = lineage {
        let (expected, new) = ((identity, None), (identity, lineage));
        copy.archive(ArchiveChange::ReplaceIdentity { expected, new }).unwrap();
    }
    copy
}

/// Makes the store use ids up to this one.
pub(crate) fn at(store: &MemoryStore, last_id: u64) {
    store.archive(ArchiveChange::Import(vec![Record::Start { last_id }])).unwrap();
}

/// Writes a content and releases it.
pub(crate) fn keep(folder: &Folder, model: ModelId) -> String {
    let mut content = folder.begin(&acme(), model).unwrap();
    content.write_all(b"seven b").unwrap();
    content.keep().unwrap().name().to_owned()
}

/// Makes the store refer to two contents, in a pair.
pub(crate) fn refer(store: &MemoryStore, model: ModelId, id: u32, contents: [&str; 2]) {
    let file = |content: &str| DataFile {
        filename: "tone".to_owned(),
        bytes: 7,
        sha256: ContentDigest::from_bytes([7; 32]),
        content: content.to_owned(),
    };
    let pair = DataPair {
        id: DataId::new(id).unwrap(),
        data_type: DataType::Train,
        audio: file(contents[0]),
        audio_millis: 1000,
        transcript: file(contents[1]),
        created_at: Timestamp::from_unix_seconds(1).unwrap(),
    };
    let record = Record::Data { organisation: acme(), model, pair };
    store.archive(ArchiveChange::Import(vec![record])).unwrap();
}

pub(crate) fn removed(files: u64) -> ContentSweep {
    ContentSweep { files, bytes: 7 * files, kept_back: None }
}

pub(crate) fn kept_back(reason: KeptBack) -> ContentSweep {
    ContentSweep { kept_back: Some(reason), ..ContentSweep::default() }
}

pub(crate) fn kind<T>(done: Result<T, StoreError>) -> StoreErrorKind {
    done.err().unwrap().kind()
}
