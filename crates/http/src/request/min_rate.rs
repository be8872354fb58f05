//! The least rate at which an upload has to arrive (PLACE-4).

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::Body as _;
use tokio::time::{Instant, Sleep, sleep_until};

/// A number of bytes a second, on average over a span of waiting.
#[derive(Clone, Copy)]
pub(crate) struct MinRate {
    pub(crate) bytes_per_second: u64,
    pub(crate) span: Duration,
}

/// Measures the bytes that arrive in each span. Only time spent waiting for the sender counts.
pub(crate) struct RateMonitor {
    rate: MinRate,
    /// Bytes that have arrived in this span.
    received: u64,
    /// The length of this span so far, without the current wait.
    waited: Duration,
    wait: Option<Wait>,
}

/// The current wait, and the end of the span.
struct Wait {
    since: Instant,
    end: Pin<Box<Sleep>>,
}

impl RateMonitor {
    pub(crate) fn new(rate: MinRate) -> Self {
        RateMonitor { rate, received: 0, waited: Duration::ZERO, wait: None }
    }

    /// Counts bytes that have arrived, and ends the current wait.
    fn record(&mut self, bytes: usize) {
        if let Some(wait) = self.wait.take() {
            self.waited += wait.since.elapsed();
        }
        self.received = self.received.saturating_add(bytes as u64);
    }

    /// Polls a body for its next bytes. One that breaks off or comes too slowly is an error.
    pub(crate) fn poll_bytes(
        &mut self,
        body: &mut Body,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Box<dyn Error + Send + Sync>>>> {
        loop {
            let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(context) else {
                let slow = std::task::ready!(self.poll_too_slow(context));
                return Poll::Ready(Some(Err(slow.into())));
            };
            let frame = match frame {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                Some(Ok(frame)) => frame,
            };
            let Ok(bytes) = frame.into_data() else { continue };
            self.record(bytes.len());
            return Poll::Ready(Some(Ok(bytes)));
        }
    }

    /// Ready at the end of a span in which too few bytes arrived. Poll it while waiting for the sender.
    fn poll_too_slow(&mut self, context: &mut Context<'_>) -> Poll<TooSlow> {
        loop {
            let left = self.rate.span.saturating_sub(self.waited);
            let wait = self.wait.get_or_insert_with(|| {
                let since = Instant::now();
                Wait { since, end: Box::pin(sleep_until(since + left)) }
            });
            std::task::ready!(wait.end.as_mut().poll(context));
            if self.received < self.min_bytes() {
                return Poll::Ready(TooSlow);
            }
            *self = RateMonitor::new(self.rate);
        }
    }

    /// Returns the bytes that a span needs.
    fn min_bytes(&self) -> u64 {
        let millis = u64::try_from(self.rate.span.as_millis()).unwrap_or(u64::MAX);
        self.rate.bytes_per_second.saturating_mul(millis) / 1000
    }
}

/// The sender was slower than the least rate.
#[derive(Debug)]
pub(crate) struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body comes too slowly")
    }
}

impl Error for TooSlow {}
