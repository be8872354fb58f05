//! A violation of one field, for programs and for people.

use std::borrow::Cow;
use std::fmt;

use crate::field::excerpt::push_echo;
use crate::field::metric_fault::MetricFault;
use crate::field::names::Field;

/// The kind of a violation, for programs; the message is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// The body is not one well-formed JSON text (BODY-1).
    NotJson,
    /// The body is JSON, but not an object (BODY-1).
    NotAnObject,
    /// The field occurs more than once (BODY-3, READ-1).
    Repeated,
    /// A required field is absent or `null` (NAME-1, LANG-1).
    Missing,
    /// The value has another JSON type than the field (NAME-2, LANG-2, BASE-2, DESC-2).
    WrongType,
    /// The text is empty or only whitespace (NAME-3).
    Blank,
    /// The text has too many characters (NAME-4, DESC-3).
    TooLong,
    /// The value is not in the field's set of values (LANG-3, BASE-3), or out of its range (READ-1).
    Unsupported,
    /// The field cannot be changed after creation (EDIT-2).
    Fixed,
    /// An update names no field to change (EDIT-1).
    NothingToChange,
    /// The body is not a multipart body, or is truncated (DATA-1).
    NotMultipart,
    /// The part has no file name (DATA-1).
    NotAFile,
    /// The file is not UTF-8 text (DATA-1).
    NotText,
    /// The file cannot be read as audio, or has no duration (DATA-2).
    NotAudio,
    /// The container or the codec of the audio is not supported (DATA-2).
    OtherCodec,
    /// The sample rate of the audio is below 4000 Hz (DATA-2).
    LowSampleRate,
    /// The format of the audio is not the one that the file's name implies (DATA-2).
    OtherFormat,
    /// The value is an API key, and would be stored in clear text (IDEM-1).
    ApiKey,
    /// A metric is invalid (TRAIN-3).
    Metric(MetricFault),
}

impl ViolationKind {
    /// Returns a stable name for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            ViolationKind::NotJson => "not_json",
            ViolationKind::NotAnObject => "not_an_object",
            ViolationKind::Repeated => "repeated",
            ViolationKind::Missing => "missing",
            ViolationKind::WrongType => "wrong_type",
            ViolationKind::Blank => "blank",
            ViolationKind::TooLong => "too_long",
            ViolationKind::Unsupported => "unsupported",
            ViolationKind::Fixed => "fixed",
            ViolationKind::NothingToChange => "nothing_to_change",
            ViolationKind::NotMultipart => "not_multipart",
            ViolationKind::NotAFile => "not_a_file",
            ViolationKind::NotText => "not_text",
            ViolationKind::NotAudio => "not_audio",
            ViolationKind::OtherCodec => "other_codec",
            ViolationKind::LowSampleRate => "low_sample_rate",
            ViolationKind::OtherFormat => "other_format",
            ViolationKind::ApiKey => "api_key",
            ViolationKind::Metric(fault) => fault.as_str(),
        }
    }
}

impl fmt::Display for ViolationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A violation of one field. Its `Display` is the message in the API.
///
/// It borrows from the request where it can, and formats its message only on demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation<'a> {
    pub(crate) field: Field,
    pub(crate) kind: ViolationKind,
    /// The sent text, if the message shows it; empty otherwise.
    pub(crate) sent: Cow<'a, str>,
}

impl<'a> Violation<'a> {
    pub(crate) const fn new(field: Field, kind: ViolationKind) -> Self {
        Violation { field, kind, sent: Cow::Borrowed("") }
    }

    pub(crate) const fn unsupported(field: Field, sent: Cow<'a, str>) -> Self {
        Violation { field, kind: ViolationKind::Unsupported, sent }
    }

    /// Returns the field.
    pub const fn field(&self) -> Field {
        self.field
    }

    /// Returns the kind of the violation.
    pub const fn kind(&self) -> ViolationKind {
        self.kind
    }

    /// Returns the same violation with an owned text.
    pub fn into_owned(self) -> Violation<'static> {
        Violation { field: self.field, kind: self.kind, sent: Cow::Owned(self.sent.into_owned()) }
    }
}

/// Builds a message that begins with the field's name.
macro_rules! message_of {
    ($field:expr, $rest:literal) => {
        match $field {
            Field::Body => concat!("Request body", $rest),
            Field::Name => concat!("Name", $rest),
            Field::Language => concat!("Language", $rest),
            Field::BaseModel => concat!("Base model", $rest),
            Field::Description => concat!("Description", $rest),
            Field::Page => concat!("Page", $rest),
            Field::PerPage => concat!("Per page", $rest),
            Field::Status => concat!("Status", $rest),
            Field::After => concat!("After", $rest),
            Field::Limit => concat!("Limit", $rest),
            Field::Wait => concat!("Wait", $rest),
            Field::ValidateOnly => concat!("Validate only", $rest),
            Field::IdempotencyKey => concat!("Idempotency key", $rest),
            Field::LeaseSeconds => concat!("Lease seconds", $rest),
            Field::Fence => concat!("Fence", $rest),
            Field::TrainingProgress => concat!("Training progress", $rest),
            Field::TrainingMetrics => concat!("Training metrics", $rest),
            Field::Error => concat!("Error", $rest),
            Field::Type => concat!("Type", $rest),
            Field::AudioFile => concat!("Audio file", $rest),
            Field::TranscriptFile => concat!("Transcript file", $rest),
        }
    };
}

impl Violation<'_> {
    /// Returns the message in the API.
    ///
    /// Tests compare the numbers and lists in these texts with the constants of the types.
    pub fn message(&self) -> Cow<'static, str> {
        match self.texts() {
            (whole, None) => Cow::Borrowed(whole),
            (before, Some(behind)) => {
                let mut message = String::with_capacity(128);
                message.push_str(before);
                push_echo(&mut message, &self.sent);
                message.push_str(behind);
                Cow::Owned(message)
            }
        }
    }

    /// Returns the message, or for one that shows the sent text, the parts before and after that text.
    fn texts(&self) -> (&'static str, Option<&'static str>) {
        let whole = match (self.kind, self.field) {
            (ViolationKind::NotJson, field) => message_of!(field, " is not valid JSON"),
            (ViolationKind::NotAnObject, field) => message_of!(field, " must be a JSON object"),
            (ViolationKind::Repeated, field) => message_of!(field, " is given more than once"),
            (ViolationKind::Missing, field) => message_of!(field, " is required"),
            (ViolationKind::WrongType, Field::Description) => {
                "Description must be a string or null"
            }
            (
                ViolationKind::WrongType,
                field @ (Field::LeaseSeconds | Field::Fence | Field::TrainingProgress),
            ) => message_of!(field, " must be an integer"),
            (ViolationKind::WrongType, Field::TrainingMetrics) => {
                "Training metrics must be an object"
            }
            (ViolationKind::WrongType, field) => message_of!(field, " must be a string"),
            (ViolationKind::Blank, field @ Field::TranscriptFile) if !self.sent.is_empty() => {
                return (message_of!(field, " cannot be empty: it has only "), Some(""));
            }
            (ViolationKind::Blank, field) => message_of!(field, " cannot be empty"),
            (ViolationKind::TooLong, Field::Name) => "Name cannot exceed 200 characters",
            (ViolationKind::TooLong, field @ (Field::AudioFile | Field::TranscriptFile)) => {
                message_of!(field, " cannot have a name of more than 255 bytes")
            }
            (ViolationKind::TooLong, field) => {
                message_of!(field, " cannot exceed 1000 characters")
            }
            (ViolationKind::Fixed, field) => {
                message_of!(field, " cannot be changed after creation")
            }
            (ViolationKind::NothingToChange, field) => {
                message_of!(field, " must have a name or a description")
            }
            (ViolationKind::NotMultipart, field) => {
                message_of!(field, " is not valid multipart/form-data")
            }
            (ViolationKind::NotAFile, field) => message_of!(field, " must be a file with a name"),
            (ViolationKind::OtherCodec, field) => {
                let behind = ": convert it to WAV with PCM, to FLAC or to MP3";
                return (message_of!(field, " is "), Some(behind));
            }
            (ViolationKind::LowSampleRate, field) => {
                let behind = " Hz, and 4000 Hz is the least";
                return (message_of!(field, " has a sample rate of "), Some(behind));
            }
            (ViolationKind::NotText, field) if !self.sent.is_empty() => {
                let before = message_of!(field, " is not a text in UTF-8 but looks like ");
                return (before, Some(": save it as UTF-8"));
            }
            (ViolationKind::OtherFormat, field) if !self.sent.is_empty() => {
                let before = message_of!(field, " is of another format than its name says: it is ");
                return (before, Some(""));
            }
            (ViolationKind::NotText, field) => message_of!(field, " is not a text in UTF-8"),
            (ViolationKind::NotAudio, field) => message_of!(field, " cannot be read as audio"),
            (ViolationKind::OtherFormat, field) => {
                message_of!(field, " is of another format than its name says")
            }
            (ViolationKind::ApiKey, field) => message_of!(field, " must not be an API key"),
            (ViolationKind::Unsupported, Field::Type) => "Type must be train or test",
            (ViolationKind::Unsupported, Field::AudioFile) => {
                "Audio file must be .mp3, .wav, .flac, .m4a, .aac or .ogg"
            }
            (ViolationKind::Unsupported, Field::TranscriptFile) => "Transcript file must be .txt",
            (ViolationKind::Unsupported, Field::Page) => "Page must be an integer of at least 1",
            (ViolationKind::Unsupported, Field::PerPage) => {
                "Per page must be an integer from 1 to 100"
            }
            (ViolationKind::Unsupported, Field::Status) => "Status must be an integer from 1 to 5",
            (ViolationKind::Unsupported, Field::After) => "After must be an integer of at least 0",
            (ViolationKind::Unsupported, Field::Limit) => "Limit must be an integer from 1 to 100",
            (ViolationKind::Unsupported, Field::Wait) => "Wait must be an integer from 0 to 30",
            (ViolationKind::Unsupported, Field::ValidateOnly) => {
                "Validate only must be true or false"
            }
            (ViolationKind::Unsupported, Field::IdempotencyKey) => {
                "Idempotency key must be 1 to 255 visible ASCII characters"
            }
            (ViolationKind::Unsupported, Field::LeaseSeconds) => {
                "Lease seconds must be an integer from 1 to 86400"
            }
            (ViolationKind::Unsupported, Field::Fence) => "Fence must be an integer of at least 0",
            (ViolationKind::Unsupported, Field::TrainingProgress) => {
                "Training progress must be an integer from 0 to 100"
            }
            (ViolationKind::Metric(fault), _) => {
                let (before, behind) = fault.texts();
                return (before, Some(behind));
            }
            (ViolationKind::Unsupported, Field::BaseModel) => {
                let behind = "' is not one of general, medical, legal, technical";
                return ("Base model '", Some(behind));
            }
            (ViolationKind::Unsupported, field) => {
                return (message_of!(field, " '"), Some("' is not supported"));
            }
        };
        (whole, None)
    }

    /// Appends the message as a JSON string. The sent text is shown without control characters (BODY-5), so
    /// that only quotes and backslashes need escapes.
    pub(crate) fn push_json(&self, out: &mut String) {
        let (before, behind) = self.texts();
        out.push('"');
        out.push_str(before);
        if let Some(behind) = behind {
            let start = out.len();
            push_echo(out, &self.sent);
            let shown = out.get(start..).unwrap_or_default();
            if shown.contains(['"', '\\']) {
                let escaped = shown.replace('\\', r"\\").replace('"', r#"\""#);
                out.truncate(start);
                out.push_str(&escaped);
            }
            out.push_str(behind);
        }
        out.push('"');
    }
}

impl fmt::Display for Violation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.message())
    }
}

impl std::error::Error for Violation<'_> {}

#[cfg(test)]
mod tests;
