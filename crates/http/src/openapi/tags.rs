//! The tags: the groups in which the page shows operations.

use utoipa::openapi::tag::{Tag, TagBuilder};

pub(super) const MODELS: &str = "Models";
#[cfg(feature = "uploads")]
pub(super) const DATA: &str = "Training data";
pub(super) const TRAINING: &str = "Training";
pub(super) const HISTORY: &str = "History";
pub(super) const WORKERS: &str = "Workers";

/// Returns all tags, in the order of the page.
pub(super) fn all() -> Vec<Tag> {
    [
        (MODELS, "Create, show, change and delete models"),
        #[cfg(feature = "uploads")]
        (DATA, "Upload, list and remove pairs of audio and transcript"),
        (TRAINING, "Have a model trained, or call it off"),
        (HISTORY, "Read what was changed, by whom, and wait for it"),
        (WORKERS, "Claim trainings, and report on them"),
    ]
    .map(|(name, description)| TagBuilder::new().name(name).description(Some(description)).build())
    .to_vec()
}
