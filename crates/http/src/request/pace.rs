//! The pace of a sender, who may be slow, but not as slow as one who only holds a place (PLACE-4).

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// The least that has to come, over a span of waiting for it.
#[derive(Clone, Copy)]
pub(crate) struct LeastRate {
    /// In each second.
    pub(crate) bytes: u64,
    pub(crate) span: Duration,
}

/// Measures how much comes in each span of waiting. Time in which nobody waits for the sender is not counted.
pub(crate) struct Pace {
    rate: LeastRate,
    /// Bytes that have come in this span.
    come: u64,
    /// The part of this span that has gone by, without the wait that is going on.
    waited: Duration,
    wait: Option<Wait>,
}

/// A wait that is going on, and the end of the span.
struct Wait {
    since: Instant,
    end: Pin<Box<Sleep>>,
}

impl Pace {
    pub(crate) fn new(rate: LeastRate) -> Self {
        Pace { rate, come: 0, waited: Duration::ZERO, wait: None }
    }

    /// Takes note of what has come. A wait ends.
    pub(crate) fn come(&mut self, bytes: usize) {
        if let Some(wait) = self.wait.take() {
            self.waited += wait.since.elapsed();
        }
        self.come = self.come.saturating_add(bytes as u64);
    }

    /// Ready when a span is over in which too little has come. To be asked while the sender is waited for.
    pub(crate) fn poll_too_slow(&mut self, context: &mut Context<'_>) -> Poll<TooSlow> {
        loop {
            let left = self.rate.span.saturating_sub(self.waited);
            let wait = self.wait.get_or_insert_with(|| {
                let since = Instant::now();
                Wait { since, end: Box::pin(sleep_until(since + left)) }
            });
            std::task::ready!(wait.end.as_mut().poll(context));
            if self.come < self.least() {
                return Poll::Ready(TooSlow);
            }
            *self = Pace::new(self.rate);
        }
    }

    fn least(&self) -> u64 {
        let millis = u64::try_from(self.rate.span.as_millis()).unwrap_or(u64::MAX);
        self.rate.bytes.saturating_mul(millis) / 1000
    }
}

/// A sender who is slower than the least rate.
#[derive(Debug)]
pub(crate) struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body comes too slowly")
    }
}

impl Error for TooSlow {}
