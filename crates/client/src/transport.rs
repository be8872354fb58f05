//! Sending a request, again where that is safe, and reading its response.

use std::fmt::Display;
use std::time::Duration;

use bytes::Bytes;
use custom_models_core::CustomModel;
use custom_models_core::model::Expected;
use custom_models_core::store::IdempotencyKey;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, IF_MATCH};
use reqwest::{Method, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::client::{Client, Settings};
use crate::error::Error;
use crate::received::Received;
use crate::reply::Reply;
use crate::upload::Upload;

/// The header of an idempotency key.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A request, of which each attempt is made.
pub(crate) struct Call<'a> {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Body<'a>,
    /// The time that the service may take in addition to the time-out.
    wait: Duration,
    is_repeatable: bool,
}

enum Body<'a> {
    Empty,
    Json(Bytes),
    Upload(&'a Upload),
}

impl<'a> Call<'a> {
    /// Makes a request for a path under the base URL.
    pub(crate) fn new(client: &Client, method: Method, path: &[&dyn Display]) -> Self {
        let mut url = client.0.base_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            let path = path.iter().map(ToString::to_string);
            segments.pop_if_empty().extend(path);
        }
        Call {
            is_repeatable: method == Method::GET,
            method,
            url,
            headers: HeaderMap::new(),
            body: Body::Empty,
            wait: Duration::ZERO,
        }
    }

    /// Makes a request about models.
    pub(crate) fn on_models(client: &Client, method: Method, path: &[&dyn Display]) -> Self {
        let all: [&[&dyn Display]; 2] = [&[&"api", &"v3", &"custom_models"], path];
        Call::new(client, method, &all.concat())
    }

    /// Makes a request of a worker.
    pub(crate) fn on_training(client: &Client, method: Method, path: &[&dyn Display]) -> Self {
        let all: [&[&dyn Display]; 2] = [&[&"api", &"v3", &"training"], path];
        Call::new(client, method, &all.concat())
    }

    pub(crate) fn query(mut self, name: &str, value: impl Display) -> Self {
        self.url.query_pairs_mut().append_pair(name, &value.to_string());
        self
    }

    /// Adds a parameter if it has a value.
    pub(crate) fn query_if(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        // Keys and tags are visible ASCII.
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Names the revisions at which the model may be changed.
    pub(crate) fn expecting(self, expected: &Expected) -> Self {
        match expected {
            Expected::Anything => self,
            Expected::OneOf(revisions) => {
                let tags: Vec<_> = revisions.iter().map(|it| format!("\"{it}\"")).collect();
                self.header(IF_MATCH.as_str(), &tags.join(", "))
            }
        }
    }

    /// Names the request, by default with a key of its own, so that it is safe to repeat.
    pub(crate) fn once(mut self, key: Option<&IdempotencyKey>) -> Self {
        self.is_repeatable = true;
        match key {
            Some(key) => self.header(IDEMPOTENCY_KEY, key.as_str()),
            None => self.header(IDEMPOTENCY_KEY, &Uuid::new_v4().to_string()),
        }
    }

    /// Says that the service does nothing twice if the request is repeated.
    pub(crate) fn repeatable(mut self) -> Self {
        self.is_repeatable = true;
        self
    }

    pub(crate) fn json(mut self, value: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(value)
            .map_err(|_| Error::Inexpressible("the request has no form in JSON"))?;
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = Body::Json(body.into());
        Ok(self)
    }

    pub(crate) fn upload(mut self, upload: &'a Upload) -> Self {
        self.body = Body::Upload(upload);
        self
    }

    pub(crate) fn waiting(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }
}

impl Client {
    /// Sends a request, and again as the policy of retries says.
    pub(crate) async fn send(&self, call: Call<'_>) -> Result<Received, Error> {
        let retries = &self.0.retries;
        let can_repeat = match &call.body {
            Body::Upload(upload) => upload.can_be_sent_again(),
            _ => true,
        };
        let mut count = 0;
        loop {
            let error = match self.0.attempt(&call).await {
                Ok(received) => return Ok(received),
                Err(error) => error,
            };
            match retries.wait(&error, count, call.is_repeatable) {
                Some(wait) if can_repeat => retries.sleep(wait).await,
                _ => return Err(error),
            }
            count += 1;
        }
    }

    /// Sends a request, and reads a value of the API.
    pub(crate) async fn fetch<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
    ) -> Result<Reply<T>, Error> {
        self.send(call).await?.reply()
    }

    /// Sends a request, and reads a model.
    pub(crate) async fn fetch_model(&self, call: Call<'_>) -> Result<Reply<CustomModel>, Error> {
        self.send(call).await?.model()
    }
}

impl Settings {
    async fn attempt(&self, call: &Call<'_>) -> Result<Received, Error> {
        let request =
            self.http.request(call.method.clone(), call.url.clone()).headers(call.headers.clone());
        let request = match &call.body {
            Body::Upload(upload) => return upload.send(request, self.stall_timeout).await,
            Body::Json(body) => request.body(body.clone()),
            Body::Empty => request,
        };
        Received::read(request.timeout(self.timeout.saturating_add(call.wait)).send().await?).await
    }
}
