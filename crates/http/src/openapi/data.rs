//! The operations on the data of a model, and their shapes.

use custom_models_core::access::Operation as Asked;
use custom_models_core::field::{Field, ViolationKind};
use custom_models_core::model::{DataFile, DataType};
use custom_models_core::{Refusal, Violations};
use custom_models_training_data::{AudioFormat, LEAST_RATE};
use utoipa::openapi::content::Content;
use utoipa::openapi::path::Operation;
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat};
use utoipa::openapi::{Ref, RefOr, Required};

use crate::rejection::Rejection;

use super::life::all_required;
use super::operations::{READ, WRITE, described, replayable, shown, tagged};
use super::parameters::{data_id, id, idempotency_key, if_match};
use super::refusals::Refusals;
use super::schemas::{integer, moment, text, training_status};
use super::tags::Tag;

/// Every schema with its name.
pub(super) fn all() -> Vec<(&'static str, RefOr<Schema>)> {
    vec![
        ("NewData", new_data().into()),
        ("DataUploaded", uploaded().into()),
        ("DataList", list_of_pairs().into()),
        ("ListedPair", pair().into()),
        ("ListedFile", file().into()),
    ]
}

pub(super) fn upload() -> Operation {
    let wrong = [
        (Field::Type, ViolationKind::Unsupported),
        (Field::AudioFile, ViolationKind::OtherFormat),
        (Field::TranscriptFile, ViolationKind::Blank),
    ];
    let operation = described(Tag::Data, "uploadTrainingData", "Add training data to a model", WRITE)
        .description(Some(format!(
            "{WRITE} A pair of audio and transcript, {} bytes a file at most. How long the audio lasts is \
            read from the audio itself. With 5 hours to train with a model is ready.",
            DataFile::MAX_BYTES
        )))
        .parameter(id())
        .parameter(if_match())
        .parameter(idempotency_key())
        .request_body(Some(
            RequestBodyBuilder::new()
                .required(Some(Required::True))
                .content("multipart/form-data", Content::new(Some(Ref::from_schema_name("NewData"))))
                .build(),
        ));
    Refusals::of(Asked::Upload)
        .invalid(Some(Violations::of_fields(wrong)))
        .and([Rejection::RequestTimeout])
        .and([Refusal::FileTooLarge])
        .and([Rejection::UnsupportedContentEncoding, Rejection::NotMultipart])
        .and([Rejection::UnsupportedTransferEncoding])
        .and([Rejection::AtCapacity, Rejection::ShareExceeded { places: 4 }])
        .and([Refusal::ModelNotFound, Refusal::TrainingInProgress, Refusal::PreconditionFailed])
        .and([Refusal::IdempotencyKeyReused])
        .answer(operation)
        .with(
            "200",
            replayable(tagged(shown("DataUploaded", "The data was added, and is durable"))),
        )
        .build()
}

pub(super) fn list() -> Operation {
    let operation =
        described(Tag::Data, "listTrainingData", "List the training data of a model", READ);
    Refusals::of(Asked::ListData)
        .and([Refusal::ModelNotFound])
        .answer(operation.parameter(id()))
        .with("200", shown("DataList", "The data, in the order in which it was added"))
        .build()
}

pub(super) fn delete() -> Operation {
    let operation =
        described(Tag::Data, "deleteTrainingData", "Remove a pair of training data", WRITE)
            .parameter(id())
            .parameter(data_id())
            .parameter(if_match());
    Refusals::of(Asked::DeleteData)
        .and([Refusal::ModelNotFound, Refusal::DataNotFound, Refusal::TrainingInProgress])
        .and([Refusal::PreconditionFailed])
        .and([Rejection::UnsupportedContentEncoding])
        .answer(operation)
        .with("204", ResponseBuilder::new().description("The pair was removed"))
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
    let pairs = ArrayBuilder::new().items(Ref::from_schema_name("ListedPair"));
    all_required(vec![("count", integer().minimum(Some(0)).into()), ("result", pairs.into())])
}

fn pair() -> ObjectBuilder {
    all_required(vec![
        ("id", integer().minimum(Some(1)).into()),
        ("data_type", data_type().into()),
        ("audio_millis", integer().minimum(Some(0)).into()),
        ("audio", Ref::from_schema_name("ListedFile").into()),
        ("transcript", Ref::from_schema_name("ListedFile").into()),
        ("created_at", moment().into()),
    ])
}

fn file() -> ObjectBuilder {
    all_required(vec![
        ("filename", text().into()),
        ("bytes", integer().minimum(Some(1)).into()),
        ("sha256", text().pattern(Some("^[0-9a-f]{64}$")).into()),
    ])
}
