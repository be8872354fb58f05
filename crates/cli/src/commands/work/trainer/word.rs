//! The lines of a program that say something of its training.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use custom_models_core::{Figure, MetricFault, MetricName, Progress, TrainingMetrics};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The most characters of a metric's name that a message shows.
const SHOWN_CHARACTERS: usize = 40;

/// The most metrics that a message names.
const SHOWN_METRICS: usize = 5;

/// The content of a line of JSON that says something of the training.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// `{"progress":42}`, and metrics if the line has both.
    Said { progress: Option<Progress>, measured: Option<Measured> },
    /// A line that was meant to have metrics and cannot be read; the reason.
    Unreadable(String),
}

/// The metrics of a line: those that keep to the rule, and a text about those that do not (TRAIN-3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) metrics: TrainingMetrics,
    pub(crate) left_out: Option<String>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    progress: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metrics: Option<&'a RawValue>,
}

impl Word {
    /// Reads a line; `None` for one that is for people.
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        if !is_object(line) {
            return None;
        }
        let is_meant = is_meant_to_have_metrics(line);
        let unreadable = |error: serde_json::Error| is_meant.then(|| error.to_string());
        let read = || {
            let line: Line<'_> = serde_json::from_slice(line)?;
            let measured = line.metrics.map(|metrics| serde_json::from_str(metrics.get()));
            Ok((line.progress.and_then(progress), measured.transpose()?.map(measured_of)))
        };
        match read() {
            Ok((None, None)) => None,
            Ok((progress, measured)) => Some(Word::Said { progress, measured }),
            Err(error) => unreadable(error).map(Word::Unreadable),
        }
    }

    /// The word of a line of which only the beginning was kept.
    pub(crate) fn of_cut_line(beginning: &[u8]) -> Option<Self> {
        let reason = || Word::Unreadable(format!("it is longer than {} bytes", beginning.len()));
        is_meant_to_have_metrics(beginning).then(reason)
    }
}

/// Tells lines that may be of JSON from others, of which there may be many.
fn is_object(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"{")
}

/// Tells a line with a fault in its metrics, `NaN` for example, from lines for people.
fn is_meant_to_have_metrics(line: &[u8]) -> bool {
    let word = b"metrics";
    is_object(line) && line.windows(word.len()).any(|part| part == word)
}

/// A number of percent, without its fraction; anything else is none.
fn progress(value: &RawValue) -> Option<Progress> {
    let number: f64 = serde_json::from_str(value.get()).ok()?;
    let range = 0.0..=f64::from(Progress::ALL.get());
    let mut whole = (0..=Progress::ALL.get()).rev();
    let percent = whole.find(|percent| f64::from(*percent) <= number)?;
    Progress::new(percent).ok().filter(|_| range.contains(&number))
}

/// The members of an object of metrics as they stand there.
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

/// Keeps the metrics that keep to the rule: the five named ones first, then others by their names. A
/// metric that is `null` was not measured.
fn measured_of(Members(members): Members<'_>) -> Measured {
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
    Measured { metrics, left_out: listed(&faults) }
}

/// A text about the first faults, if there are any.
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
mod tests {
    use super::*;

    fn said(line: &str) -> (Option<u8>, Option<String>, Option<String>) {
        match Word::read(line.as_bytes()) {
            Some(Word::Said { progress, measured }) => {
                let shown = measured.as_ref().map(|it| serde_json::to_string(&it.metrics).unwrap());
                (progress.map(Progress::get), shown, measured.and_then(|it| it.left_out))
            }
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn lines_for_people_are_no_words() {
        for line in ["", "epoch 3", "{}", "[1]", "42", r#"{"epoch":3}"#, "{", r#"{"progress":"x"}"#]
        {
            assert_eq!(Word::read(line.as_bytes()), None, "{line}");
        }
        assert_eq!(Word::read(b"\xff"), None);
        for line in [r#"{"progress":101}"#, r#"{"progress":-1}"#, r#"{"progress":null}"#] {
            assert_eq!(Word::read(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn train_3_a_line_has_progress_metrics_or_both_beside_anything_else() {
        assert_eq!(said(r#"{"progress":42}"#), (Some(42), None, None));
        assert_eq!(said(r#"{"progress":99.9,"epoch":3}"#), (Some(99), None, None));
        let both =
            said(r#" {"epoch":3,"progress":100,"metrics":{"loss":0.5,"word_error_rate":1}}"#);
        let shown = r#"{"word_error_rate":1.0,"loss":0.5}"#.to_owned();
        assert_eq!(both, (Some(100), Some(shown), None));
        assert_eq!(said(r#"{"metrics":{}}"#), (None, Some("{}".to_owned()), None));
    }

    #[test]
    fn train_3_metrics_that_break_the_rule_are_left_out_and_named() {
        let line = r#"{"metrics":{"Loss":1,"a":1e999,"b":null,"c":"1","d":1,"d":2,"word_error_rate":0.5}}"#;
        let (_, shown, left_out) = said(line);
        assert_eq!(shown.unwrap(), r#"{"word_error_rate":0.5,"d":2.0}"#);
        assert_eq!(
            left_out.unwrap(),
            "'Loss' (a name is 1 to 64 characters of a-z, 0-9 and _), 'a' (not a finite number), \
            'c' (not a finite number), 'd' (given more than once, the last counts)"
        );
        let many: Vec<_> = (0..40).map(|number| format!(r#""m{number:02}":{number}"#)).collect();
        let (_, shown, left_out) =
            said(&format!(r#"{{"metrics":{{{},"training_hours":1}}}}"#, many.join(",")));
        let shown = shown.unwrap();
        assert!(shown.starts_with(r#"{"training_hours":1.0,"m00":0.0,"#), "{shown}");
        assert!(shown.ends_with(r#","m30":30.0}"#), "{shown}");
        let left_out = left_out.unwrap();
        assert!(left_out.starts_with("'m31' (more than 32), "), "{left_out}");
        assert!(left_out.ends_with("'m35' (more than 32), 4 more"), "{left_out}");
        let (_, _, long) = said(&format!(r#"{{"metrics":{{"{}":1}}}}"#, "語".repeat(9000)));
        assert!(long.unwrap().chars().count() < 100);
    }

    #[test]
    fn train_3_metrics_that_cannot_be_read_are_no_lines_for_people() {
        for line in [
            r#"{"metrics": {"loss": NaN}}"#,
            "{'metrics': {'loss': 0.5}}",
            r#"{"metrics":[0.5]}"#,
            r#"{"metrics":0.5}"#,
            r#"{"metrics":{"loss":0.5}"#,
        ] {
            let word = Word::read(line.as_bytes());
            assert!(matches!(word, Some(Word::Unreadable(_))), "{line}: {word:?}");
        }
        let cut = Word::of_cut_line(br#"{"metrics":{"a"#);
        assert_eq!(cut, Some(Word::Unreadable("it is longer than 14 bytes".to_owned())));
        assert_eq!(Word::of_cut_line(b"a long line about metrics"), None);
    }
}
