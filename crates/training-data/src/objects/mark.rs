//! The marks of a folder in object storage, changed on the condition that they have not changed since they
//! were read.

use custom_models_core::store::{StoreError, StoreErrorKind};
use object_store::UpdateVersion;
use object_store::path::Path as Key;

use super::Objects;
use crate::folder::mark::{Here, MARK, Mark, PREPARED};
use crate::folder::place::MarkLock;

impl Objects {
    pub(super) fn mark_key(&self) -> Key {
        self.prefix().clone().join(MARK)
    }

    fn prepared_key(&self) -> Key {
        self.prefix().clone().join(PREPARED)
    }

    fn here(&self) -> Here<'_> {
        Here { inode: None, place: Some(self.url()) }
    }

    fn found(&self, key: &Key) -> Result<Option<Found>, StoreError> {
        let found = self.remote().get(key)?;
        Ok(found.map(|found| {
            let path = self.name().join(key.filename().unwrap_or_default());
            let mark = Mark::parse(&found.bytes, &self.here(), &path);
            Found { mark, version: found.version }
        }))
    }

    pub(super) fn read_mark(&self) -> Result<Option<Mark>, StoreError> {
        self.found(&self.mark_key())?.map(|found| found.mark).transpose()
    }

    pub(super) fn read_prepared(&self) -> Option<Mark> {
        self.found(&self.prepared_key()).ok()??.mark.ok()
    }
}

/// A mark, valid or not, with its version.
#[derive(Debug)]
struct Found {
    mark: Result<Mark, StoreError>,
    version: UpdateVersion,
}

/// The marks as they were read. A mark that others have changed since is not changed.
#[derive(Debug)]
pub(super) struct ObjectMarks<'a> {
    of: &'a Objects,
    mark: Option<Found>,
    prepared: Option<Found>,
}

impl<'a> ObjectMarks<'a> {
    pub(super) fn read(of: &'a Objects) -> Result<Self, StoreError> {
        let (mark, prepared) = (of.found(&of.mark_key())?, of.found(&of.prepared_key())?);
        Ok(ObjectMarks { of, mark, prepared })
    }

    /// Replaces the mark that was read.
    fn put(
        &self,
        key: &Key,
        mark: &Mark,
        found: Option<&Found>,
    ) -> Result<Option<Found>, StoreError> {
        let failed = |error| StoreError::new(StoreErrorKind::Failed, error);
        let text = mark.text(&self.of.here()).map_err(failed)?;
        let there = found.map(|found| found.version.clone());
        let version = self.of.remote().put_if(key, text, there)?;
        Ok(Some(Found { mark: Ok(*mark), version }))
    }
}

impl MarkLock for ObjectMarks<'_> {
    fn mark(&self) -> Result<Option<Mark>, StoreError> {
        self.mark.as_ref().map(|found| found.mark.clone()).transpose()
    }

    fn write(&mut self, mark: &Mark) -> Result<(), StoreError> {
        self.mark = self.put(&self.of.mark_key(), mark, self.mark.as_ref())?;
        Ok(())
    }

    fn prepared(&self) -> Option<Mark> {
        self.prepared.as_ref().and_then(|found| found.mark.as_ref().ok().copied())
    }

    fn prepare(&mut self, mark: &Mark) -> Result<(), StoreError> {
        self.prepared = self.put(&self.of.prepared_key(), mark, self.prepared.as_ref())?;
        Ok(())
    }

    fn put_prepared(&mut self) -> Result<(), StoreError> {
        if let Some(mark) = self.prepared() {
            self.write(&mark)?;
            self.drop_prepared();
        }
        Ok(())
    }

    fn drop_prepared(&mut self) {
        let _ = self.of.remote().delete(&self.of.prepared_key());
        self.prepared = None;
    }
}
