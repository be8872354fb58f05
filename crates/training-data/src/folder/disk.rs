//! Contents as files: `{root}/{organisation}/{model}/{content}`.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use custom_models_core::store::{StoreError, StoreErrorKind};
use custom_models_core::{ModelId, Organisation};

use super::disk_mark::{DiskLock, read};
use super::files::{files, folders, unless_gone, unused};
use super::mark::{MARK, Mark, PREPARED};
use super::new_file::NewFile;
use super::place::{Details, EachModel, Entry, MarkLock, Place, Removed};
use super::{Folder, fault};
use crate::content::{Content, NewContent};
use crate::names::is_name;

/// The most attempts to begin a file whose folder a sweep removes at the same time.
pub(super) const ATTEMPTS: u32 = 8;

/// A folder on a disk.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
}

impl Disk {
    pub(super) fn at(root: &Path) -> Result<Self, StoreError> {
        Ok(Disk { root: std::path::absolute(root).map_err(fault)? })
    }

    pub(super) fn of_organisation(&self, organisation: &Organisation) -> PathBuf {
        self.root.join(organisation.as_str())
    }

    fn of_model(&self, organisation: &Organisation, model: ModelId) -> PathBuf {
        self.of_organisation(organisation).join(model.to_string())
    }

    fn file(&self, organisation: &Organisation, model: ModelId, name: &str) -> PathBuf {
        self.of_model(organisation, model).join(name)
    }
}

/// Returns the details of a file; `None` if it has just vanished, because it was removed or has got another name.
pub(super) fn details_of(path: &Path) -> Result<Option<Details>, StoreError> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(None) };
    let changed = metadata.modified().map_err(fault)?;
    let age = SystemTime::now().duration_since(changed).ok();
    Ok(Some(Details { bytes: metadata.len(), age }))
}

impl Place for Disk {
    fn root(&self) -> &Path {
        &self.root
    }

    fn ensure_reachable(&self) -> Result<(), StoreError> {
        match fs::read_dir(&self.root) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::read_dir(self.root.parent().unwrap_or(&self.root)).map_err(fault)?;
            }
            found => drop(found.map_err(fault)?),
        }
        Ok(())
    }

    fn exists(&self) -> bool {
        self.root.exists()
    }

    fn mark(&self) -> Result<Option<Mark>, StoreError> {
        read(&self.root, MARK)
    }

    fn prepared(&self) -> Option<Mark> {
        read(&self.root, PREPARED).ok().flatten()
    }

    fn lock(&self, is_made: bool) -> Result<Box<dyn MarkLock + '_>, StoreError> {
        let lock =
            if is_made { DiskLock::take(&self.root) } else { DiskLock::take_making(&self.root) };
        Ok(Box::new(lock?))
    }

    fn organisations(&self) -> Result<Vec<Organisation>, StoreError> {
        folders(&self.root).map_err(fault)
    }

    fn each_model(
        &self,
        organisation: &Organisation,
        act: &mut EachModel<'_>,
    ) -> Result<(), StoreError> {
        let found = folders::<ModelId>(&self.of_organisation(organisation)).map_err(fault)?;
        for model in found {
            if !act(model, self.entries(organisation, model)?)? {
                break;
            }
        }
        Ok(())
    }

    fn entries(
        &self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Vec<Entry>, StoreError> {
        let found = files(&self.of_model(organisation, model)).map_err(fault)?;
        Ok(found.into_iter().map(|name| Entry { name, details: None }).collect())
    }

    fn details(
        &self,
        organisation: &Organisation,
        model: ModelId,
        name: &str,
    ) -> Result<Option<Details>, StoreError> {
        details_of(&self.file(organisation, model, name))
    }

    fn is_used(
        &self,
        organisation: &Organisation,
        model: ModelId,
        name: &str,
    ) -> Result<bool, StoreError> {
        Ok(unused(&self.file(organisation, model, name)).map_err(fault)?.is_none())
    }

    fn remove(
        &self,
        organisation: &Organisation,
        model: ModelId,
        names: Vec<(String, u64)>,
        _: Duration,
    ) -> Result<Removed, StoreError> {
        let mut removed = Removed::default();
        for (name, bytes) in names {
            let path = self.file(organisation, model, &name);
            // The lock is held until the file is gone, so that an upload that is just creating it notices.
            let Some(_lock) = unused(&path).map_err(fault)? else {
                removed.used += 1;
                continue;
            };
            unless_gone(fs::remove_file(&path)).map_err(fault)?;
            removed.files += 1;
            removed.bytes += bytes;
        }
        Ok(removed)
    }

    fn remove_content(
        &self,
        organisation: &Organisation,
        model: ModelId,
        name: &str,
    ) -> Result<(), StoreError> {
        unless_gone(fs::remove_file(self.file(organisation, model, name))).map_err(fault)
    }

    fn tidy(&self, organisation: &Organisation, model: Option<ModelId>) {
        // The folder stays if something is still being written there.
        let _ = fs::remove_dir(match model {
            Some(model) => self.of_model(organisation, model),
            None => self.of_organisation(organisation),
        });
    }

    fn begin(
        &self,
        folder: &Folder,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Box<dyn NewContent>, StoreError> {
        let of_model = self.of_model(organisation, model);
        for _ in 0..ATTEMPTS {
            if let Some(file) = NewFile::begin(folder, &self.root, &of_model).map_err(fault)? {
                return Ok(Box::new(file));
            }
        }
        Err(StoreErrorKind::Busy.into())
    }

    fn open(
        &self,
        organisation: &Organisation,
        model: ModelId,
        name: &str,
    ) -> Result<Option<Box<dyn Content>>, StoreError> {
        match File::open(self.file(organisation, model, name)) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(fault(error)),
        }
    }

    fn path(&self, organisation: &Organisation, model: ModelId, name: &str) -> Option<PathBuf> {
        is_name(name).then(|| self.file(organisation, model, name))
    }
}
