//! The body of an upload, read as it comes and judged on a thread that may block.

use custom_models_core::{Caller, Refusal};
use custom_models_training_data::{Upload, UploadError};
use tokio::sync::mpsc::{Receiver, channel};

use crate::options::Options;
use crate::rejection::Rejection;
use crate::request::body::Incoming;
use crate::request::multipart::{Piece, take_apart};
use crate::request::pace::LeastRate;
use crate::state::Service;

/// The number of pieces that wait for the disk. A sender that is faster than the disk has to wait.
const PIECES: usize = 4;

/// Takes the body apart, has it judged on a thread that may block, and ends it: 408, 413 and 400.
pub(crate) async fn taken_apart<T: Send + 'static>(
    service: &Service,
    body: &mut Incoming,
    caller: &Caller,
    boundary: String,
    upload: Upload,
    end: impl FnOnce(Upload) -> Result<T, UploadError> + Send + 'static,
) -> Result<T, Rejection> {
    let place = service.uploads.take(caller.organisation())?;
    let (sender, pieces) = channel(PIECES);
    let span = tracing::Span::current();
    let judging = tokio::task::spawn_blocking(move || {
        let judged = span.in_scope(|| judge(upload, pieces, end));
        drop(place);
        judged
    });
    let Options { body_timeout, least_upload_rate, least_rate_span, .. } = service.options;
    let rate = LeastRate { bytes: least_upload_rate, span: least_rate_span };
    let taken = take_apart(body.as_mut(), boundary, body_timeout, rate, sender).await;
    match judging.await {
        Ok(Some(judged)) => judged.map_err(refused),
        // The body did not come to its end, for a reason that is known.
        Ok(None) => Err(taken.err().unwrap_or(Rejection::RequestTimeout)),
        Err(broken) => Err(Rejection::internal(broken.to_string())),
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
