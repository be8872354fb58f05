//! The unfinished uploads of a folder, within the folder's standing (PLACE-2).

use std::fs::File;
use std::io;
use std::time::Duration;

use custom_models_core::Organisation;
use custom_models_core::store::StoreError;

use super::Folder;
use crate::content::ContentSweep;
use crate::pieces::{PieceStore, UploadEntry, UploadId};

impl PieceStore for Folder {
    fn uploads(&self, organisation: &Organisation) -> Result<Vec<UploadId>, StoreError> {
        self.place.uploads(organisation)
    }

    fn upload_entries(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
    ) -> Result<Vec<UploadEntry>, StoreError> {
        self.place.upload_entries(organisation, upload)
    }

    fn write_entry(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
        name: &str,
        bytes: &[u8],
    ) -> Result<bool, StoreError> {
        self.ensure_claimed()?;
        self.looks.forget(organisation);
        self.place.write_entry(organisation, upload, name, bytes)
    }

    fn read_entry(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
        name: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.place.read_entry(organisation, upload, name)
    }

    fn remove_upload(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
    ) -> Result<u64, StoreError> {
        if !self.may_remove()? {
            return Ok(0);
        }
        let removed = self.place.remove_upload(organisation, upload)?;
        self.place.tidy(organisation, None);
        Ok(removed)
    }

    fn temporary_file(&self) -> io::Result<File> {
        self.place.temporary_file()
    }

    fn lifetime(&self) -> Duration {
        self.upload_lifetime
    }
}

impl Folder {
    /// Returns the same folder with another time after its last piece at which a sweep removes an upload.
    #[must_use]
    pub fn with_upload_lifetime(self, upload_lifetime: Duration) -> Self {
        Folder { upload_lifetime, ..self }
    }

    /// Removes the uploads of an organisation that have expired. Returns true if none is left.
    pub(super) fn sweep_uploads(
        &self,
        organisation: &Organisation,
        swept: &mut ContentSweep,
    ) -> Result<bool, StoreError> {
        let mut is_settled = true;
        for upload in self.place.uploads(organisation)? {
            let entries = self.place.upload_entries(organisation, &upload)?;
            let youngest = entries.iter().map(|entry| entry.age).min();
            if youngest.is_some_and(|age| age < self.upload_lifetime) {
                is_settled = false;
                continue;
            }
            swept.bytes += entries.iter().map(|entry| entry.bytes).sum::<u64>();
            swept.files += self.place.remove_upload(organisation, &upload)?;
        }
        Ok(is_settled)
    }

    /// Removes all unfinished uploads of an organisation, and returns the number of their entries.
    pub(super) fn clear_uploads(&self, organisation: &Organisation) -> Result<u64, StoreError> {
        let uploads = self.place.uploads(organisation)?.into_iter();
        uploads.map(|upload| self.place.remove_upload(organisation, &upload)).sum()
    }
}
