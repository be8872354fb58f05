//! The clock of the service, from the `Date` of its last response. Ages of objects are computed with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};

/// The time of the service, if it has been received.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock(Arc<Mutex<Option<DateTime<Utc>>>>);

impl Clock {
    /// Returns the time since `moment`; `None` if that is in the future, or the time of the service is not
    /// known.
    pub(super) fn since(&self, moment: DateTime<Utc>) -> Option<Duration> {
        let now = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let age = now.signed_duration_since(moment);
        // A date has whole seconds only.
        let is_now = age < TimeDelta::zero() && age > TimeDelta::seconds(-1);
        if is_now { Some(Duration::ZERO) } else { age.to_std().ok() }
    }

    fn note(&self, response: &HttpResponse) {
        let date = response.headers().get("date").and_then(|date| date.to_str().ok());
        if let Some(Ok(now)) = date.map(DateTime::parse_from_rfc2822) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now.to_utc());
        }
    }
}

/// Connects like object_store, and records the time of each response.
#[derive(Debug)]
pub(super) struct Noting(pub(super) Clock);

impl HttpConnector for Noting {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Noted { client, clock: self.0.clone() }))
    }
}

#[derive(Debug)]
struct Noted {
    client: HttpClient,
    clock: Clock,
}

#[async_trait]
impl HttpService for Noted {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.client.execute(request).await?;
        self.clock.note(&response);
        Ok(response)
    }
}
