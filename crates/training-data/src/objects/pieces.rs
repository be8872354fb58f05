//! Pieces of unfinished uploads as objects: `{prefix}/{organisation}/uploads/{upload}/{name}`.

use std::fs::File;
use std::io;

use custom_models_core::Organisation;
use custom_models_core::store::{StoreError, StoreErrorKind};
use object_store::path::Path as Key;

use super::Objects;
use crate::pieces::{MAX_PIECE_BYTES, PieceStore, UPLOADS, UploadEntry, UploadId};

impl Objects {
    fn of_uploads(&self, organisation: &Organisation) -> Key {
        self.of_organisation(organisation).join(UPLOADS)
    }

    fn of_upload(&self, organisation: &Organisation, upload: &UploadId) -> Key {
        self.of_uploads(organisation).join(upload.to_string())
    }
}

impl PieceStore for Objects {
    fn uploads(&self, organisation: &Organisation) -> Result<Vec<UploadId>, StoreError> {
        let names = self.remote().list_names(&self.of_uploads(organisation))?.common_prefixes;
        Ok(names.iter().filter_map(|key| key.filename()?.parse().ok()).collect())
    }

    fn upload_entries(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
    ) -> Result<Vec<UploadEntry>, StoreError> {
        let found = self.remote().list(&self.of_upload(organisation, upload))?;
        let entry = |meta: object_store::ObjectMeta| {
            let age = self.remote().clock.since(meta.last_modified).unwrap_or_default();
            let name = meta.location.filename()?.to_owned();
            Some(UploadEntry { name, bytes: meta.size, age })
        };
        let mut entries: Vec<_> = found.into_iter().filter_map(entry).collect();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    fn write_entry(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
        name: &str,
        bytes: &[u8],
    ) -> Result<bool, StoreError> {
        let key = self.of_upload(organisation, upload).join(name);
        match self.remote().put_if(&key, bytes.to_vec(), None) {
            Ok(_) => Ok(true),
            Err(fault) if fault.kind() == StoreErrorKind::Busy => match self.remote().size(&key)? {
                Some(_) => Ok(false),
                None => Err(fault),
            },
            Err(fault) => Err(fault),
        }
    }

    fn read_entry(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
        name: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let key = self.of_upload(organisation, upload).join(name);
        // A longer object is not ours, and is not read.
        let found = self.remote().get_within(&key, MAX_PIECE_BYTES as u64)?;
        Ok(found.map(|found| found.bytes))
    }

    fn remove_upload(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
    ) -> Result<u64, StoreError> {
        let found = self.remote().list(&self.of_upload(organisation, upload))?;
        let keys: Vec<_> = found.into_iter().map(|meta| meta.location).collect();
        let removed = keys.len() as u64;
        self.remote().delete_all(keys)?;
        Ok(removed)
    }

    fn temporary_file(&self) -> io::Result<File> {
        match &self.0.options.temporary_folder {
            Some(place) => tempfile::tempfile_in(place),
            None => tempfile::tempfile(),
        }
    }
}
