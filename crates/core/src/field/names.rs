//! The fields of requests, by name.

use std::fmt;

/// A field of a request, in the order of `details` (WIRE-400).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The request body as a whole.
    Body,
    /// `name`
    Name,
    /// `language`
    Language,
    /// `base_model`
    BaseModel,
    /// `description`
    Description,
    /// `page`, a parameter of a list
    Page,
    /// `per_page`, a parameter of a list
    PerPage,
    /// `status`, a parameter of a list
    Status,
    /// `after`, a parameter of the history
    After,
    /// `limit`, a parameter of the history
    Limit,
    /// `wait`, a parameter of the history
    Wait,
    /// `validate_only`, a parameter of a create
    ValidateOnly,
    /// The header `Idempotency-Key`
    IdempotencyKey,
    /// `lease_seconds` of a claim or a heartbeat
    LeaseSeconds,
    /// `fence` of a worker's report
    Fence,
    /// `training_progress` of a heartbeat
    TrainingProgress,
    /// `training_metrics` of a success
    TrainingMetrics,
    /// `error` of a failure
    Error,
    /// `type` of an upload
    Type,
    /// `audio_file` of an upload
    AudioFile,
    /// `transcript_file` of an upload
    TranscriptFile,
}

impl Field {
    pub(crate) const ALL: [Field; 21] = [
        Field::Body,
        Field::Name,
        Field::Language,
        Field::BaseModel,
        Field::Description,
        Field::Page,
        Field::PerPage,
        Field::Status,
        Field::After,
        Field::Limit,
        Field::Wait,
        Field::ValidateOnly,
        Field::IdempotencyKey,
        Field::LeaseSeconds,
        Field::Fence,
        Field::TrainingProgress,
        Field::TrainingMetrics,
        Field::Error,
        Field::Type,
        Field::AudioFile,
        Field::TranscriptFile,
    ];

    /// Returns the field's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Field::Body => "body",
            Field::Name => "name",
            Field::Language => "language",
            Field::BaseModel => "base_model",
            Field::Description => "description",
            Field::Page => "page",
            Field::PerPage => "per_page",
            Field::Status => "status",
            Field::After => "after",
            Field::Limit => "limit",
            Field::Wait => "wait",
            Field::ValidateOnly => "validate_only",
            Field::IdempotencyKey => "idempotency_key",
            Field::LeaseSeconds => "lease_seconds",
            Field::Fence => "fence",
            Field::TrainingProgress => "training_progress",
            Field::TrainingMetrics => "training_metrics",
            Field::Error => "error",
            Field::Type => "type",
            Field::AudioFile => "audio_file",
            Field::TranscriptFile => "transcript_file",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
