//! Pieces of unfinished uploads as files: `{root}/{organisation}/uploads/{upload}/{name}`.
//!
//! A piece is written under a temporary name, synced, and renamed on the condition that its name is free.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use custom_models_core::Organisation;
use custom_models_core::store::{StoreError, StoreErrorKind};
use tempfile::Builder;

use super::disk::{ATTEMPTS, Disk, details_of};
use super::fault;
use super::files::{entries, folders, make, make_in, sync_folder, unless_gone};
use super::place::{Details, Place};
use crate::pieces::{MAX_PIECE_BYTES, PieceStore, UPLOADS, UploadEntry, UploadId};

/// The prefix of temporary names.
const TEMPORARY: &str = ".new-";

impl Disk {
    fn of_uploads(&self, organisation: &Organisation) -> PathBuf {
        self.of_organisation(organisation).join(UPLOADS)
    }

    fn of_upload(&self, organisation: &Organisation, upload: &UploadId) -> PathBuf {
        self.of_uploads(organisation).join(upload.to_string())
    }

    /// Creates the folder of an upload, durably. It is missing still if a sweep removed a folder of the path at the same
    /// time.
    fn make_upload(&self, organisation: &Organisation, folder: &Path) -> io::Result<()> {
        let of_uploads = self.of_uploads(organisation);
        if make(self.root(), &of_uploads)? {
            unless_gone(make_in(&of_uploads, folder))
        } else {
            Ok(())
        }
    }

    fn write_new(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<bool> {
        let mut file = Builder::new().prefix(TEMPORARY).tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(folder.join(name)) {
            Err(taken) if taken.error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            kept => drop(kept.map_err(|failed| failed.error)?),
        }
        sync_folder(folder)?;
        Ok(true)
    }
}

impl PieceStore for Disk {
    fn uploads(&self, organisation: &Organisation) -> Result<Vec<UploadId>, StoreError> {
        folders(&self.of_uploads(organisation)).map_err(fault)
    }

    fn upload_entries(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
    ) -> Result<Vec<UploadEntry>, StoreError> {
        let (folder, mut found) = (self.of_upload(organisation, upload), Vec::new());
        let is_entry = |name: &String| !name.starts_with(TEMPORARY);
        for name in entries(&folder).map_err(fault)?.into_iter().filter(is_entry) {
            if let Some(Details { bytes, age }) = details_of(&folder.join(&name))? {
                found.push(UploadEntry { name, bytes, age: age.unwrap_or_default() });
            }
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    fn write_entry(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
        name: &str,
        bytes: &[u8],
    ) -> Result<bool, StoreError> {
        let folder = self.of_upload(organisation, upload);
        for _ in 0..ATTEMPTS {
            match Disk::write_new(&folder, name, bytes) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    self.make_upload(organisation, &folder).map_err(fault)?;
                }
                written => return written.map_err(fault),
            }
        }
        Err(StoreErrorKind::Busy.into())
    }

    fn read_entry(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
        name: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let file = match File::open(self.of_upload(organisation, upload).join(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(fault)?,
        };
        let mut bytes = Vec::new();
        file.take(MAX_PIECE_BYTES as u64).read_to_end(&mut bytes).map_err(fault)?;
        Ok(Some(bytes))
    }

    fn remove_upload(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
    ) -> Result<u64, StoreError> {
        let folder = self.of_upload(organisation, upload);
        let mut removed = 0;
        for name in entries(&folder).map_err(fault)? {
            unless_gone(fs::remove_file(folder.join(name))).map_err(fault)?;
            removed += 1;
        }
        // The folders stay if something is being written there.
        let _ = fs::remove_dir(&folder);
        let _ = fs::remove_dir(self.of_uploads(organisation));
        Ok(removed)
    }

    fn temporary_file(&self) -> io::Result<File> {
        tempfile::tempfile_in(self.root())
    }
}
