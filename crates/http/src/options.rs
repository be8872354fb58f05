use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use custom_models_training_data::ContentStore;

/// The times that a service waits, and the numbers of things that it does at a time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The time that a body may take to arrive, or an upload its next bytes; then it is a 408.
    pub body_timeout: Duration,
    /// The bytes that an upload has to send in each second, on average over [`Options::least_rate_span`]; one
    /// that is slower is a 408. 0 is no least.
    pub least_upload_rate: u64,
    /// The time over which the rate of an upload is measured. Only time spent waiting for the sender counts.
    pub least_rate_span: Duration,
    /// The time that a body of JSON may take to arrive before its key is looked up again: it may have been revoked.
    /// The key of an upload, and of a request that has waited for an event, always is.
    pub recheck_after: Duration,
    /// The time that the store may take to answer; then it is a 503. A write that was begun goes on, and
    /// its outcome is told to nobody.
    pub store_timeout: Duration,
    /// The number of threads that read the store; more reads wait for their turn. The default is twice the
    /// processors, and at least 4: one read that takes long leaves the others theirs.
    pub reads_at_once: usize,
    /// The store of the contents of training data. Without it there are no routes for data.
    pub contents: Option<Arc<dyn ContentStore>>,
    /// The number of uploads that may be on their way at a time; one more is a 503.
    pub uploads_at_once: usize,
    /// The share of [`Options::uploads_at_once`], and of [`Options::waiters`], that one organisation may take,
    /// in percent, and one place at least; one more is a 503. 100 is no limit.
    pub organisation_share: u8,
    /// The time for which the rest of a body is read that was refused early. Its sender, who reads after
    /// sending, sees the refusal.
    pub drain_timeout: Duration,
    /// The time that the head of a request may take to arrive, the time between two requests of one
    /// connection included.
    pub header_timeout: Duration,
    /// The time that a client may leave an answer untaken before its connection ends, each time that no more of it
    /// can be sent. It has an effect only with [`serve`](crate::serve).
    pub write_timeout: Duration,
    /// The time after which a client that follows a training should look again. Answers about a model in
    /// training state it in `Retry-After`.
    pub poll_after: Duration,
    /// The number of requests that may wait for an event at a time; one more is a 503.
    pub waiters: usize,
    /// The time between two looks for events that others than this service have written, while a request waits
    /// for an event.
    pub events_poll: Duration,
    /// The time that requests at work may take to end when the service is told to.
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
            reads_at_once: available_parallelism().map_or(4, |it| (2 * it.get()).max(4)),
            contents: None,
            uploads_at_once: 16,
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
