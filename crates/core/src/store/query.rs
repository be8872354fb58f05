//! The query for a list of models, and its result.

use crate::field::{BaseModel, Language};
use crate::model::{CustomModel, ModelId, TrainingStatus};

/// A query for a part of an organisation's models.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The conditions that the models must meet.
    pub filter: Filter,
    /// Only models with larger ids than this one.
    pub after: Option<ModelId>,
    /// The number of matching models to skip.
    pub skip: u64,
    /// The most models to list.
    pub limit: u32,
}

/// Conditions on listed models, combined by AND (READ-1).
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The training status.
    pub status: Option<TrainingStatus>,
    /// The language.
    pub language: Option<Language>,
    /// The base model.
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
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The selected models, in ascending order of their ids.
    pub models: Vec<CustomModel>,
    /// The number of the organisation's models that match the filter, listed or not. Without a filter it is
    /// read from a counter, and no rows are counted (READ-2).
    pub total: u64,
}
