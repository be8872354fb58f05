//! A body of parts, as an upload has, read as it comes.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use custom_models_core::{Field, ViolationKind, Violations};
use futures_util::Stream;
use http_body::Body as _;
use multer::Multipart;
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;

use crate::rejection::Rejection;
use crate::request::pace::{LeastRate, Pace, TooSlow};

/// The number of bytes that may come before a part shows any of its content: room for its headers.
const MOST_UNSEEN: usize = 1 << 20;

/// A piece of a body of parts.
pub(crate) enum Piece {
    /// A part begins.
    Part {
        /// Its name.
        name: String,
        /// The name of its file, if it is one.
        filename: Option<String>,
    },
    /// Bytes of the part that began last.
    Bytes(Bytes),
    /// The body has ended as it should.
    End,
}

/// Returns the boundary between the parts, if the type of the body names one.
pub(crate) fn boundary(headers: &HeaderMap) -> Result<String, Rejection> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(said), None) = (types.next(), types.next()) else {
        return Err(Rejection::NotMultipart);
    };
    let said = said.to_str().map_err(|_| Rejection::NotMultipart)?;
    multer::parse_boundary(said).map_err(|_| Rejection::NotMultipart)
}

/// Sends the pieces of a body until it ends, or until nobody takes them any more. A body that stalls for
/// so long, or is slower than the rate, is a 408.
pub(crate) async fn take_apart(
    body: &mut Body,
    boundary: String,
    patience: Duration,
    rate: LeastRate,
    pieces: Sender<Piece>,
) -> Result<(), Rejection> {
    let unseen = Arc::new(AtomicUsize::new(0));
    let pace = Pace::new(rate);
    let stream = Chunks { body, unseen: Arc::clone(&unseen), has_given: false, pace };
    let mut parts = Multipart::new(stream, boundary);
    loop {
        let part = timeout(patience, parts.next_field()).await.map_err(stalled)?;
        let Some(mut part) = part.map_err(malformed)? else { break };
        let name = part.name().unwrap_or_default().to_owned();
        let filename = part.file_name().map(str::to_owned);
        if pieces.send(Piece::Part { name, filename }).await.is_err() {
            return Ok(());
        }
        loop {
            unseen.store(0, Ordering::Relaxed);
            let bytes = timeout(patience, part.chunk()).await.map_err(stalled)?;
            let Some(bytes) = bytes.map_err(malformed)? else { break };
            if pieces.send(Piece::Bytes(bytes)).await.is_err() {
                return Ok(());
            }
        }
    }
    // Whoever takes no more has their reasons, and says them.
    let _ = pieces.send(Piece::End).await;
    Ok(())
}

fn stalled(_: tokio::time::error::Elapsed) -> Rejection {
    Rejection::RequestTimeout
}

/// Returns the refusal of a body that is not made of parts, or breaks off (DATA-1), or comes too slowly (PLACE-4).
fn malformed(error: multer::Error) -> Rejection {
    if let multer::Error::StreamReadFailed(cause) = &error
        && cause.is::<TooSlow>()
    {
        return Rejection::RequestTimeout;
    }
    Violations::of_fields([(Field::Body, ViolationKind::NotMultipart)]).into()
}

/// The chunks of a body, one at a time: who reads parts would take as many as there are.
struct Chunks<'a> {
    body: &'a mut Body,
    /// The number of bytes that have come since a part last showed some of its content.
    unseen: Arc<AtomicUsize>,
    has_given: bool,
    pace: Pace,
}

impl Stream for Chunks<'_> {
    type Item = Result<Bytes, Box<dyn Error + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.has_given) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            let Poll::Ready(frame) = Pin::new(&mut *self.body).poll_frame(context) else {
                let slow = std::task::ready!(self.pace.poll_too_slow(context));
                return Poll::Ready(Some(Err(slow.into())));
            };
            let frame = match frame {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                Some(Ok(frame)) => frame,
            };
            let Ok(bytes) = frame.into_data() else { continue };
            self.pace.come(bytes.len());
            self.has_given = true;
            let unseen = self.unseen.fetch_add(bytes.len(), Ordering::Relaxed);
            if unseen > MOST_UNSEEN {
                return Poll::Ready(Some(Err(TooMuch.into())));
            }
            return Poll::Ready(Some(Ok(bytes)));
        }
    }
}

/// A part has more to be said of it than any has.
#[derive(Debug)]
struct TooMuch;

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too much is said of a part")
    }
}

impl Error for TooMuch {}

#[cfg(test)]
mod tests;
