//! A body without parts, read as it arrives.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::Body as _;
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;

use crate::rejection::Rejection;
use crate::request::min_rate::{MinRate, RateMonitor};

/// Sends the chunks of a body, and `None` at its end, until the receiver is dropped. A body that stalls for
/// `stalled_after`, is slower than `rate`, or breaks off is a 408.
pub(crate) async fn read_chunks(
    body: &mut Body,
    stalled_after: Duration,
    rate: MinRate,
    chunks: Sender<Option<Bytes>>,
) -> Result<(), Rejection> {
    let mut rate = RateMonitor::new(rate);
    loop {
        let frame = poll_fn(|context| match Pin::new(&mut *body).poll_frame(context) {
            Poll::Ready(frame) => {
                Poll::Ready(frame.transpose().map_err(|_| Rejection::RequestTimeout))
            }
            Poll::Pending => {
                ready!(rate.poll_too_slow(context));
                Poll::Ready(Err(Rejection::RequestTimeout))
            }
        });
        let frame =
            timeout(stalled_after, frame).await.map_err(|_| Rejection::RequestTimeout)??;
        let chunk = match frame.map(http_body::Frame::into_data) {
            None => None,
            Some(Ok(bytes)) => Some(bytes),
            Some(Err(_)) => continue,
        };
        rate.record(chunk.as_ref().map_or(0, Bytes::len));
        let is_end = chunk.is_none();
        if chunks.send(chunk).await.is_err() || is_end {
            return Ok(());
        }
    }
}
