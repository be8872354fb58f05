//! Metrics of groups, through the facade `metrics`. Without a recorder they cost next to nothing.

use std::time::Duration;

use metrics::{describe_histogram, histogram};

/// Describes the metrics to a recorder that was installed before the queue was started.
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

/// Records a group, committed or failed.
pub(crate) fn group(writes: usize, took: Duration) {
    histogram!("custom_models_store_commit_duration_seconds").record(took);
    let writes = u32::try_from(writes).unwrap_or(u32::MAX);
    histogram!("custom_models_store_group_writes").record(writes);
}

#[cfg(test)]
mod tests;
