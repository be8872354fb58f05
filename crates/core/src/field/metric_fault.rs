/// The fault of one metric in a report of success; the message shows the metric's name (TRAIN-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MetricFault {
    /// The name does not consist of 1 to 64 characters of `a-z`, `0-9` and `_`.
    Name,
    /// The value is not a finite number.
    Value,
    /// The name occurs more than once.
    Repeated,
    /// The metric is the 33rd; at most 32 are allowed.
    TooMany,
}

impl MetricFault {
    /// Returns a stable name for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            MetricFault::Name => "metric_name",
            MetricFault::Value => "metric_value",
            MetricFault::Repeated => "metric_repeated",
            MetricFault::TooMany => "too_many_metrics",
        }
    }

    /// Returns the message before and after the name of the metric.
    ///
    /// A test compares the bounds in these texts with the constants of the types.
    pub(crate) const fn texts(self) -> (&'static str, &'static str) {
        match self {
            MetricFault::Name => (
                "Training metrics cannot have '",
                "': a name is 1 to 64 characters of a-z, 0-9 and _",
            ),
            MetricFault::Value => ("Training metrics must be finite numbers; '", "' is not"),
            MetricFault::Repeated => ("Training metrics cannot have '", "' more than once"),
            MetricFault::TooMany => {
                ("Training metrics cannot be more than 32; '", "' is one too many")
            }
        }
    }
}
