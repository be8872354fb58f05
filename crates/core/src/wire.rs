//! The status, headers and JSON body of an error (WIRE).
//!
//! [`Refusal`](crate::engine::Refusal) converts into an [`ErrorBody`], and so can the errors of a host:
//!
//! ```
//! use custom_models_core::wire::ErrorBody;
//!
//! let teapot = ErrorBody::new(418, "I'm a teapot", "No coffee here").with_code("TEAPOT").with_detail("cups", 2);
//! assert_eq!(
//!     teapot.to_json(),
//!     r#"{"error":"I'm a teapot","message":"No coffee here","error_code":"TEAPOT","details":{"cups":2}}"#
//! );
//! ```

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

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
    Members(#[serde(serialize_with = "as_map")] Vec<(&'static str, Value)>),
}

/// The body of an error as a client reads it: what an [`ErrorBody`] serialises as, with texts of its own.
///
/// ```
/// use custom_models_core::Refusal;
/// use custom_models_core::wire::ReceivedError;
///
/// let received: ReceivedError = serde_json::from_str(&Refusal::ModelNotFound.to_json())?;
/// assert_eq!(received.error_code.as_deref(), Some("MODEL_NOT_FOUND"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReceivedError {
    /// The status in words.
    pub error: String,
    /// The reason, for people.
    pub message: String,
    /// The reason, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The figures, names and fields that the reason is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Map<String, Value>>,
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

    /// Adds a value to the details.
    #[must_use]
    pub fn with_detail(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        let member = (key, value.into());
        match &mut self.details {
            Some(Details::Members(members)) => members.push(member),
            _ => self.details = Some(Details::Members(vec![member])),
        }
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
            Details::Members(members) => {
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
        }
    }
}

/// Appends a text as a JSON string. Few texts need an escape.
fn push_text(out: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        out.push_str(&Value::from(text).to_string());
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}

fn as_map<S: Serializer>(
    members: &[(&'static str, Value)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(members.iter().map(|(key, value)| (key, value)))
}

#[cfg(test)]
mod tests;
