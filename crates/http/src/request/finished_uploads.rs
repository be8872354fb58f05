//! The body of an upload that names two files which were sent before, in several requests (DATA-3).

use custom_models_core::model::{ContentDigest, DataType};
use custom_models_core::request::NamedUploads;
use custom_models_core::store::{NewIdempotencyRecord, StoreError, StoreErrorKind};
use custom_models_core::{Caller, Refusal};
use custom_models_training_data::{
    CopyError, ResumableError, ResumableFile, Upload, UploadId, Uploaded,
};

use crate::rejection::Rejection;
use crate::request::context::RequestContext;
use crate::state::AppState;

/// `{"type": …, "audio_file": …, "transcript_file": …}`, with the ids of finished uploads.
pub(crate) struct FinishedUploads {
    data_type: DataType,
    audio: UploadId,
    transcript: UploadId,
    body: ContentDigest,
}

impl FinishedUploads {
    /// Reads the body: 415, 413, 408, 400, and 404 for what is the id of no upload.
    pub(crate) async fn read(ctx: &mut RequestContext) -> Result<Self, Rejection> {
        let body = ctx.json().await?;
        let NamedUploads { data_type, audio, transcript, .. } = NamedUploads::from_json(&body)?;
        let id = |text: String| text.parse().map_err(|_| ResumableError::NotFound);
        let (audio, transcript) = (id(audio)?, id(transcript)?);
        Ok(FinishedUploads {
            data_type,
            audio,
            transcript,
            body: NewIdempotencyRecord::digest(&body),
        })
    }

    /// Has the files judged as those of any upload, and their contents made durable: 404, 409 and 400.
    pub(crate) async fn judge(
        &self,
        ctx: &RequestContext,
        caller: &Caller,
        upload: Upload,
    ) -> Result<Uploaded, Rejection> {
        let (uploads, organisation) =
            (ctx.state.uploads.resumable()?, caller.organisation().clone());
        let (data_type, request) = (self.data_type, self.body);
        let ids = [self.audio.clone(), self.transcript.clone()];
        let judge = move || -> Result<Uploaded, Rejection> {
            let [audio, transcript] = ids.map(|id| uploads.open(&organisation, &id));
            let mut uploaded = copied(upload, data_type, audio?, transcript?)?;
            // The files may be gone when the request is repeated.
            uploaded.request = request;
            Ok(uploaded)
        };
        ctx.state.uploads.start(caller.organisation(), judge)?.result().await?
    }

    /// Removes the uploads in the background, because a model has their contents now. A sweep removes what stays.
    pub(crate) fn remove(self, state: &AppState, caller: &Caller) {
        let organisation = caller.organisation().clone();
        state.remove_contents(move |contents| {
            let Some(pieces) = contents.pieces() else { return Ok(()) };
            for id in [self.audio, self.transcript] {
                pieces.remove_upload(&organisation, &id)?;
            }
            Ok(())
        });
    }
}

/// Copies two files to an upload, as if they were parts of its body.
fn copied(
    mut upload: Upload,
    data_type: DataType,
    audio: ResumableFile,
    transcript: ResumableFile,
) -> Result<Uploaded, Rejection> {
    upload.part("type", None).map_err(Refusal::from)?;
    upload.write(data_type.as_str().as_bytes()).map_err(Refusal::from)?;
    for (name, file) in [("audio_file", audio), ("transcript_file", transcript)] {
        let filename = file.filename().map(str::to_owned);
        upload.copy(name, filename.as_deref(), file, |_| {}).map_err(|error| match error {
            CopyError::Read(error) => StoreError::new(StoreErrorKind::Failed, error).into(),
            CopyError::Upload(error) => Refusal::from(error),
        })?;
    }
    Ok(upload.finish().map_err(Refusal::from)?)
}
