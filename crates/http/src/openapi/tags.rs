//! The tags: the groups in which the page shows operations.

use utoipa::openapi::tag::{self, TagBuilder};

/// A group of operations.
#[derive(Clone, Copy)]
pub(super) enum Tag {
    Models,
    Data,
    Training,
    History,
    Workers,
}

impl Tag {
    const ALL: [Tag; 5] = [Tag::Models, Tag::Data, Tag::Training, Tag::History, Tag::Workers];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Tag::Models => "Models",
            Tag::Data => "Training data",
            Tag::Training => "Training",
            Tag::History => "History",
            Tag::Workers => "Workers",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Tag::Models => "Create, show, change and delete models",
            Tag::Data => "Upload, list and remove pairs of audio and transcript",
            Tag::Training => "Have a model trained, or call it off",
            Tag::History => "Read what was changed, by whom, and wait for it",
            Tag::Workers => "Claim trainings, and report on them",
        }
    }
}

/// Returns all groups, in the order of the page.
pub(super) fn all() -> [tag::Tag; 5] {
    Tag::ALL
        .map(|tag| TagBuilder::new().name(tag.name()).description(Some(tag.description())).build())
}
