//! Rejections of requests about files that are sent in several requests.

use custom_models_core::Refusal;
use custom_models_core::wire::ErrorBody;
use custom_models_training_data::ResumableError;

use crate::rejection::Rejection;
use crate::request::tus;

/// A refusal of a request about an unfinished upload (tus 1.0).
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResumableRejection {
    /// 412: the request does not speak this version of the protocol.
    #[error("`Tus-Resumable` is not {}", tus::VERSION)]
    UnsupportedVersion,
    /// 400: a header is missing, repeated or invalid.
    #[error("`{name}` is missing, repeated or invalid")]
    InvalidHeader {
        /// The name of the header.
        name: &'static str,
    },
    /// 415: the `Content-Type` of new bytes is not `application/offset+octet-stream`.
    #[error("`Content-Type` is not `{}`", tus::OFFSET_STREAM)]
    NotOffsetStream,
    /// The upload refuses: 404, 409, 413 and 460.
    #[error(transparent)]
    Refused(ResumableError),
}

impl From<ResumableError> for Rejection {
    fn from(error: ResumableError) -> Self {
        match error {
            ResumableError::Store(fault) => fault.into(),
            ResumableError::TooLarge => Refusal::FileTooLarge.into(),
            refused => ResumableRejection::Refused(refused).into(),
        }
    }
}

impl<'a> From<&'a ResumableRejection> for ErrorBody<'a> {
    fn from(rejection: &'a ResumableRejection) -> Self {
        match rejection {
            ResumableRejection::UnsupportedVersion => {
                let message = "Tus-Resumable must be 1.0.0";
                ErrorBody::new(412, "Precondition Failed", message)
                    .with_code("UNSUPPORTED_TUS_VERSION")
                    .with_header("Tus-Version", tus::VERSION)
            }
            ResumableRejection::InvalidHeader { name } => {
                let message = "A header of the upload is missing, repeated or invalid";
                ErrorBody::new(400, "Bad Request", message)
                    .with_code("INVALID_UPLOAD_HEADER")
                    .with_detail("header", *name)
            }
            ResumableRejection::NotOffsetStream => {
                let message = "Content-Type must be application/offset+octet-stream";
                ErrorBody::new(415, "Unsupported Media Type", message)
                    .with_code("UNSUPPORTED_MEDIA_TYPE")
            }
            ResumableRejection::Refused(error) => refused(error),
        }
    }
}

fn refused(error: &ResumableError) -> ErrorBody<'_> {
    match error {
        ResumableError::OffsetMismatch { offset } => {
            let message = "The upload does not end where these bytes begin";
            ErrorBody::new(409, "Conflict", message)
                .with_code("UPLOAD_OFFSET_MISMATCH")
                .with_detail("offset", *offset)
        }
        ResumableError::Unfinished { offset } => {
            let message = "The upload is not finished";
            ErrorBody::new(409, "Conflict", message)
                .with_code("UPLOAD_UNFINISHED")
                .with_detail("offset", *offset)
        }
        ResumableError::TooManyPieces => {
            let message =
                "The upload came in too many pieces. Please start again with larger ones.";
            ErrorBody::new(409, "Conflict", message).with_code("UPLOAD_TOO_FRAGMENTED")
        }
        ResumableError::TooManyBytes { limit } => {
            let message = "The unfinished uploads of your organisation have no room for this one. \
                Please use or delete some.";
            ErrorBody::new(413, "Content Too Large", message)
                .with_code("UNFINISHED_UPLOADS_TOO_LARGE")
                .with_detail("limit_bytes", *limit)
        }
        ResumableError::ChecksumMismatch => {
            let message = "The bytes do not have the checksum that came with them";
            ErrorBody::new(460, "Checksum Mismatch", message).with_code("CHECKSUM_MISMATCH")
        }
        _ => {
            let message = "There is no unfinished upload with this id";
            ErrorBody::new(404, "Not Found", message).with_code("UPLOAD_NOT_FOUND")
        }
    }
}
