//! What is measured of groups, through the facade `metrics`: nothing noticeable without a recorder.

use std::time::Duration;

use metrics::{describe_histogram, histogram};

/// For a recorder that is there before the queue is.
pub(crate) fn describe() {
    describe_histogram!(
        "custom_models_store_commit_duration_seconds",
        "How long the store took to make a group of writes durable"
    );
    describe_histogram!(
        "custom_models_store_group_writes",
        "How many writes were committed together"
    );
}

/// A group that was committed, or could not be.
pub(crate) fn group(writes: usize, took: Duration) {
    histogram!("custom_models_store_commit_duration_seconds").record(took);
    let writes = u32::try_from(writes).unwrap_or(u32::MAX);
    histogram!("custom_models_store_group_writes").record(writes);
}
