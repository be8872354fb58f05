//! A response, and the value in it.

use bytes::Bytes;
use custom_models_core::CustomModel;
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::error::{Error, Refused, Unexpected};
use crate::reply::{Heads, Reply};

/// The longest body that is read of a response. The largest of the API, a page of models, is far below.
const MAX_RESPONSE: usize = 16 << 20;

/// A successful response.
pub(crate) struct Received {
    pub(crate) status: StatusCode,
    pub(crate) heads: Heads,
    body: Bytes,
}

impl Received {
    /// Reads a response; a status other than a success or 304 is an error.
    pub(crate) async fn read(mut response: Response) -> Result<Self, Error> {
        let (status, heads) = (response.status(), Heads::of(response.headers()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_RESPONSE {
                return Err(Unexpected::error(status, heads, &body, None));
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            Ok(Received { status, heads, body: body.into() })
        } else {
            Err(Refused::read(status, heads, &body))
        }
    }

    pub(crate) fn reply<T: DeserializeOwned>(self) -> Result<Reply<T>, Error> {
        match serde_json::from_slice(&self.body) {
            Ok(value) => Ok(Reply::new(value, self.heads)),
            Err(error) => Err(Unexpected::error(self.status, self.heads, &self.body, Some(error))),
        }
    }

    /// Returns the model, with the revision of the `ETag`.
    pub(crate) fn model(self) -> Result<Reply<CustomModel>, Error> {
        let revision = self.heads.revision;
        let mut reply: Reply<CustomModel> = self.reply()?;
        if let Some(revision) = revision {
            reply.value.version = revision.into();
        }
        Ok(reply)
    }

    /// Returns the reply of an operation whose response has no body.
    pub(crate) fn empty(self) -> Reply<()> {
        Reply::new((), self.heads)
    }
}
