//! Idempotency keys, and the records by which a repeated request gets its first response (IDEM-1).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::access::{ApiKey, Operation};
use crate::field::{Field, Violation, ViolationKind};
use crate::model::{ContentDigest, ModelId, Revision};
use crate::time::UnixMillis;

/// An idempotency key, by which a caller names a request to repeat it safely: 1 to 255 visible ASCII
/// characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct IdempotencyKey(Cow<'static, str>);

/// The error for a text that is not an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 255 visible ASCII characters")]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    /// The most characters in a key.
    pub const MAX_CHARACTERS: usize = 255;

    /// Validates a key.
    pub fn new(key: impl Into<Cow<'static, str>>) -> Result<Self, InvalidIdempotencyKey> {
        let key = key.into();
        let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if is_visible && (1..=Self::MAX_CHARACTERS).contains(&key.len()) {
            Ok(IdempotencyKey(key))
        } else {
            Err(InvalidIdempotencyKey)
        }
    }

    /// Returns the key of a request from all values of its header; `None` if it has none.
    ///
    /// # Errors
    ///
    /// A violation of [`Field::IdempotencyKey`] if the value is not a key, or if there are several.
    pub fn from_values<'a>(
        values: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Option<Self>, Violation<'static>> {
        let violation = |kind| Violation::new(Field::IdempotencyKey, kind);
        let mut values = values.into_iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(violation(ViolationKind::Repeated)),
            // An API key must not be stored in clear text.
            (Some(key), None) if ApiKey::is_in(key) => Err(violation(ViolationKind::ApiKey)),
            (Some(key), None) => {
                let key = str::from_utf8(key).ok().and_then(|key| key.parse().ok());
                key.map(Some).ok_or(violation(ViolationKind::Unsupported))
            }
        }
    }

    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    fn from_str(key: &str) -> Result<Self, Self::Err> {
        IdempotencyKey::new(key.to_owned())
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A request that its caller may repeat, with its key and its digest (IDEM-1).
///
/// Not `#[non_exhaustive]`: a host writes it as a literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// The key by which the caller names the request.
    pub key: IdempotencyKey,
    /// The digest of the request, by [`NewIdempotencyRecord::digest`].
    pub request: ContentDigest,
}

/// The primary key of an idempotency record within an organisation: the operation, its model, and the
/// caller's key.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyScope {
    /// The requested operation.
    pub operation: Operation,
    /// The model that the request is about; `None` for a create.
    pub target: Option<ModelId>,
    /// The key by which the caller names the request.
    pub key: IdempotencyKey,
}

/// A request whose idempotency record is stored with its change.
///
/// The record holds the response, which follows from the change: the model with status 201 for a create and
/// 200 for an edit, and [`Uploaded`](crate::model::Uploaded) for an upload.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIdempotencyRecord {
    /// The key under which the record is stored.
    pub key: IdempotencyScope,
    /// The digest of the request. A repeat with another body is another request.
    pub request: ContentDigest,
}

impl NewIdempotencyRecord {
    /// The lifetime of a record: 24 hours (IDEM-1).
    pub const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

    /// Returns the digest of a request's body.
    pub fn digest(body: &[u8]) -> ContentDigest {
        ContentDigest::from_bytes(Sha256::digest(body).into())
    }
}

/// A stored response to a request, under its idempotency key.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdempotencyRecord {
    /// The digest of the request.
    pub request: ContentDigest,
    /// The time of the change that the request made.
    pub at: UnixMillis,
    /// The HTTP status.
    pub status: u16,
    /// The revision of the model after the change.
    pub revision: Revision,
    /// The body, as it was sent.
    pub body: String,
}

impl IdempotencyRecord {
    /// Returns true if a repeat at `now` gets the stored response. Later it is a new request.
    pub fn is_live_at(&self, now: UnixMillis) -> bool {
        now < self.at.later(NewIdempotencyRecord::KEPT_FOR)
    }
}
