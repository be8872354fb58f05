//! The location of objects, from a URL.

use custom_models_core::store::{StoreError, StoreErrorKind};
use object_store::path::Path as Key;

/// A service for object storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    S3,
    Google,
    Azure,
}

/// A bucket or container, and a prefix in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) service: Service,
    pub(super) bucket: String,
    pub(super) prefix: Key,
    /// The URL, without a trailing slash.
    pub(super) name: String,
}

impl Location {
    /// Parses a URL. Parts that may be secrets are refused, and not repeated in the error.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let wrong = |why: &str| {
            let cause = format!(
                "{why}: name training data in object storage as s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or \
                az://CONTAINER/PREFIX; credentials come from the environment"
            );
            StoreError::new(StoreErrorKind::Unavailable, cause)
        };
        let (service, rest) =
            [("s3://", Service::S3), ("gs://", Service::Google), ("az://", Service::Azure)]
                .into_iter()
                .find_map(|(scheme, service)| Some((service, url.strip_prefix(scheme)?)))
                .ok_or_else(|| wrong("no URL of object storage"))?;
        if rest.contains(['@', '?', '#', '%', '\\']) || rest.chars().any(char::is_control) {
            return Err(wrong("a URL with a user, a query, a fragment or an escape"));
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_of_a_name = |it: char| it.is_ascii_alphanumeric() || ".-_".contains(it);
        if bucket.is_empty() || !bucket.chars().all(is_of_a_name) {
            return Err(wrong("a URL without the name of a bucket"));
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let prefix =
            Key::parse(prefix).map_err(|_| wrong("a prefix with an empty part, '.' or '..'"))?;
        let scheme = url.split_at(5).0;
        let slash = if prefix.as_ref().is_empty() { "" } else { "/" };
        let name = format!("{scheme}{bucket}{slash}{prefix}");
        Ok(Location { service, bucket: bucket.to_owned(), prefix, name })
    }
}

#[cfg(test)]
mod tests;
