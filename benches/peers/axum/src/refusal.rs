//! Answers where there is no model to show.

use std::collections::BTreeMap;
use std::error::Error;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A request that is refused, or that could not be answered.
#[derive(Debug)]
pub enum Refusal {
    /// No valid key.
    Unauthorized,
    /// A key without the scope.
    Forbidden,
    /// Fields that are not valid, and the text about each.
    Invalid(BTreeMap<&'static str, String>),
    /// The organisation has as many models as its plan allows.
    Quota {
        /// The number of models that it has.
        models: i64,
        /// The number of models that it may have.
        limit: i64,
        /// Its plan.
        plan: String,
    },
    /// No such model.
    NotFound,
    /// A fault of the server, which the caller hears nothing about.
    Internal(Box<dyn Error + Send + Sync>),
}

impl<E: Error + Send + Sync + 'static> From<E> for Refusal {
    fn from(error: E) -> Self {
        Refusal::Internal(Box::new(error))
    }
}

impl Refusal {
    /// Refuses a body that is not the JSON of a create.
    pub(crate) fn of_body(rejection: JsonRejection) -> Self {
        Refusal::Invalid(BTreeMap::from([("body", rejection.body_text())]))
    }

    /// Refuses an id that is not a number.
    pub(crate) fn of_id(_: PathRejection) -> Self {
        let text = "Input should be a valid integer, unable to parse string as an integer";
        Refusal::Invalid(BTreeMap::from([("model_id", text.to_owned())]))
    }

    fn answer(self) -> (StatusCode, Value) {
        match self {
            Refusal::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                json!({"error": "Unauthorized", "message": "Invalid or missing API key"}),
            ),
            Refusal::Forbidden => (
                StatusCode::FORBIDDEN,
                json!({"error": "Forbidden", "message": "The key lacks the scope"}),
            ),
            Refusal::Invalid(details) => (
                StatusCode::BAD_REQUEST,
                json!({"error": "Validation Error", "message": "Invalid field values", "details": details}),
            ),
            Refusal::Quota { models, limit, plan } => (
                StatusCode::PAYMENT_REQUIRED,
                json!({
                    "error": "Quota Exceeded",
                    "message": "Custom model limit reached for your plan",
                    "error_code": "MODEL_LIMIT_EXCEEDED",
                    "details": {"current_models": models, "plan_limit": limit, "plan": plan},
                }),
            ),
            Refusal::NotFound => (
                StatusCode::NOT_FOUND,
                json!({"error": "Not Found", "message": "Custom model not found", "error_code": "MODEL_NOT_FOUND"}),
            ),
            Refusal::Internal(error) => {
                eprintln!("not answered: {error}");
                let body = json!({"error": "Internal Server Error", "message": "Try again later"});
                (StatusCode::INTERNAL_SERVER_ERROR, body)
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, body) = self.answer();
        (status, Json(body)).into_response()
    }
}
