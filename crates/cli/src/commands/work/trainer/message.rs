//! Parsing the messages of a program about its training.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use custom_models_core::field::MetricFault;
use custom_models_core::model::{Figure, MetricName, Progress, TrainingMetrics};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The most characters of a metric's name that a message shows.
const SHOWN_CHARACTERS: usize = 40;

/// The most metrics that a message names.
const SHOWN_METRICS: usize = 5;

/// A message of a program: a line of JSON with progress or metrics.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TrainerMessage {
    /// `{"progress":42}`, and metrics if the line has both.
    Report { progress: Option<Progress>, metrics: Option<ReportedMetrics> },
    /// A line that was meant to have metrics and cannot be parsed, with the reason.
    Unreadable(String),
}

/// The valid metrics of a line, and a text about the invalid ones (TRAIN-3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReportedMetrics {
    pub(crate) metrics: TrainingMetrics,
    pub(crate) rejected: Option<String>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    progress: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metrics: Option<&'a RawValue>,
}

impl TrainerMessage {
    /// Parses a line; `None` for a line for people.
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        if !is_object(line) {
            return None;
        }
        let unreadable =
            |error: serde_json::Error| is_meant_to_have_metrics(line).then(|| error.to_string());
        let read = || {
            let line: Line<'_> = serde_json::from_slice(line)?;
            let metrics = line.metrics.map(|metrics| serde_json::from_str(metrics.get()));
            Ok((line.progress.and_then(progress), metrics.transpose()?.map(valid_metrics)))
        };
        match read() {
            Ok((None, None)) => None,
            Ok((progress, metrics)) => Some(TrainerMessage::Report { progress, metrics }),
            Err(error) => unreadable(error).map(TrainerMessage::Unreadable),
        }
    }

    /// The message of a line that was cut because it is too long.
    pub(crate) fn of_cut_line(beginning: &[u8]) -> Option<Self> {
        let reason =
            || TrainerMessage::Unreadable(format!("it is longer than {} bytes", beginning.len()));
        is_meant_to_have_metrics(beginning).then(reason)
    }
}

/// Returns `true` if a line may be an object of JSON. Cheap, because most lines are not.
fn is_object(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"{")
}

/// Returns `true` if a faulty line was meant to have metrics, such as `NaN`, and is not for people.
fn is_meant_to_have_metrics(line: &[u8]) -> bool {
    let word = b"metrics";
    is_object(line) && line.windows(word.len()).any(|part| part == word)
}

/// Parses a percentage, and drops its fraction; `None` for anything else.
fn progress(value: &RawValue) -> Option<Progress> {
    let number: f64 = serde_json::from_str(value.get()).ok()?;
    let range = 0.0..=f64::from(Progress::ALL.get());
    let mut whole = (0..=Progress::ALL.get()).rev();
    let percent = whole.find(|percent| f64::from(*percent) <= number)?;
    Progress::new(percent).ok().filter(|_| range.contains(&number))
}

/// The unparsed members of an object of metrics.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Members)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of metrics")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            members.push((Cow::Owned(name), value));
        }
        Ok(members)
    }
}

/// Collects the valid metrics: the five named ones first, then others by name. Skips `null`, which stands for
/// a metric that was not measured.
fn valid_metrics(Members(members): Members<'_>) -> ReportedMetrics {
    let (mut figures, mut faults) = (BTreeMap::new(), Vec::new());
    for (name, value) in members.iter().filter(|(_, value)| value.get() != "null") {
        match (MetricName::new(name), serde_json::from_str::<Figure>(value.get())) {
            (Err(_), _) => faults.push((name.to_string(), MetricFault::Name)),
            (_, Err(_)) => faults.push((name.to_string(), MetricFault::Value)),
            (Ok(name), Ok(figure)) => {
                if figures.insert(name.clone(), figure).is_some() {
                    faults.push((name.to_string(), MetricFault::Repeated));
                }
            }
        }
    }
    let mut metrics = TrainingMetrics::default();
    for (name, figure) in figures {
        if metrics.insert(name.clone(), figure).is_err() {
            faults.push((name.to_string(), MetricFault::TooMany));
        }
    }
    ReportedMetrics { metrics, rejected: listed(&faults) }
}

/// Lists the first faults; `None` if there are none.
fn listed(faults: &[(String, MetricFault)]) -> Option<String> {
    let shown = faults.iter().take(SHOWN_METRICS).map(|(name, fault)| {
        let name: String = name.chars().take(SHOWN_CHARACTERS).collect();
        let reason = match fault {
            MetricFault::Name => "a name is 1 to 64 characters of a-z, 0-9 and _",
            MetricFault::Value => "not a finite number",
            MetricFault::Repeated => "given more than once, the last counts",
            _ => "more than 32",
        };
        format!("'{name}' ({reason})")
    });
    let mut shown: Vec<_> = shown.collect();
    let more = faults.len().saturating_sub(shown.len());
    shown.extend((more > 0).then(|| format!("{more} more")));
    (!faults.is_empty()).then(|| shown.join(", "))
}

#[cfg(test)]
mod tests;
