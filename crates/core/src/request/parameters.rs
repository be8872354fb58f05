//! The named values of a query or a body.

use std::str::FromStr;

use crate::field::{Field, Violation, ViolationKind};
use crate::request::violations::Violations;

/// The named values of a query or a body as they are written, and the violations found so far.
pub(super) struct NamedValues<'a> {
    values: Vec<(Field, &'a str)>,
    violations: Violations,
}

impl<'a> NamedValues<'a> {
    pub(super) fn none() -> Self {
        NamedValues { values: Vec::new(), violations: Violations::none() }
    }

    /// Takes percent-decoded parameters. One that `fields` do not name is a violation.
    pub(super) fn of_query(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        fields: &[Field],
    ) -> Self {
        let mut given = NamedValues::none();
        for (key, value) in pairs {
            match named(fields, key) {
                Some(field) => given.add(field, value),
                None => given.violations.note_unknown(key),
            }
        }
        given
    }

    /// Adds a value. A second one of a field is a violation.
    pub(super) fn add(&mut self, field: Field, value: &'a str) {
        if self.value(field).is_some() {
            self.note(Violation::new(field, ViolationKind::Repeated));
        } else {
            self.values.push((field, value));
        }
    }

    pub(super) fn value(&self, field: Field) -> Option<&'a str> {
        self.values.iter().find(|(given, _)| *given == field).map(|(_, value)| *value)
    }

    /// Parses a value if it is given, and notes its violation if it is invalid.
    pub(super) fn parse<T>(
        &mut self,
        field: Field,
        validate: impl FnOnce(&'a str) -> Result<T, Violation<'a>>,
    ) -> Option<T> {
        validate(self.value(field)?).map_err(|violation| self.note(violation)).ok()
    }

    pub(super) fn note(&mut self, violation: Violation<'_>) {
        self.violations.note(violation);
    }

    /// Returns the request unless there are violations. A request that is `None` has some.
    pub(super) fn finish<T>(self, request: Option<T>) -> Result<T, Violations> {
        request.filter(|_| self.violations.is_empty()).ok_or(self.violations)
    }
}

/// Finds the field with a name.
pub(super) fn named(fields: &[Field], name: &str) -> Option<Field> {
    fields.iter().copied().find(|field| field.as_str() == name)
}

/// Parses decimal digits without a sign, which `parse` would accept.
pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Parses decimal digits without a sign. A number that overflows becomes the largest one.
pub(super) fn saturating_number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}
