//! The options of a service.

#[cfg(feature = "uploads")]
use std::sync::Arc;
use std::time::Duration;

use custom_models_core::model::DataFile;
use custom_models_core::store::ReadPool;
#[cfg(feature = "uploads")]
use custom_models_training_data::ContentStore;

/// The time-outs of a service, and its limits on what runs at a time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The time-out of a body, and of the next bytes of an upload. Then the request is a 408.
    pub body_timeout: Duration,
    /// The least rate of an upload in bytes a second, on average over [`Options::least_rate_span`]. A slower one is a
    /// 408. 0 means no least rate.
    pub least_upload_rate: u64,
    /// The span over which the rate of an upload is measured. Only time spent waiting for the sender counts.
    pub least_rate_span: Duration,
    /// The time after which a body of JSON counts as slow. Its key is then checked again, because it may have been
    /// revoked. The key of an upload, and of a request that has waited for an event, always is.
    pub recheck_after: Duration,
    /// The time-out of the store, and of an authenticator. Then the request is a 503. A write that was begun goes on.
    pub store_timeout: Duration,
    /// The number of threads of the [`ReadPool`] that reads the store. Further reads wait. By default
    /// [`ReadPool::default_threads`].
    pub reads_at_once: usize,
    /// The store of the contents of training data. Without it there are no routes for data.
    #[cfg(feature = "uploads")]
    pub contents: Option<Arc<dyn ContentStore>>,
    /// The number of uploads at a time. One more is a 503.
    pub uploads_at_once: usize,
    /// The most bytes that the unfinished uploads of an organisation may announce together. One that would announce more
    /// is a 413.
    pub unfinished_bytes: u64,
    /// The share of [`Options::uploads_at_once`], and of [`Options::waiters`], that one organisation may take, in per
    /// cent. It is at least one place. A request beyond it is a 503. 100 means no limit.
    pub organisation_share: u8,
    /// The time for which the rest of a rejected body is read. A client that reads only after sending then sees the
    /// response.
    pub drain_timeout: Duration,
    /// The time-out of the head of a request. It begins with the connection, or with the end of the response before.
    pub header_timeout: Duration,
    /// The time for which a client may read nothing of a response. Then its connection ends. Only
    /// [`serve`](crate::serve) uses it.
    pub write_timeout: Duration,
    /// The time after which a client should ask for a running training again, sent as `Retry-After`.
    pub poll_after: Duration,
    /// The number of requests that may wait for an event at a time. One more is a 503.
    pub waiters: usize,
    /// The time between reads for a request that waits for an event. They find the events that other processes write;
    /// events that this service writes need no read.
    pub events_poll: Duration,
    /// The time within which requests have to end at the shutdown.
    pub shutdown_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            body_timeout: Duration::from_secs(15),
            least_upload_rate: 1024,
            least_rate_span: Duration::from_secs(30),
            recheck_after: Duration::from_secs(1),
            store_timeout: Duration::from_secs(10),
            reads_at_once: ReadPool::default_threads(),
            #[cfg(feature = "uploads")]
            contents: None,
            uploads_at_once: 16,
            unfinished_bytes: 5 * DataFile::MAX_BYTES,
            organisation_share: 25,
            drain_timeout: Duration::from_secs(2),
            header_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            poll_after: Duration::from_secs(30),
            waiters: 1000,
            events_poll: Duration::from_secs(1),
            shutdown_timeout: Duration::from_secs(15),
        }
    }
}
