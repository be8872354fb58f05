//! The errors of a request.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use custom_models_core::access::RateLimitStatus;
use custom_models_core::wire::ReceivedError;
use reqwest::StatusCode;
use serde_json::Value;

use crate::reply::Heads;

/// The reason why an operation has no result.
///
/// ```no_run
/// use custom_models_client::{Client, Error};
/// use custom_models_core::CreateModel;
///
/// # async fn example(client: Client, request: CreateModel<'_>) -> Result<(), Error> {
/// match client.create(&request).await {
///     Ok(model) => println!("{}", model.model_key()),
///     Err(Error::Refused(refused)) if refused.code() == Some("MODEL_LIMIT_EXCEEDED") => {
///         println!("upgrade the plan")
///     }
///     Err(Error::Refused(refused)) => {
///         refused.violations().for_each(|(field, message)| println!("{field}: {message}"));
///     }
///     Err(other) => return Err(other),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The service refused the request, and says why.
    #[error(transparent)]
    Refused(Box<Refused>),
    /// The request could not be sent, or its response did not arrive. Unless [`Transport::is_connect`], the service may
    /// have done what was asked.
    #[error(transparent)]
    Transport(Transport),
    /// The response is not one of this API: a proxy's, or that of another service.
    #[error(transparent)]
    Unexpected(Box<Unexpected>),
    /// A file to upload could not be read.
    #[error("cannot read {name}")]
    File {
        /// The name of the file.
        name: String,
        /// The reason.
        source: io::Error,
    },
    /// The API cannot express the request, which was not sent; the reason.
    #[error("{0}")]
    Inexpressible(&'static str),
}

/// A refusal of the service.
///
/// `Display` is for logs: the status, the code or the message, and the violations.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{status} {}{}", self.reason(), self.shown_violations())]
#[non_exhaustive]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: ReceivedError,
    /// The body as it was sent.
    pub json: String,
    /// The id under which the service logs the request.
    pub request_id: Option<String>,
    /// The time after which the service asks to try again.
    pub retry_after: Option<Duration>,
    /// The window of the key for this operation, if it has one (RATE-5).
    pub rate_limit: Option<RateLimitStatus>,
}

impl Refused {
    /// Returns the reason for programs.
    pub fn code(&self) -> Option<&str> {
        self.body.error_code.as_deref()
    }

    /// Returns the fields that violate rules, each with a message; none unless the status is 400.
    pub fn violations(&self) -> impl Iterator<Item = (&str, &str)> {
        let details = self.body.details.as_ref().filter(|_| self.status == 400);
        details
            .into_iter()
            .flatten()
            .filter_map(|(field, message)| Some((&**field, message.as_str()?)))
    }

    /// Returns a value of the details, such as `plan_limit`.
    pub fn detail(&self, name: &str) -> Option<&Value> {
        self.body.details.as_ref()?.get(name)
    }

    fn reason(&self) -> &str {
        self.code().unwrap_or(&self.body.message)
    }

    fn shown_violations(&self) -> String {
        self.violations().map(|(field, message)| format!("; {field}: {message}")).collect()
    }
}

/// A fault of the connection, or a time-out.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.text())]
pub struct Transport(#[source] Fault);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Http(reqwest::Error),
    #[error("no byte was sent for too long")]
    Stalled,
}

impl Transport {
    pub(crate) fn stalled() -> Self {
        Transport(Fault::Stalled)
    }

    /// Returns true if there was no connection, so that the service has not seen the request.
    pub fn is_connect(&self) -> bool {
        matches!(&self.0, Fault::Http(error) if error.is_connect())
    }

    /// Returns true for a time-out.
    pub fn is_timeout(&self) -> bool {
        match &self.0 {
            Fault::Http(error) => error.is_timeout(),
            Fault::Stalled => true,
        }
    }

    fn text(&self) -> &'static str {
        match (self.is_connect(), self.is_timeout()) {
            (true, _) => "the service cannot be reached",
            (false, true) => "the service did not respond in time",
            (false, false) => "the connection was lost",
        }
    }
}

impl From<reqwest::Error> for Transport {
    fn from(error: reqwest::Error) -> Self {
        Transport(Fault::Http(error.without_url()))
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        Error::Transport(error.into())
    }
}

/// A response that is not one of this API.
#[derive(Debug, thiserror::Error)]
#[error("status {status} with a body that is not of this API: {excerpt}")]
#[non_exhaustive]
pub struct Unexpected {
    /// The HTTP status.
    pub status: u16,
    /// The beginning of the body, without control characters.
    pub excerpt: String,
    /// The id under which the service logs the request, if it has one.
    pub request_id: Option<String>,
    /// The reason why the body is not a value of the API, if it is JSON of another form.
    #[source]
    pub cause: Option<Box<dyn StdError + Send + Sync>>,
    pub(crate) retry_after: Option<Duration>,
}

/// The most characters of a foreign body that an error shows.
const EXCERPT: usize = 120;

impl Unexpected {
    pub(crate) fn error(
        status: StatusCode,
        heads: Heads,
        body: &[u8],
        cause: Option<serde_json::Error>,
    ) -> Error {
        let text = String::from_utf8_lossy(body);
        let shown = text.chars().map(|it| if it.is_control() { ' ' } else { it });
        Error::Unexpected(Box::new(Unexpected {
            status: status.as_u16(),
            excerpt: shown.take(EXCERPT).collect(),
            request_id: heads.request_id,
            cause: cause.map(Into::into),
            retry_after: heads.retry_after,
        }))
    }
}

impl Refused {
    /// Reads a refusal from a response that is not a success.
    pub(crate) fn read(status: StatusCode, heads: Heads, body: &[u8]) -> Error {
        let received = match serde_json::from_slice(body) {
            Ok(received) if !status.is_redirection() => received,
            Ok(_) => return Unexpected::error(status, heads, body, None),
            Err(error) => return Unexpected::error(status, heads, body, Some(error)),
        };
        Error::Refused(Box::new(Refused {
            status: status.as_u16(),
            body: received,
            json: String::from_utf8_lossy(body).into_owned(),
            request_id: heads.request_id,
            retry_after: heads.retry_after,
            rate_limit: heads.rate_limit,
        }))
    }
}
