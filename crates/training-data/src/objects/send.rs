//! An upload from its beginning until the store of models refers to it: a temporary file, then an object.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, mpsc};

use custom_models_core::store::{StoreError, StoreErrorKind};
use custom_models_core::{ModelId, Organisation};
use object_store::multipart::PartId;
use object_store::path::Path as Key;
use object_store::{Error, MultipartId, ObjectStoreExt, PutPayload};

use super::Objects;
use super::fault::fault;
use super::hold::Hold;
use crate::content::{Kept, NewContent};
use crate::folder::{Folder, fault as disk_fault};
use crate::pieces::PieceStore;

/// A content in a temporary file, which nobody else sees.
pub(super) struct NewObject {
    file: File,
    folder: Folder,
    of: Objects,
    name: String,
    key: Key,
    marker: Key,
}

impl NewObject {
    pub(super) fn begin(
        of: &Objects,
        folder: &Folder,
        organisation: &Organisation,
        model: ModelId,
    ) -> io::Result<Self> {
        let file = of.temporary_file()?;
        let name = uuid::Uuid::new_v4().simple().to_string();
        let (key, marker) =
            (of.key(organisation, model, &name), of.marker(organisation, model, &name));
        Ok(NewObject { file, folder: folder.clone(), of: of.clone(), name, key, marker })
    }

    fn send(&mut self, hold: &Hold) -> Result<(), StoreError> {
        let length = self.file.seek(SeekFrom::End(0)).map_err(disk_fault)?;
        self.file.seek(SeekFrom::Start(0)).map_err(disk_fault)?;
        if length <= self.of.0.options.part_bytes as u64 {
            let (key, bytes) = (self.key.clone(), self.part()?);
            let payload = PutPayload::from(bytes);
            return self
                .of
                .remote()
                .ask(|client| async move { client.put(&key, payload).await.map(drop) });
        }
        let key = self.key.clone();
        let upload =
            self.of.remote().ask(|client| async move { client.create_multipart(&key).await })?;
        let sent = hold.name(upload.clone()).and_then(|()| self.send_parts(&upload, length));
        let completed = sent.and_then(|parts| self.complete(upload.clone(), parts, length));
        if completed.is_err() {
            let key = self.key.clone();
            // A sweep removes what stays.
            let _ = self
                .of
                .remote()
                .ask(|client| async move { client.abort_multipart(&key, &upload).await });
        }
        completed
    }

    /// Has the service complete the object from its parts. If the response is lost, the existence of the
    /// object decides.
    fn complete(
        &self,
        upload: MultipartId,
        parts: Vec<PartId>,
        length: u64,
    ) -> Result<(), StoreError> {
        let key = self.key.clone();
        let completed = self.of.remote().ask(|client| async move {
            client.complete_multipart(&key, &upload, parts).await.map(drop)
        });
        match self.of.remote().size(&self.key) {
            Ok(Some(size)) if size == length => Ok(()),
            Err(fault) => Err(fault),
            Ok(_) => Err(completed.err().unwrap_or_else(|| {
                let cause = "object storage: an object is not whole";
                StoreError::new(StoreErrorKind::Failed, cause)
            })),
        }
    }

    /// Sends all parts, several at a time. Returns when no request is in progress any more.
    fn send_parts(&mut self, upload: &MultipartId, length: u64) -> Result<Vec<PartId>, StoreError> {
        let part_bytes = self.of.0.options.part_bytes as u64;
        let (done, results) = mpsc::channel();
        let (mut sent, mut flying) = (Sent::default(), 0);
        let most = self.of.0.options.parts_of_an_upload.max(1);
        while sent.fault.is_none() {
            if flying == most {
                sent.take(results.recv());
                flying -= 1;
                continue;
            }
            // No permit is taken for a part that is not there.
            if sent.begun as u64 * part_bytes >= length {
                break;
            }
            match self.send_part(sent.begun, upload, &done) {
                Ok(false) => break,
                Ok(true) => {
                    sent.begun += 1;
                    flying += 1;
                }
                Err(fault) => sent.fault = Some(fault),
            }
        }
        for _ in 0..flying {
            sent.take(results.recv());
        }
        sent.all()
    }

    /// Begins to send the next part. Returns false if there is none.
    fn send_part(
        &mut self,
        index: usize,
        upload: &MultipartId,
        done: &mpsc::Sender<Answer>,
    ) -> Result<bool, StoreError> {
        let parts = Arc::clone(&self.of.remote().parts);
        let place = self.of.remote().bridge.wait(parts.acquire_owned())?;
        let bytes = self.part()?;
        if bytes.is_empty() {
            return Ok(false);
        }
        let (client, key) = (Arc::clone(&self.of.remote().client), self.key.clone());
        let (upload, done) = (upload.clone(), done.clone());
        self.of.remote().bridge.spawn(async move {
            let put = client.put_part(&key, &upload, index, PutPayload::from(bytes)).await;
            drop(place);
            let _ = done.send((index, put));
        });
        Ok(true)
    }

    /// Reads the bytes of the next part.
    fn part(&mut self) -> Result<Vec<u8>, StoreError> {
        let (length, mut bytes) = (self.of.0.options.part_bytes, Vec::new());
        (&mut self.file).take(length as u64).read_to_end(&mut bytes).map_err(disk_fault)?;
        Ok(bytes)
    }
}

/// The response to a part, with its number.
type Answer = (usize, Result<PartId, Error>);

/// The parts that were sent.
#[derive(Default)]
struct Sent {
    begun: usize,
    parts: Vec<(usize, PartId)>,
    fault: Option<StoreError>,
}

impl Sent {
    fn take(&mut self, answer: Result<Answer, mpsc::RecvError>) {
        match answer {
            Ok((index, Ok(part))) => self.parts.push((index, part)),
            Ok((_, Err(error))) => self.fault = Some(fault(&error)),
            Err(_) => self.fault = Some(StoreErrorKind::Failed.into()),
        }
    }

    fn all(mut self) -> Result<Vec<PartId>, StoreError> {
        self.parts.sort_by_key(|(index, _)| *index);
        match self.fault {
            Some(fault) => Err(fault),
            None if self.parts.len() != self.begun => Err(StoreErrorKind::Failed.into()),
            None => Ok(self.parts.into_iter().map(|(_, part)| part).collect()),
        }
    }
}

impl NewContent for NewObject {
    fn name(&self) -> &str {
        &self.name
    }

    fn keep(mut self: Box<Self>) -> Result<Box<dyn Kept>, StoreError> {
        // An upload may take hours, in which another store may have adopted the folder.
        self.folder.ensure_owned()?;
        let hold = Hold::begin(&self.of, self.marker.clone(), self.folder.min_age());
        if let Err(fault) = self.send(&hold) {
            // It may exist although no response said so. A sweep removes it if this fails.
            let _ = self.of.remote().delete(&self.key);
            return Err(fault);
        }
        let NewObject { of, name, key, .. } = *self;
        Ok(Box::new(KeptObject { of, name, key, hold }))
    }
}

impl Read for NewObject {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }
}

impl Write for NewObject {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for NewObject {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// A complete object, held until the store of models refers to it.
struct KeptObject {
    of: Objects,
    name: String,
    key: Key,
    hold: Hold,
}

impl fmt::Debug for KeptObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptObject").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Kept for KeptObject {
    fn name(&self) -> &str {
        &self.name
    }

    fn ensure_held(&self) -> Result<(), StoreError> {
        self.hold.ensure_held()
    }

    fn discard(self: Box<Self>) -> Result<(), StoreError> {
        self.of.remote().delete(&self.key)
    }
}
