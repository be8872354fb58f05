//! The body of an upload, read as it arrives and judged on a thread that may block.

use custom_models_core::model::ContentDigest;
use custom_models_core::{Caller, Refusal};
use custom_models_training_data::{Upload, UploadError};
use tokio::sync::mpsc::{Receiver, channel};

use crate::options::Options;
use crate::rejection::Rejection;
use crate::request::body::RequestBody;
use crate::request::context::RequestContext;
use crate::request::min_rate::MinRate;
use crate::request::multipart::{PartEvent, boundary, read_parts};
use crate::state::AppState;

/// The number of events that wait for the disk. A sender that is faster than the disk has to wait.
pub(crate) const MAX_QUEUED_EVENTS: usize = 4;

/// Reads the parts of the body into `upload`, on a thread that may block, and then calls `finish`: 408, 413 and 400.
pub(crate) async fn receive_upload<T: Send + 'static>(
    state: &AppState,
    body: &mut RequestBody,
    caller: &Caller,
    boundary: String,
    upload: Upload,
    finish: impl FnOnce(Upload) -> Result<T, UploadError> + Send + 'static,
) -> Result<T, Rejection> {
    let (sender, events) = channel(MAX_QUEUED_EVENTS);
    let write = move || Some(write(upload, events, finish)?.map_err(Refusal::from));
    let writer = state.uploads.start(caller.organisation(), write)?;
    let (timeout, rate) = (state.options.body_timeout, min_rate(&state.options));
    let read = read_parts(body.stream(), boundary, timeout, rate, sender).await;
    writer.result_of_body(read).await
}

/// Returns the least rate of the body of an upload.
pub(crate) fn min_rate(options: &Options) -> MinRate {
    MinRate { bytes_per_second: options.least_upload_rate, span: options.least_rate_span }
}

impl RequestContext {
    /// Returns the digest of the body of a repeated upload.
    pub(super) async fn upload_digest(
        &mut self,
        caller: &Caller,
    ) -> Result<ContentDigest, Rejection> {
        // No reply is ever recorded for a body that is not an upload.
        let never_recorded = Refusal::IdempotencyKeyReused.into();
        let Ok(boundary) = boundary(&self.head.headers) else { return Err(never_recorded) };
        let RequestContext { state, body, .. } = self;
        let digest = |upload: Upload| Ok(upload.digest());
        let upload = Upload::only_digested();
        match receive_upload(state, body, caller, boundary, upload, digest).await {
            Ok(digest) => {
                self.recheck().await?;
                digest.ok_or(never_recorded)
            }
            Err(Rejection::Engine(Refusal::Invalid(_) | Refusal::FileTooLarge)) => {
                Err(never_recorded)
            }
            Err(rejection) => Err(rejection),
        }
    }
}

/// Returns `None` if the body ended early.
fn write<T>(
    mut upload: Upload,
    mut events: Receiver<PartEvent>,
    finish: impl FnOnce(Upload) -> Result<T, UploadError>,
) -> Option<Result<T, UploadError>> {
    loop {
        let written = match events.blocking_recv()? {
            PartEvent::Start { name, filename } => upload.part(&name, filename.as_deref()),
            PartEvent::Data(bytes) => upload.write(&bytes),
            PartEvent::End => return Some(finish(upload)),
        };
        if let Err(error) = written {
            return Some(Err(error));
        }
    }
}
