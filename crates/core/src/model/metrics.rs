use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::model::figure::Figure;
use crate::model::metric_name::MetricName;

/// The metrics that a trainer reported: at most 32 finite numbers by name (TRAIN-3).
///
/// Serialises as an object in the order of [`MetricName`] (READ-4); numbers keep their exact value.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct TrainingMetrics {
    /// INVARIANT: at most [`TrainingMetrics::MAX`].
    figures: BTreeMap<MetricName, Figure>,
}

/// The error for more metrics than a training may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a training has at most 32 metrics")]
pub struct TooManyMetrics;

impl TrainingMetrics {
    /// The most metrics, including the five named ones.
    pub const MAX: usize = 32;

    /// Collects metrics; the last one of a name counts.
    pub fn new(
        figures: impl IntoIterator<Item = (MetricName, Figure)>,
    ) -> Result<Self, TooManyMetrics> {
        let mut metrics = TrainingMetrics::default();
        for (name, figure) in figures {
            metrics.insert(name, figure)?;
        }
        Ok(metrics)
    }

    /// Adds a metric, and returns the value that it replaces.
    pub fn insert(
        &mut self,
        name: MetricName,
        figure: Figure,
    ) -> Result<Option<Figure>, TooManyMetrics> {
        if self.figures.len() >= Self::MAX && !self.figures.contains_key(&name) {
            return Err(TooManyMetrics);
        }
        Ok(self.figures.insert(name, figure))
    }

    /// Returns the value of a metric, if it was reported.
    pub fn get(&self, name: &MetricName) -> Option<Figure> {
        self.figures.get(name).copied()
    }

    /// Returns the metrics in the order of READ-4.
    pub fn iter(&self) -> impl Iterator<Item = (&MetricName, Figure)> {
        self.figures.iter().map(|(name, figure)| (name, *figure))
    }

    /// Returns the number of metrics.
    pub fn len(&self) -> usize {
        self.figures.len()
    }

    /// Returns true if there are no metrics.
    pub fn is_empty(&self) -> bool {
        self.figures.is_empty()
    }
}

impl fmt::Debug for TrainingMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.figures.fmt(f)
    }
}

/// Accepts an object in any order; a repeated name is an error.
impl<'de> Deserialize<'de> for TrainingMetrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetricsVisitor)
    }
}

struct MetricsVisitor;

impl<'de> Visitor<'de> for MetricsVisitor {
    type Value = TrainingMetrics;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of metrics")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<TrainingMetrics, M::Error> {
        let mut metrics = TrainingMetrics::default();
        while let Some((name, figure)) = map.next_entry()? {
            if metrics.insert(name, figure).map_err(M::Error::custom)?.is_some() {
                return Err(M::Error::custom("a metric is given more than once"));
            }
        }
        Ok(metrics)
    }
}
