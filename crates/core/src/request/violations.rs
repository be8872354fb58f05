//! The violations of a request, one message per violated field.

use std::borrow::Cow;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::field::{Field, Violation, ViolationKind, excerpt, push_echo};

/// The message about an unknown parameter.
const UNKNOWN: &str = "Unknown parameter";

/// The most unknown parameters that are listed.
const MOST_UNKNOWN: usize = 16;

/// The violations of one request: one per violated field (BODY-4), and its unknown parameters.
///
/// Serialises as the `details` object of the API: field name to message, in the order of [`Field`], then
/// unknown parameters in the order in which they were sent. Owns its excerpts of the request, so
/// that `?` turns it into a `Box<dyn Error>`.
#[derive(Clone, PartialEq, Eq)]
pub struct Violations {
    kinds: [Option<ViolationKind>; Field::ALL.len()],
    /// An excerpt of the sent language, or the text about the audio of an upload: no request has both.
    sent_language: String,
    /// An excerpt of the sent base model, or the text about the transcript of an upload.
    sent_base_model: String,
    sent_metric: String,
    /// INVARIANT: excerpts as messages show them (BODY-5), each once, at most [`MOST_UNKNOWN`].
    unknown: Vec<String>,
}

impl Violations {
    /// Creates the violations of name, language, base model and description. Keeps the language and base
    /// model that were sent if those are invalid.
    #[inline]
    pub(crate) fn of_create(
        [name, language, base_model, description]: [Option<ViolationKind>; 4],
        sent_language: Option<Cow<'_, str>>,
        sent_base_model: Option<Cow<'_, str>>,
    ) -> Self {
        Violations {
            kinds: kinds_of([None, name, language, base_model, description]),
            sent_language: sent_language.map(excerpt).unwrap_or_default(),
            sent_base_model: sent_base_model.map(excerpt).unwrap_or_default(),
            sent_metric: String::new(),
            unknown: Vec::new(),
        }
    }

    /// Creates the violations of the whole body, name, language, base model and description (EDIT-1, EDIT-2).
    pub(crate) fn of_update(faults: [Option<ViolationKind>; 5]) -> Self {
        Violations { kinds: kinds_of(faults), ..Violations::none() }
    }

    /// Creates the violations of fields that a host validates itself, such as the parts of an upload
    /// (DATA-2). A field keeps its first violation.
    pub fn of_fields(faults: impl IntoIterator<Item = (Field, ViolationKind)>) -> Self {
        let mut violations = Violations::none();
        faults.into_iter().for_each(|(field, kind)| violations.note(Violation::new(field, kind)));
        violations
    }

    /// Creates the violations of the parts of an upload. Each has a short text about the content of the part,
    /// which may be empty (DATA-2).
    pub fn of_upload<'a>(
        faults: impl IntoIterator<Item = (Field, ViolationKind, Cow<'a, str>)>,
    ) -> Self {
        let mut violations = Violations::none();
        for (field, kind, sent) in faults {
            violations.note(Violation { field, kind, sent });
        }
        violations
    }

    /// Creates the violations of a request whose operation takes no parameters, from the names of its
    /// parameters.
    pub fn of_unknown_parameters<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut violations = Violations::none();
        names.into_iter().for_each(|name| violations.note_unknown(name));
        violations
    }

    /// Returns an empty set of violations.
    pub(crate) fn none() -> Self {
        Violations::of_create([None; 4], None, None)
    }

    /// Adds a violation, unless the field has one already.
    pub(crate) fn note(&mut self, Violation { field, kind, sent }: Violation<'_>) {
        let Some(place @ None) = self.kinds.get_mut(field as usize) else {
            return;
        };
        *place = Some(kind);
        match field {
            Field::Language | Field::AudioFile => self.sent_language = excerpt(sent),
            Field::BaseModel | Field::TranscriptFile => self.sent_base_model = excerpt(sent),
            Field::TrainingMetrics => self.sent_metric = excerpt(sent),
            _ => {}
        }
    }

    /// Adds an unknown parameter.
    pub(crate) fn note_unknown(&mut self, name: &str) {
        let mut shown = String::new();
        push_echo(&mut shown, name);
        self.keep_unknown(shown);
    }

    fn keep_unknown(&mut self, shown: String) {
        if self.unknown.len() < MOST_UNKNOWN && !self.unknown.contains(&shown) {
            self.unknown.push(shown);
        }
    }

    /// Adds the violations of other fields of the same request. A field in both keeps the one that it has
    /// here.
    #[must_use]
    pub fn and(mut self, others: Violations) -> Self {
        for violation in others.iter() {
            self.note(violation);
        }
        others.unknown.into_iter().for_each(|shown| self.keep_unknown(shown));
        self
    }

    /// Returns true if there are no violations.
    pub fn is_empty(&self) -> bool {
        self.kinds.iter().all(Option::is_none) && self.unknown.is_empty()
    }

    /// Returns the number of violated fields and unknown parameters.
    pub fn len(&self) -> usize {
        self.kinds.iter().flatten().count() + self.unknown_parameters().count()
    }

    /// Returns the violation of a field, if there is one.
    pub fn get(&self, field: Field) -> Option<Violation<'_>> {
        let kind = (*self.kinds.get(field as usize)?)?;
        let sent = match field {
            Field::Language | Field::AudioFile => Cow::Borrowed(&*self.sent_language),
            Field::BaseModel | Field::TranscriptFile => Cow::Borrowed(&*self.sent_base_model),
            Field::TrainingMetrics => Cow::Borrowed(&*self.sent_metric),
            _ => Cow::Borrowed(""),
        };
        Some(Violation { field, kind, sent })
    }

    /// Returns the violations in the order of `details`.
    pub fn iter(&self) -> ViolationsIter<'_> {
        ViolationsIter { violations: self, fields: Field::ALL.into_iter() }
    }

    /// Returns the unknown parameters in the order in which they were sent, without those that share the name
    /// of a violated field.
    pub fn unknown_parameters(&self) -> impl Iterator<Item = &str> {
        let is_field = |name: &str| self.iter().any(|violation| violation.field.as_str() == name);
        self.unknown.iter().map(String::as_str).filter(move |name| !is_field(name))
    }

    /// Writes the `details` object, identical to its serialisation with serde.
    pub(crate) fn push_json(&self, out: &mut String) {
        let mut separator = '{';
        for violation in self.iter() {
            out.push(separator);
            separator = ',';
            out.push('"');
            out.push_str(violation.field.as_str());
            out.push_str("\":");
            violation.push_json(out);
        }
        for name in self.unknown_parameters() {
            out.push(separator);
            separator = ',';
            out.push('"');
            // Excerpts have no control characters, so JSON escapes nothing else in them.
            out.push_str(&name.replace('\\', r"\\").replace('"', r#"\""#));
            out.push_str("\":\"");
            out.push_str(UNKNOWN);
            out.push('"');
        }
        out.push_str(if separator == '{' { "{}" } else { "}" });
    }
}

/// The violations of a request, in the order of `details`.
#[derive(Clone, Debug)]
pub struct ViolationsIter<'a> {
    violations: &'a Violations,
    fields: std::array::IntoIter<Field, { Field::ALL.len() }>,
}

impl<'a> Iterator for ViolationsIter<'a> {
    type Item = Violation<'a>;

    fn next(&mut self) -> Option<Violation<'a>> {
        let violations = self.violations;
        self.fields.find_map(|field| violations.get(field))
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = Violation<'a>;
    type IntoIter = ViolationsIter<'a>;

    fn into_iter(self) -> ViolationsIter<'a> {
        self.iter()
    }
}

/// Lists the kinds in the order of [`Field`]; a test below checks that order.
#[inline]
fn kinds_of(
    [body, name, language, base_model, description]: [Option<ViolationKind>; 5],
) -> [Option<ViolationKind>; Field::ALL.len()] {
    let mut kinds = [None; Field::ALL.len()];
    let [in_body, in_name, in_language, in_base_model, in_description, ..] = &mut kinds;
    *in_body = body;
    *in_name = name;
    *in_language = language;
    *in_base_model = base_model;
    *in_description = description;
    kinds
}

impl From<Violation<'_>> for Violations {
    fn from(violation: Violation<'_>) -> Self {
        let mut violations = Violations::none();
        violations.note(violation);
        violations
    }
}

impl fmt::Debug for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).entries(&self.unknown).finish()
    }
}

/// Formats as one line: `name: Name cannot be empty; language: Language is required`.
impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, violation) in self.iter().enumerate() {
            let separator = if place == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {violation}", violation.field)?;
        }
        let known = self.iter().count();
        for (place, name) in self.unknown_parameters().enumerate() {
            let separator = if known + place == 0 { "" } else { "; " };
            write!(f, "{separator}{name}: {UNKNOWN}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

impl Serialize for Violations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut details = serializer.serialize_map(Some(self.len()))?;
        for violation in self.iter() {
            details.serialize_entry(violation.field.as_str(), &violation.message())?;
        }
        for name in self.unknown_parameters() {
            details.serialize_entry(name, UNKNOWN)?;
        }
        details.end()
    }
}

#[cfg(test)]
mod tests;
