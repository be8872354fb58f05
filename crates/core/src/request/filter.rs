use crate::field::{BaseModel, Language};
use crate::model::{CustomModel, TrainingStatus};

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
