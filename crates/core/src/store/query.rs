//! The part of an organisation's models that a list shows.

use crate::field::{BaseModel, Language};
use crate::model::{CustomModel, ModelId, TrainingStatus};

/// The part of an organisation's models that a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The conditions that the models must meet.
    pub filter: Filter,
    /// Only models with larger ids than this one.
    pub after: Option<ModelId>,
    /// The number of matching models that are skipped first.
    pub skip: u64,
    /// The most models that are listed.
    pub limit: u32,
}

/// The conditions that a listed model meets, combined by AND (READ-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In this training status.
    pub status: Option<TrainingStatus>,
    /// In this language.
    pub language: Option<Language>,
    /// On this base model.
    pub base_model: Option<BaseModel>,
}

impl Filter {
    /// Returns true if every model matches.
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// Returns true if the model matches.
    pub fn matches(&self, model: &CustomModel) -> bool {
        self.status.is_none_or(|status| status == model.training_status())
            && self.language.is_none_or(|language| language == model.language)
            && self.base_model.is_none_or(|base_model| base_model == model.base_model)
    }
}

/// A part of an organisation's models.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The selected models, in ascending order of their ids.
    pub models: Vec<CustomModel>,
    /// The number of models of the organisation that match the filter, listed or not. Without a filter this
    /// is a counter that is kept, and no row is counted (READ-2).
    pub total: u64,
}
