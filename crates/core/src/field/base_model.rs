use crate::field::names::Field;
use crate::field::newtype::closed_set;

/// The base model that training starts from (BASE-1 to BASE-3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum BaseModel {
    /// For any speech; the default (BASE-1).
    #[default]
    General,
    /// For speech in medicine.
    Medical,
    /// For speech in law.
    Legal,
    /// For speech about technology.
    Technical,
}

impl BaseModel {
    /// All base models, in the specification's order.
    pub const ALL: [BaseModel; 4] =
        [BaseModel::General, BaseModel::Medical, BaseModel::Legal, BaseModel::Technical];

    /// Returns the name in the API, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            BaseModel::General => "general",
            BaseModel::Medical => "medical",
            BaseModel::Legal => "legal",
            BaseModel::Technical => "technical",
        }
    }

    /// Returns the base model with this name, compared byte for byte (BASE-3).
    #[inline]
    pub fn from_name(name: &str) -> Option<BaseModel> {
        match name {
            "general" => Some(BaseModel::General),
            "medical" => Some(BaseModel::Medical),
            "legal" => Some(BaseModel::Legal),
            "technical" => Some(BaseModel::Technical),
            _ => None,
        }
    }
}

closed_set!(BaseModel, Field::BaseModel, from_name);
