//! Looks whether everything that a store holds agrees with itself, and with the files of training data.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use custom_models_core::{
    Audit, ContentDigest, DataFile, DataPair, ModelId, OpenMode, Organisation, Record, Store,
    StoreError,
};
use custom_models_training_data::{ContentStore, FolderStanding, digest};

use crate::args::Global;
use crate::commands::archive::on_store;
use crate::config::data_folder::DataFolder;
use crate::config::settings::Settings;
use crate::output::failure::with_causes;
use crate::output::report::Report;

/// Checks the store that the command line names, and says what was found.
pub(crate) fn check(global: &Global) -> Report {
    let mut findings = Vec::new();
    let report = on_store(global, OpenMode::ReadOnly, |store| {
        let plans = Settings::of(global)?.plans;
        let (mut audit, mut records) = (Audit::default().with_plans(plans), 0_u64);
        let mut with_data = BTreeSet::new();
        store.export(&mut |record| {
            records += 1;
            audit.look(&record);
            if let Record::Data { organisation, model, .. } = record {
                with_data.insert((organisation, model));
            }
            Ok(())
        })?;
        findings.extend(audit.findings().iter().map(ToString::to_string));
        findings.extend(store.verify()?);
        // Files are read when the view of the store is gone, for they may be many, and others want to write.
        let mut files = 0;
        match DataFolder::of(global, &store)?.open_read_only()? {
            Some(folder) if folder.standing() == FolderStanding::Vanished => {
                findings.push(no_folder(folder.root(), with_data.len()));
            }
            Some(contents) => {
                let mut checked = Files { store: &*store, contents, findings: &mut findings };
                for (organisation, model) in &with_data {
                    files += checked.look(organisation, *model)?;
                }
            }
            None if with_data.is_empty() => {}
            None => findings.push(unnamed_folder(with_data.len())),
        }
        let found = findings.len();
        Ok(Some(format!(r#"{{"records":{records},"files":{files},"findings":{found}}}"#)))
    });
    report.and_found(findings)
}

/// The finding for models whose folder of data is not there, or is empty.
fn no_folder(root: &Path, models: usize) -> String {
    let root = root.display();
    format!(
        "{models} models have training data, but the folder '{root}' is not there or empty: bring it back, or name \
         it with --data"
    )
}

/// The finding for models with data in a store beside which no folder can lie.
fn unnamed_folder(models: usize) -> String {
    format!(
        "{models} models have training data, which was not looked at: name its folder with --data"
    )
}

/// The files of models, against what the store says of them.
struct Files<'a> {
    store: &'a dyn Store,
    contents: Arc<dyn ContentStore>,
    findings: &'a mut Vec<String>,
}

impl Files<'_> {
    /// Reads the files of a model's data, and says how many that were.
    fn look(&mut self, organisation: &Organisation, model: ModelId) -> Result<u64, StoreError> {
        let mut files = 0;
        for pair in self.store.data(organisation, model, 0, u32::MAX)? {
            for file in [&pair.audio, &pair.transcript] {
                files += 1;
                let Some(wrong) = self.wrong(organisation, model, file) else { continue };
                // A pair that was removed meanwhile has taken its files along.
                if self
                    .store
                    .data(organisation, model, 0, u32::MAX)?
                    .iter()
                    .any(|it| it.id == pair.id)
                {
                    self.findings.push(said(organisation, model, &pair, file, &wrong));
                }
            }
        }
        Ok(files)
    }

    fn wrong(&self, organisation: &Organisation, model: ModelId, file: &DataFile) -> Option<Wrong> {
        match self.contents.open(organisation, model, &file.content) {
            Err(error) => Some(Wrong::Missing(error)),
            Ok(content) => match digest(content) {
                Err(error) => Some(Wrong::Unreadable(error)),
                Ok(found) if found != (file.bytes, file.sha256) => Some(Wrong::Other(found)),
                Ok(_) => None,
            },
        }
    }
}

/// A fault of a file of training data.
enum Wrong {
    Missing(StoreError),
    Unreadable(io::Error),
    /// It has so many bytes, with that digest.
    Other((u64, ContentDigest)),
}

fn said(
    organisation: &Organisation,
    model: ModelId,
    pair: &DataPair,
    file: &DataFile,
    wrong: &Wrong,
) -> String {
    let which = format!("{organisation}: model {model}, data {}, file {}", pair.id, file.content);
    match wrong {
        Wrong::Missing(error) => format!("{which}: cannot be opened: {}", with_causes(error)),
        Wrong::Unreadable(error) => format!("{which}: cannot be read: {error}"),
        Wrong::Other((bytes, sha256)) => format!(
            "{which}: {bytes} bytes with the digest {sha256}, {} with {} were uploaded",
            file.bytes, file.sha256
        ),
    }
}

#[cfg(test)]
mod tests {
    use custom_models_core::{
        ArchiveChange, ArchiveStore, DataId, DataType, MemoryStore, StoreErrorKind, Timestamp,
    };
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
        let looked = files.look(&organisation(), ModelId::new(1).unwrap()).unwrap();
        (looked, findings)
    }

    #[test]
    fn a_file_that_is_not_there_is_found_with_the_cause() {
        let store = with_a_pair();
        let (looked, findings) = found(&store, Gone(None));
        assert_eq!((looked, findings.len()), (2, 2), "{findings:?}");
        for (finding, file) in findings.iter().zip(["a", "t"]) {
            let which = format!("acme: model 1, data 1, file {file}: cannot be opened: ");
            assert!(
                finding.starts_with(&which) && finding.ends_with(": no\nsuch file"),
                "{finding}"
            );
        }
    }

    #[test]
    fn files_of_a_pair_that_goes_meanwhile_are_no_finding() {
        let store = with_a_pair();
        let (looked, findings) = found(&store, Gone(Some(Arc::clone(&store))));
        assert_eq!((looked, findings), (2, vec![]));
    }
}
