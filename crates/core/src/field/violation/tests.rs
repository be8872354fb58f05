//! Messages, compared with the bounds of the types that they name.

use super::*;
use crate::field::base_model::BaseModel;
use crate::field::description::Description;
use crate::field::name::Name;
use crate::model::{
    InvalidMetricName, MetricName, TooManyMetrics, TrainingMetrics, TrainingStatus,
};
use crate::request::{PerPage, Violations};

#[test]
fn figures_and_lists_in_messages_are_those_of_the_types() {
    let message = |field, kind| Violation::new(field, kind).message().into_owned();
    let name = message(Field::Name, ViolationKind::TooLong);
    assert!(name.contains(&format!(" {} ", Name::MAX_CHARACTERS)), "{name}");
    let description = message(Field::Description, ViolationKind::TooLong);
    assert!(description.contains(&format!(" {} ", Description::MAX_CHARACTERS)));
    let per_page = message(Field::PerPage, ViolationKind::Unsupported);
    assert!(per_page.ends_with(&format!("from 1 to {}", PerPage::MAX)));
    let status = message(Field::Status, ViolationKind::Unsupported);
    assert!(status.ends_with(&format!("from 1 to {}", TrainingStatus::ALL.len())));
    let base_model = message(Field::BaseModel, ViolationKind::Unsupported);
    let all = BaseModel::ALL.map(BaseModel::as_str).join(", ");
    assert!(base_model.ends_with(&format!("is not one of {all}")));
    let metric = |fault| message(Field::TrainingMetrics, ViolationKind::Metric(fault));
    let name = metric(MetricFault::Name);
    assert!(name.contains(&format!(" 1 to {} ", MetricName::MAX_CHARACTERS)), "{name}");
    let many = metric(MetricFault::TooMany);
    assert!(many.contains(&format!(" more than {};", TrainingMetrics::MAX)), "{many}");
    assert!(TooManyMetrics.to_string().contains(&format!(" {} ", TrainingMetrics::MAX)));
    assert!(
        InvalidMetricName.to_string().contains(&format!(" 1 to {} ", MetricName::MAX_CHARACTERS))
    );
}

/// Without a detected format, the messages are those for a host that does not detect formats.
#[test]
fn data_2_messages_about_the_parts_of_an_upload_show_what_was_found() {
    let message = |field, kind, sent: &'static str| {
        Violation { field, kind, sent: Cow::Borrowed(sent) }.message().into_owned()
    };
    let (audio, text) = (Field::AudioFile, Field::TranscriptFile);
    for (field, kind, found, expected) in [
        (
            audio,
            ViolationKind::OtherCodec,
            "WAV with G.726",
            "Audio file is WAV with G.726: convert it to WAV with PCM, to FLAC or to MP3",
        ),
        (
            audio,
            ViolationKind::LowSampleRate,
            "1",
            "Audio file has a sample rate of 1 Hz, and 4000 Hz is the least",
        ),
        (
            audio,
            ViolationKind::OtherFormat,
            "FLAC",
            "Audio file is of another format than its name says: it is FLAC",
        ),
        (
            audio,
            ViolationKind::OtherFormat,
            "",
            "Audio file is of another format than its name says",
        ),
        (
            text,
            ViolationKind::NotText,
            "UTF-16",
            "Transcript file is not a text in UTF-8 but looks like UTF-16: save it as UTF-8",
        ),
        (
            text,
            ViolationKind::Blank,
            "invisible characters",
            "Transcript file cannot be empty: it has only invisible characters",
        ),
        (text, ViolationKind::Blank, "", "Transcript file cannot be empty"),
        (text, ViolationKind::NotText, "", "Transcript file is not a text in UTF-8"),
    ] {
        assert_eq!(message(field, kind, found), expected);
    }
    let faults = [(audio, ViolationKind::OtherCodec, Cow::Borrowed("AVI"))];
    let violations = Violations::of_upload(faults);
    let found = violations.get(audio).map(|it| it.message().into_owned());
    assert_eq!(
        found.as_deref(),
        Some("Audio file is AVI: convert it to WAV with PCM, to FLAC or to MP3")
    );
}
