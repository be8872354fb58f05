//! Values of any JSON in the details of an error.

use serde::Serializer;
use serde_json::Value;

use crate::wire::{Details, ErrorBody, push_text};

impl ErrorBody<'_> {
    /// Adds a value to the details.
    ///
    /// ```
    /// use custom_models_core::wire::ErrorBody;
    ///
    /// let teapot = ErrorBody::new(418, "I'm a teapot", "No coffee here").with_detail("cups", 2);
    /// assert_eq!(
    ///     teapot.to_json(),
    ///     r#"{"error":"I'm a teapot","message":"No coffee here","details":{"cups":2}}"#
    /// );
    /// ```
    #[must_use]
    pub fn with_detail(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        let member = (key, value.into());
        match &mut self.details {
            Some(Details::Members(members)) => members.push(member),
            _ => self.details = Some(Details::Members(vec![member])),
        }
        self
    }
}

pub(super) fn as_map<S: Serializer>(
    members: &[(&'static str, Value)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(members.iter().map(|(key, value)| (key, value)))
}

/// Appends what [`as_map`] serialises.
pub(super) fn push_json(members: &[(&'static str, Value)], out: &mut String) {
    let mut separator = '{';
    for (key, value) in members {
        out.push(separator);
        separator = ',';
        push_text(out, key);
        out.push(':');
        out.push_str(&value.to_string());
    }
    out.push_str(if separator == '{' { "{}" } else { "}" });
}

#[cfg(test)]
mod tests;
