//! The status, headers and JSON body of an error (WIRE).
//!
//! Violations and the refusals of the engine convert into an [`ErrorBody`], and so can the errors of a host:
//!
//! ```
//! use custom_models_core::wire::ErrorBody;
//!
//! let teapot = ErrorBody::new(418, "I'm a teapot", "No coffee here").with_code("TEAPOT");
//! assert_eq!(
//!     teapot.to_json(),
//!     r#"{"error":"I'm a teapot","message":"No coffee here","error_code":"TEAPOT"}"#
//! );
//! ```

#[cfg(feature = "serde_json")]
mod members;
#[cfg(feature = "serde_json")]
mod received;

#[cfg(feature = "serde_json")]
pub use self::received::ReceivedError;

use std::borrow::Cow;

use serde::Serialize;

use crate::request::Violations;

/// An error as the API returns it.
///
/// Serialises as its body: `error` and `message`, then `error_code` and `details` if there are any.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ErrorBody<'a> {
    /// The HTTP status.
    #[serde(skip)]
    pub status: u16,
    /// The headers of the response by name, besides those of its body.
    #[serde(skip)]
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The status as text.
    pub error: &'static str,
    /// The reason, for people.
    pub message: &'static str,
    /// The reason, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<&'static str>,
    /// The numbers, names and fields that explain the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Details<'a>>,
}

/// The `details` of an error.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Details<'a> {
    /// A message per violated field.
    Fields(&'a Violations),
    /// Values by key, in order.
    #[cfg(feature = "serde_json")]
    Members(#[serde(serialize_with = "members::as_map")] Vec<(&'static str, serde_json::Value)>),
}

impl<'a> ErrorBody<'a> {
    /// Creates an error without a code, details and headers.
    pub const fn new(status: u16, error: &'static str, message: &'static str) -> Self {
        ErrorBody { status, headers: Vec::new(), error, message, error_code: None, details: None }
    }

    /// Returns a 500 that does not reveal its cause.
    pub const fn internal() -> Self {
        let message = "An unexpected error occurred. Please try again.";
        ErrorBody::new(500, "Internal Server Error", message)
    }

    /// Returns a 503 that asks the caller to retry in a second.
    pub fn unavailable(message: &'static str, error_code: &'static str) -> Self {
        let body = ErrorBody::new(503, "Service Unavailable", message);
        body.with_code(error_code).with_retry_after(1)
    }

    /// Adds the code.
    #[must_use]
    pub const fn with_code(mut self, error_code: &'static str) -> Self {
        self.error_code = Some(error_code);
        self
    }

    /// Sets the violated fields as the details.
    #[must_use]
    pub fn with_fields(mut self, violations: &'a Violations) -> Self {
        self.details = Some(Details::Fields(violations));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds `Retry-After`, in whole seconds.
    #[must_use]
    pub fn with_retry_after(self, seconds: u64) -> Self {
        self.with_header("Retry-After", seconds.to_string())
    }

    /// Returns the body: compact JSON, to the byte (WIRE) and identical to its serialisation with
    /// serde.
    pub fn to_json(&self) -> String {
        let mut body = String::with_capacity(512);
        body.push_str(r#"{"error":"#);
        push_text(&mut body, self.error);
        body.push_str(r#","message":"#);
        push_text(&mut body, self.message);
        if let Some(error_code) = self.error_code {
            body.push_str(r#","error_code":"#);
            push_text(&mut body, error_code);
        }
        if let Some(details) = &self.details {
            body.push_str(r#","details":"#);
            details.push_json(&mut body);
        }
        body.push('}');
        body
    }
}

impl Details<'_> {
    fn push_json(&self, out: &mut String) {
        match self {
            Details::Fields(violations) => violations.push_json(out),
            #[cfg(feature = "serde_json")]
            Details::Members(members) => members::push_json(members, out),
        }
    }
}

/// Appends a text as a JSON string, with the escapes of serde_json.
fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str(r#"\""#),
            '\\' => out.push_str(r"\\"),
            '\u{8}' => out.push_str(r"\b"),
            '\t' => out.push_str(r"\t"),
            '\n' => out.push_str(r"\n"),
            '\u{c}' => out.push_str(r"\f"),
            '\r' => out.push_str(r"\r"),
            '\0'..' ' => out.push_str(&format!(r"\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
}

impl<'a> From<&'a Violations> for ErrorBody<'a> {
    fn from(violations: &'a Violations) -> Self {
        ErrorBody::new(400, "Validation Error", "Invalid field values").with_fields(violations)
    }
}

#[cfg(test)]
mod tests;
