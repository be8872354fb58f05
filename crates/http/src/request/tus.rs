//! The headers of tus 1.0, the protocol of files that are sent in several requests.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use custom_models_training_data::{Checksum, Metadata};

use crate::rejection::{Rejection, ResumableRejection};
use crate::request::body::{check_content_encoding, content_type, single};

/// The version of the protocol.
pub(crate) const VERSION: &str = "1.0.0";

/// The extensions of the protocol that the service has.
pub(crate) const EXTENSIONS: &str = "creation,termination,checksum,expiration";

pub(crate) const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");

/// The media type of new bytes.
pub(crate) const OFFSET_STREAM: &str = "application/offset+octet-stream";

/// Refuses a request that does not speak the protocol, and marks every response as one that does.
pub(crate) async fn check_version(request: Request, next: Next) -> Response {
    let version = single(request.headers(), "tus-resumable");
    let mut response = match version {
        Some(VERSION) => next.run(request).await,
        _ => Rejection::from(ResumableRejection::UnsupportedVersion).into_response(),
    };
    response.headers_mut().insert(RESUMABLE, HeaderValue::from_static(VERSION));
    response
}

/// Returns the method that a POST stands for.
pub(crate) fn method(headers: &HeaderMap) -> Option<Method> {
    single(headers, "x-http-method-override")?.parse().ok()
}

/// Returns the length of the file that an upload announces.
pub(crate) fn length(headers: &HeaderMap) -> Result<u64, ResumableRejection> {
    number(headers, "Upload-Length")
}

/// Returns the offset at which new bytes begin.
pub(crate) fn offset(headers: &HeaderMap) -> Result<u64, ResumableRejection> {
    number(headers, "Upload-Offset")
}

/// Returns the metadata of an upload.
pub(crate) fn metadata(headers: &HeaderMap) -> Result<Metadata, ResumableRejection> {
    let text = optional(headers, "Upload-Metadata")?.unwrap_or_default();
    Metadata::parse(text).map_err(|_| invalid("Upload-Metadata"))
}

/// Returns the checksum of new bytes, if they have one.
pub(crate) fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>, ResumableRejection> {
    let text = optional(headers, "Upload-Checksum")?;
    let parsed = text.map(|text| Checksum::parse(text).ok_or(invalid("Upload-Checksum")));
    parsed.transpose()
}

/// Checks that the body is new bytes, as they are: 415.
pub(crate) fn check_media_type(headers: &HeaderMap) -> Result<(), Rejection> {
    if content_type(headers) != Some(OFFSET_STREAM) {
        return Err(ResumableRejection::NotOffsetStream.into());
    }
    check_content_encoding(headers)
}

fn number(headers: &HeaderMap, name: &'static str) -> Result<u64, ResumableRejection> {
    // `parse` takes a sign, the protocol does not.
    let digits = single(headers, name).filter(|text| text.bytes().all(|it| it.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or(invalid(name))
}

fn optional<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a str>, ResumableRejection> {
    match headers.contains_key(name) {
        true => single(headers, name).map(Some).ok_or(invalid(name)),
        false => Ok(None),
    }
}

const fn invalid(name: &'static str) -> ResumableRejection {
    ResumableRejection::InvalidHeader { name }
}
