//! A `multipart/form-data` body, read as it arrives.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use custom_models_core::Violations;
use custom_models_core::field::{Field, ViolationKind};
use futures_util::Stream;
use multer::Multipart;
use tokio::sync::mpsc::Sender;
use tokio::time;

use crate::rejection::Rejection;
use crate::request::body::content_type;
use crate::request::min_rate::{MinRate, RateMonitor, TooSlow};

/// The number of bytes that may arrive without any content of a part: the most that the headers of a part may take.
const MAX_HEADER_BYTES: usize = 1 << 20;

/// A piece of a multipart body.
pub(crate) enum PartEvent {
    /// A part begins.
    Start {
        name: String,
        /// The name of its file, if it is a file.
        filename: Option<String>,
    },
    /// Content of the current part.
    Data(Bytes),
    /// The body has ended with its last boundary.
    End,
}

/// Returns the boundary that `Content-Type` names.
pub(crate) fn boundary(headers: &HeaderMap) -> Result<String, Rejection> {
    let boundary = content_type(headers).and_then(|it| multer::parse_boundary(it).ok());
    boundary.ok_or(Rejection::NotMultipart)
}

/// Sends the parts of a body until it ends, or until the receiver is dropped. A body that stalls for `timeout`, or is
/// slower than `rate`, is a 408.
pub(crate) async fn read_parts(
    body: &mut Body,
    boundary: String,
    timeout: Duration,
    rate: MinRate,
    events: Sender<PartEvent>,
) -> Result<(), Rejection> {
    let since_content = Arc::new(AtomicUsize::new(0));
    let rate = RateMonitor::new(rate);
    let stream =
        BodyChunks { body, since_content: Arc::clone(&since_content), has_yielded: false, rate };
    let mut parts = Multipart::new(stream, boundary);
    loop {
        let part = time::timeout(timeout, parts.next_field()).await.map_err(stalled)?;
        let Some(mut part) = part.map_err(malformed)? else { break };
        let name = part.name().unwrap_or_default().to_owned();
        let filename = part.file_name().map(str::to_owned);
        if events.send(PartEvent::Start { name, filename }).await.is_err() {
            return Ok(());
        }
        loop {
            since_content.store(0, Ordering::Relaxed);
            let bytes = time::timeout(timeout, part.chunk()).await.map_err(stalled)?;
            let Some(bytes) = bytes.map_err(malformed)? else { break };
            if events.send(PartEvent::Data(bytes)).await.is_err() {
                return Ok(());
            }
        }
    }
    // A receiver that is gone has a refusal of its own.
    let _ = events.send(PartEvent::End).await;
    Ok(())
}

fn stalled(_: time::error::Elapsed) -> Rejection {
    Rejection::RequestTimeout
}

/// Returns the rejection of a body that is not multipart or ends early (DATA-1), or arrives too slowly (PLACE-4).
fn malformed(error: multer::Error) -> Rejection {
    if let multer::Error::StreamReadFailed(cause) = &error
        && cause.is::<TooSlow>()
    {
        return Rejection::RequestTimeout;
    }
    Violations::of_fields([(Field::Body, ViolationKind::NotMultipart)]).into()
}

/// The chunks of a body, one a poll: `Multipart` would otherwise buffer all that are ready.
struct BodyChunks<'a> {
    body: &'a mut Body,
    /// The number of bytes since a part last yielded content.
    since_content: Arc<AtomicUsize>,
    has_yielded: bool,
    rate: RateMonitor,
}

impl Stream for BodyChunks<'_> {
    type Item = Result<Bytes, Box<dyn Error + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.has_yielded) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let this = &mut *self;
        let bytes = match std::task::ready!(this.rate.poll_bytes(this.body, context)) {
            Some(Ok(bytes)) => bytes,
            other => return Poll::Ready(other),
        };
        this.has_yielded = true;
        let before = this.since_content.fetch_add(bytes.len(), Ordering::Relaxed);
        if before > MAX_HEADER_BYTES {
            return Poll::Ready(Some(Err(HeadersTooLong.into())));
        }
        Poll::Ready(Some(Ok(bytes)))
    }
}

/// The headers of a part are too long.
#[derive(Debug)]
struct HeadersTooLong;

impl fmt::Display for HeadersTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the headers of a part are too long")
    }
}

impl Error for HeadersTooLong {}

#[cfg(test)]
mod tests;
