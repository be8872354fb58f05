//! A body without parts, read as it arrives.

use std::future::poll_fn;
use std::time::Duration;

use axum::body::{Body, Bytes};
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
        let next = timeout(stalled_after, poll_fn(|context| rate.poll_bytes(body, context))).await;
        let next = next.map_err(|_| Rejection::RequestTimeout)?;
        let chunk = next.transpose().map_err(|_| Rejection::RequestTimeout)?;
        let is_end = chunk.is_none();
        if chunks.send(chunk).await.is_err() || is_end {
            return Ok(());
        }
    }
}
