//! The page of metrics: the recorder that libraries report to, and its upkeep.

use std::time::Duration;

use custom_models_core::store::{StoreError, StoreErrorKind};
use metrics::{counter, describe_counter};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::output::failure::Failure;
use crate::output::stderr::standard_error;

/// The counter of lost lines of the log.
const LOST: &str = "custom_models_log_lines_lost_total";

/// The buckets of durations: from a commit on a fast disk to the longest wait for a store.
const SECONDS: [f64; 16] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// The buckets of numbers of writes: from one to the most that may wait.
const WRITES: [f64; 13] =
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0];

/// The interval at which recorded observations are put into their buckets. Until then each takes 8 bytes.
const UPKEEP: Duration = Duration::from_secs(5);

/// Installs the recorder of metrics. Metrics before this call are lost.
pub(crate) fn record() -> Result<PrometheusHandle, Failure> {
    let record = || -> Result<PrometheusHandle, BuildError> {
        PrometheusBuilder::new()
            .set_buckets(&SECONDS)?
            .set_buckets_for_metric(Matcher::Suffix("_writes".to_owned()), &WRITES)?
            .install_recorder()
    };
    let recorded =
        record().map_err(|error| Failure::Store(StoreError::new(StoreErrorKind::Failed, error)))?;
    describe_counter!(LOST, "Lines of the log that were lost, because nobody read them in time");
    Ok(recorded)
}

/// Renders the page of metrics.
pub(crate) fn page(recorded: &PrometheusHandle) -> String {
    counter!(LOST).absolute(standard_error().lost());
    recorded.render()
}

/// Moves recorded observations into their buckets at intervals, so that memory stays small. Never returns.
pub(crate) async fn keep_up(recorded: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        recorded.run_upkeep();
    }
}
