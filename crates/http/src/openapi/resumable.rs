//! The operations on files that are sent in several requests (tus 1.0).

use custom_models_core::Refusal;
use custom_models_core::access::Operation;
use custom_models_core::model::DataFile;
use custom_models_training_data::{Checksum, ResumableError, UPLOAD_LIFETIME};
use utoipa::openapi::path::{Operation as OperationObject, Parameter, ParameterBuilder};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Required};

use super::builder::{Described, header};
use super::parameters::{in_header, in_path, number};
use super::schemas::text;
use super::tags;
use crate::rejection::{Rejection, ResumableRejection};
use crate::request::tus;

/// Returns every schema with its name.
pub(super) fn all() -> Vec<(&'static str, RefOr<utoipa::openapi::schema::Schema>)> {
    let bytes = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
    vec![("UploadedBytes", bytes.into())]
}

pub(crate) fn begin(operation: Operation) -> OperationObject {
    let notes = format!(
        "By tus 1.0, with the extensions {}. At most {} bytes. `OPTIONS` says so too. The metadata `filename` is the name \
        under which the file becomes training data. An upload that gets no bytes for {} hours is removed.",
        tus::EXTENSIONS,
        DataFile::MAX_BYTES,
        UPLOAD_LIFETIME.as_secs() / 3600,
    );
    described(operation, "beginUpload", "Begin a file that is sent in several requests")
        .notes(&notes)
        .parameters([
            required_header("Upload-Length", "The length of the file in bytes", length()),
            in_header("Upload-Metadata", "Names and values in Base64, separated by commas", text()),
        ])
        .rejects([invalid("Upload-Length")])
        .rejects([Refusal::FileTooLarge])
        .rejects([ResumableRejection::Refused(ResumableError::TooManyBytes { limit: 1 << 40 })])
        .rejects([Rejection::UnsupportedContentEncoding])
        .responds("201", expiring("The upload has begun").header("Location", string("Its path")))
        .build()
}

pub(crate) fn show(operation: Operation) -> OperationObject {
    described(operation, "showUpload", "Show how much of a file has arrived")
        .parameters([in_path("upload_id", upload_id())])
        .rejects([not_found()])
        .responds(
            "200",
            at_offset("The state of the upload")
                .header("Upload-Length", header(Type::Integer, "The length of the file in bytes"))
                .header("Upload-Metadata", string("The metadata that it was begun with"))
                .header("Cache-Control", string("`no-store`")),
        )
        .build()
}

pub(crate) fn append(operation: Operation) -> OperationObject {
    let notes = "What arrives before a connection breaks is kept, unless it came with a checksum.";
    let checksum = format!(
        "An algorithm ({}), a space, and the digest of the body in Base64",
        Checksum::ALGORITHMS
    );
    described(operation, "continueUpload", "Add bytes to a file")
        .notes(notes)
        .parameters([
            in_path("upload_id", upload_id()),
            required_header("Upload-Offset", "The number of bytes that have arrived", length()),
            in_header("Upload-Checksum", &checksum, text()),
        ])
        .body(tus::OFFSET_STREAM, "UploadedBytes", Required::True)
        .rejects([invalid("Upload-Offset")])
        .rejects([not_found(), refused(ResumableError::OffsetMismatch { offset: 1024 })])
        .rejects([refused(ResumableError::TooManyPieces)])
        .rejects([refused(ResumableError::ChecksumMismatch)])
        .rejects([Refusal::FileTooLarge])
        .rejects([Rejection::RequestTimeout, Rejection::UnsupportedContentEncoding])
        .rejects([ResumableRejection::NotOffsetStream])
        .rejects([Rejection::UnsupportedTransferEncoding])
        .rejects([Rejection::AtCapacity, Rejection::ShareExceeded { places: 4 }])
        .responds("204", at_offset("The bytes are durable"))
        .build()
}

pub(crate) fn delete(operation: Operation) -> OperationObject {
    described(operation, "deleteUpload", "Remove a file that was sent in several requests")
        .parameters([in_path("upload_id", upload_id())])
        .rejects([not_found()])
        .rejects([Rejection::UnsupportedContentEncoding])
        .responds("204", ResponseBuilder::new().description("The upload was removed"))
        .build()
}

fn described(operation: Operation, name: &str, summary: &str) -> Described {
    let version = text().enum_values(Some([tus::VERSION]));
    Described::new(operation, tags::DATA, name, summary)
        .parameters([required_header("Tus-Resumable", "The version of the protocol", version)])
        .rejects([ResumableRejection::UnsupportedVersion])
}

/// Returns the schema of the id of an upload.
pub(super) fn upload_id() -> ObjectBuilder {
    text().pattern(Some("^[0-9a-f]{32}-(0|[1-9][0-9]{0,10})$"))
}

fn length() -> ObjectBuilder {
    number(0, DataFile::MAX_BYTES, None)
}

fn at_offset(description: &str) -> ResponseBuilder {
    let offset = header(Type::Integer, "The number of bytes that have arrived");
    expiring(description).header("Upload-Offset", offset)
}

fn expiring(description: &str) -> ResponseBuilder {
    let at = "The time at which the upload is removed if nothing more arrives";
    ResponseBuilder::new().description(description).header("Upload-Expires", string(at))
}

fn string(description: &str) -> utoipa::openapi::Header {
    header(Type::String, description)
}

fn invalid(name: &'static str) -> ResumableRejection {
    ResumableRejection::InvalidHeader { name }
}

fn not_found() -> ResumableRejection {
    refused(ResumableError::NotFound)
}

fn refused(error: ResumableError) -> ResumableRejection {
    ResumableRejection::Refused(error)
}

/// Returns a header without which the request is refused.
fn required_header(name: &str, description: &str, schema: ObjectBuilder) -> Parameter {
    let parameter = ParameterBuilder::from(in_header(name, description, schema));
    parameter.required(Required::True).build()
}
