use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The body of an error as a client reads it: what an [`ErrorBody`](crate::wire::ErrorBody) serialises as, with texts of its own.
///
/// ```
/// use custom_models_core::wire::{ErrorBody, ReceivedError};
///
/// let sent = ErrorBody::new(404, "Not Found", "Custom model not found").with_code("MODEL_NOT_FOUND");
/// let received: ReceivedError = serde_json::from_str(&sent.to_json())?;
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
