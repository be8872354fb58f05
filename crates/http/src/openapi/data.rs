//! The operations on the data of a model, and their schemas.

use custom_models_core::access::Operation;
use custom_models_core::field::{Field, ViolationKind};
use custom_models_core::model::{DataFile, DataType};
use custom_models_core::request::ListData;
use custom_models_core::{Refusal, Violations};
use custom_models_training_data::{AudioFormat, LEAST_RATE, ResumableError};
use utoipa::openapi::path::Operation as OperationObject;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat};
use utoipa::openapi::{Ref, RefOr, Required};

use crate::rejection::Rejection;

use super::builder::{Described, JSON};
use super::operations::{json_response, with_etag, with_replayed};
use super::parameters::{id, idempotency_key, if_match, in_path, number_from, of_page};
use super::resumable::upload_id;
use super::schemas::{all_required, date_time, integer, page_of, text, training_status};
use super::tags;

/// Returns every schema with its name.
pub(super) fn all() -> Vec<(&'static str, RefOr<Schema>)> {
    vec![
        ("NewData", new_data().into()),
        ("FinishedUploads", finished_uploads().into()),
        ("DataUploaded", uploaded().into()),
        ("DataList", list_of_pairs().into()),
        ("ListedPair", pair().into()),
        ("ListedFile", file().into()),
    ]
}

pub(crate) fn upload(operation: Operation) -> OperationObject {
    let wrong = [
        (Field::Type, ViolationKind::Unsupported),
        (Field::AudioFile, ViolationKind::OtherFormat),
        (Field::TranscriptFile, ViolationKind::Blank),
    ];
    let summary = "Add training data to a model";
    Described::new(operation, tags::DATA, "uploadTrainingData", summary)
        .notes(&format!(
            "A pair of audio and transcript, {} bytes a file at most, in this request, or named by the ids of finished \
            uploads. How long the audio lasts is read from the audio itself. With 5 hours to train with a model is ready.",
            DataFile::MAX_BYTES
        ))
        .parameters([id(), if_match(), idempotency_key()])
        .bodies([("multipart/form-data", "NewData"), (JSON, "FinishedUploads")], Required::True)
        .invalid(Some(Violations::of_fields(wrong)))
        .rejects([Rejection::RequestTimeout])
        .rejects([Refusal::FileTooLarge])
        .rejects([Rejection::UnsupportedContentEncoding, Rejection::NotMultipart])
        .rejects([Rejection::UnsupportedTransferEncoding])
        .rejects([Rejection::AtCapacity, Rejection::ShareExceeded { places: 4 }])
        .rejects([Refusal::ModelNotFound, Refusal::TrainingInProgress])
        .rejects([Refusal::PreconditionFailed, Refusal::IdempotencyKeyReused])
        .rejects([ResumableError::NotFound, ResumableError::Unfinished { offset: 1024 }])
        .responds(
            "200",
            with_replayed(with_etag(json_response(
                "DataUploaded",
                "The data was added, and is durable",
            ))),
        )
        .build()
}

pub(crate) fn list(operation: Operation) -> OperationObject {
    let summary = "List the training data of a model";
    Described::new(operation, tags::DATA, "listTrainingData", summary)
        .notes("In the order in which it was added.")
        .parameters([id()])
        .parameters(of_page("pairs"))
        .invalid(ListData::from_pairs([("page", "0")]).err())
        .rejects([Refusal::ModelNotFound])
        .responds("200", json_response("DataList", "A page of the data"))
        .build()
}

pub(crate) fn delete(operation: Operation) -> OperationObject {
    Described::new(operation, tags::DATA, "deleteTrainingData", "Remove a pair of training data")
        .parameters([id(), in_path("data_id", number_from(1)), if_match()])
        .rejects([Refusal::ModelNotFound, Refusal::DataNotFound, Refusal::TrainingInProgress])
        .rejects([Refusal::PreconditionFailed])
        .rejects([Rejection::UnsupportedContentEncoding])
        .responds("204", ResponseBuilder::new().description("The pair was removed"))
        .build()
}

fn new_data() -> ObjectBuilder {
    let format = |it: AudioFormat| format!(".{} ({})", it.extension(), it.codecs());
    let formats = AudioFormat::ALL.map(format).join("; ");
    let binary = || text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
    let audio = format!(
        "The audio, of at least {LEAST_RATE} Hz: a file whose name ends in one of these, with one of the codecs behind it: \
        {formats}. What cannot be decoded does not count."
    );
    let transcript = "What was said in it: a file whose name ends in .txt, in UTF-8, not blank and without control \
        characters other than tabs and ends of lines and pages";
    all_required(vec![
        ("type", data_type().into()),
        ("audio_file", binary().description(Some(audio)).into()),
        ("transcript_file", binary().description(Some(transcript)).into()),
    ])
}

fn finished_uploads() -> ObjectBuilder {
    all_required(vec![
        ("type", data_type().into()),
        ("audio_file", upload_id().into()),
        ("transcript_file", upload_id().into()),
    ])
}

fn data_type() -> ObjectBuilder {
    text().enum_values(Some(DataType::ALL.map(DataType::as_str)))
}

fn uploaded() -> ObjectBuilder {
    all_required(vec![
        ("message", text().into()),
        ("data_type", data_type().into()),
        ("filename", text().into()),
        ("transcript_filename", text().into()),
        ("training_status", training_status().into()),
    ])
}

fn list_of_pairs() -> ObjectBuilder {
    page_of("ListedPair")
}

fn pair() -> ObjectBuilder {
    all_required(vec![
        ("id", integer().minimum(Some(1)).into()),
        ("data_type", data_type().into()),
        ("audio_millis", integer().minimum(Some(0)).into()),
        ("audio", Ref::from_schema_name("ListedFile").into()),
        ("transcript", Ref::from_schema_name("ListedFile").into()),
        ("created_at", date_time().into()),
    ])
}

fn file() -> ObjectBuilder {
    all_required(vec![
        ("filename", text().into()),
        ("bytes", integer().minimum(Some(1)).into()),
        ("sha256", text().pattern(Some("^[0-9a-f]{64}$")).into()),
    ])
}
