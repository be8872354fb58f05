//! Uploads on their way into the content store, and into the store of models after that.

use std::mem::ManuallyDrop;
use std::sync::Arc;

use axum::http::StatusCode;
use custom_models_core::{
    Caller, Edit, Edited, Expected, IdempotencyKey, ModelId, Refusal, Repeatable,
};
use custom_models_training_data::{Upload, UploadError, Uploaded};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinError;
use tracing::Instrument;

use crate::Options;
use crate::answer::{Done, Said};
use crate::pace::LeastRate;
use crate::parts::{Piece, take_apart};
use crate::rejection::Rejection;
use crate::request::Arrived;
use crate::service::Service;
use crate::store::Wait;

/// The number of pieces that wait for the disk. A sender that is faster than the disk has to wait.
const PIECES: usize = 4;

impl Arrived {
    /// Takes the body apart, has it judged on a thread that may block, and ends it: 408, 413 and 400.
    pub(crate) async fn taken_apart<T: Send + 'static>(
        &mut self,
        caller: &Caller,
        boundary: String,
        upload: Upload,
        end: impl FnOnce(Upload) -> Result<T, UploadError> + Send + 'static,
    ) -> Result<T, Rejection> {
        let place = self.service.uploads.take(caller.organisation())?;
        let (sender, pieces) = channel(PIECES);
        let span = tracing::Span::current();
        let judging = tokio::task::spawn_blocking(move || {
            let judged = span.in_scope(|| judge(upload, pieces, end));
            drop(place);
            judged
        });
        let Options { body_timeout, least_upload_rate, least_rate_span, .. } = self.service.options;
        let rate = LeastRate { bytes: least_upload_rate, span: least_rate_span };
        let taken = take_apart(self.body.as_mut(), boundary, body_timeout, rate, sender).await;
        match judging.await {
            Ok(Some(judged)) => judged.map_err(refused),
            // The body did not come to its end, for a reason that is known.
            Ok(None) => Err(taken.err().unwrap_or(Rejection::RequestTimeout)),
            Err(broken) => Err(Rejection::internal(broken.to_string())),
        }
    }
}

/// `None`, if the pieces break off.
fn judge<T>(
    mut upload: Upload,
    mut pieces: Receiver<Piece>,
    end: impl FnOnce(Upload) -> Result<T, UploadError>,
) -> Option<Result<T, UploadError>> {
    loop {
        let done = match pieces.blocking_recv()? {
            Piece::Part { name, filename } => upload.part(&name, filename.as_deref()),
            Piece::Bytes(bytes) => upload.write(&bytes),
            Piece::End => return Some(end(upload)),
        };
        if let Err(error) = done {
            return Some(Err(error));
        }
    }
}

fn refused(error: UploadError) -> Rejection {
    match error {
        UploadError::TooLarge => Refusal::FileTooLarge.into(),
        UploadError::Invalid(violations) => violations.into(),
        UploadError::Store(fault) => fault.into(),
    }
}

/// Tells the store of models of a pair whose contents are durable. It is done to its end whether or not
/// somebody waits: who leaves, or waits no longer, must not take the lock on contents along that are being
/// referred to.
pub(crate) async fn committed(
    service: Arc<Service>,
    caller: Caller,
    id: ModelId,
    expected: Expected,
    uploaded: Uploaded,
    key: Option<IdempotencyKey>,
) -> Said {
    let waiting = Arc::clone(&service);
    let repeatable = key.map(|key| Repeatable { key, request: uploaded.request });
    let edit = Edit::AddData(uploaded.pair.clone());
    // Where it stays open whether the pair came to be, since the store does not know or the service ends
    // before it is answered, only the end of the process lets a sweep have the contents.
    let open = ManuallyDrop::new(uploaded);
    let commit = async move {
        let write = service.engine.edit_async(&caller, id, edit, expected, repeatable);
        match service.change(&caller, write, Wait::ToTheEnd).await {
            Err(rejection) if rejection.is_outcome_unknown() => Err(rejection),
            known => settled(&service, known, ManuallyDrop::into_inner(open)),
        }
    };
    let commit = tokio::spawn(commit.instrument(tracing::Span::current()));
    let broken = |broken: JoinError| Rejection::internal(broken.to_string());
    waiting.calls.written(async { commit.await.map_err(broken)? }).await
}

fn settled(service: &Service, edited: Result<Edited, Rejection>, uploaded: Uploaded) -> Said {
    match edited {
        Ok(Edited::Changed { model, .. }) => {
            let answer = custom_models_core::Uploaded::new(&uploaded.pair, &model);
            Ok(Done::json(StatusCode::OK, &answer)?.tagged(model.revision()))
        }
        other => {
            service.clear(move |_| uploaded.discard());
            match other? {
                Edited::Before(kept) => Done::kept(kept),
                other => Err(Rejection::internal(format!("not an upload: {other:?}"))),
            }
        }
    }
}
