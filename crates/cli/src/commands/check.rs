//! Checking that the records of a store agree with each other and with the files of training data.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use custom_models_core::model::{ContentDigest, DataFile, DataPair};
use custom_models_core::store::{Audit, OpenMode, Record, StoreError};
use custom_models_core::{ModelId, Organisation};
use custom_models_training_data::{ContentStore, FolderStanding, digest};

use crate::commands::session::on_store;
use crate::config::data_folder::DataFolder;
use crate::config::global::Global;
use crate::config::settings::Settings;
use crate::output::failure::with_causes;
use crate::output::report::Report;

/// The number of pairs that are read at a time.
const READ_AT_ONCE: u32 = 1000;

/// Checks the store, and reports each finding.
pub(crate) fn check(global: &Global) -> Report {
    let mut findings = Vec::new();
    let report = on_store(global, OpenMode::ReadOnly, |store| {
        let plans = Settings::read(global.config.as_deref())?.plans;
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
        // Reading files takes long, so the view of the store, which blocks writers, is closed before.
        let mut files = 0;
        match DataFolder::of(global, &store)?.open_read_only()? {
            Some(folder) if folder.standing() == FolderStanding::Vanished => {
                findings.push(no_folder(folder.root(), with_data.len()));
            }
            Some(contents) => {
                let data: &ReadData<'_> =
                    &|of, model, after, limit| store.data(of, model, after, limit);
                let mut checked = Files { data, contents, findings: &mut findings };
                for (organisation, model) in &with_data {
                    files += checked.check_model(organisation, *model)?;
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

/// The finding for models whose folder of data is missing or empty.
fn no_folder(root: &Path, models: usize) -> String {
    let root = root.display();
    format!(
        "{models} models have training data, but the folder '{root}' is missing or empty: restore it, or name it \
         with --data"
    )
}

/// The finding for models with data in a store without a default folder.
fn unnamed_folder(models: usize) -> String {
    format!(
        "{models} models have training data, which was not checked: name its folder with --data"
    )
}

/// Reads pairs of a model after a number, as a store does.
type ReadData<'a> =
    dyn Fn(&Organisation, ModelId, u32, u32) -> Result<Vec<DataPair>, StoreError> + 'a;

/// The files of models, compared with the store's records.
struct Files<'a> {
    data: &'a ReadData<'a>,
    contents: Arc<dyn ContentStore>,
    findings: &'a mut Vec<String>,
}

impl Files<'_> {
    /// Reads the files of a model's data. Returns their number.
    fn check_model(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<u64, StoreError> {
        let (mut files, mut after) = (0, 0);
        loop {
            let pairs = (self.data)(organisation, model, after, READ_AT_ONCE)?;
            for pair in &pairs {
                files += self.check_pair(organisation, model, pair)?;
            }
            match pairs.last() {
                Some(last) if pairs.len() >= READ_AT_ONCE as usize => after = last.id.get(),
                _ => return Ok(files),
            }
        }
    }

    /// Reads the files of a pair. Returns their number.
    fn check_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: &DataPair,
    ) -> Result<u64, StoreError> {
        let mut files = 0;
        for file in [&pair.audio, &pair.transcript] {
            files += 1;
            let Some(fault) = self.fault(organisation, model, file) else { continue };
            // If the pair was removed meanwhile, its files were too.
            let now = (self.data)(organisation, model, pair.id.get() - 1, 1)?;
            if now.iter().any(|it| it.id == pair.id) {
                self.findings.push(finding(organisation, model, pair, file, &fault));
            }
        }
        Ok(files)
    }

    fn fault(
        &self,
        organisation: &Organisation,
        model: ModelId,
        file: &DataFile,
    ) -> Option<FileFault> {
        match self.contents.open(organisation, model, &file.content) {
            Err(error) => Some(FileFault::Missing(error)),
            Ok(content) => match digest(content) {
                Err(error) => Some(FileFault::Unreadable(error)),
                Ok(found) if found != (file.bytes, file.sha256) => {
                    Some(FileFault::Different(found))
                }
                Ok(_) => None,
            },
        }
    }
}

/// A fault of a file of training data.
enum FileFault {
    Missing(StoreError),
    Unreadable(io::Error),
    /// The length and the digest that it has.
    Different((u64, ContentDigest)),
}

fn finding(
    organisation: &Organisation,
    model: ModelId,
    pair: &DataPair,
    file: &DataFile,
    fault: &FileFault,
) -> String {
    let which = format!("{organisation}: model {model}, data {}, file {}", pair.id, file.content);
    match fault {
        FileFault::Missing(error) => format!("{which}: cannot be opened: {}", with_causes(error)),
        FileFault::Unreadable(error) => format!("{which}: cannot be read: {error}"),
        FileFault::Different((bytes, sha256)) => format!(
            "{which}: {bytes} bytes with the digest {sha256}, {} with {} were uploaded",
            file.bytes, file.sha256
        ),
    }
}

#[cfg(test)]
mod tests;
