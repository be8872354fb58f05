//! `nutype`: a checked newtype a field. It consumes what it is given, and has no report of a whole
//! request, so the errors of the four fields are collected by hand.

use nutype::nutype;

use super::{is_base_model, is_blank, is_supported_language};
use crate::cases::Case;

/// A name.
#[nutype(
    validate(predicate = |name| !is_blank(name), len_char_max = 200),
    derive(Debug)
)]
pub struct Name(String);

/// A language.
#[nutype(validate(predicate = is_supported_language), derive(Debug))]
pub struct Language(String);

/// A base model.
#[nutype(validate(predicate = is_base_model), derive(Debug))]
pub struct BaseModel(String);

/// A description.
#[nutype(validate(len_char_max = 1000), derive(Debug))]
pub struct Description(String);

/// The texts of a request, before they are judged.
#[derive(Clone, Debug)]
pub struct Fields {
    name: String,
    language: String,
    base_model: Option<String>,
    description: Option<String>,
}

impl From<&Case> for Fields {
    fn from(case: &Case) -> Self {
        Fields {
            name: case.name.clone(),
            language: case.language.clone(),
            base_model: case.base_model.clone(),
            description: case.description.clone(),
        }
    }
}

/// A valid request.
#[derive(Debug)]
pub struct Request {
    /// `name`
    pub name: Name,
    /// `language`
    pub language: Language,
    /// `base_model`
    pub base_model: Option<BaseModel>,
    /// `description`
    pub description: Option<Description>,
}

/// The error of each field, if it has one.
#[derive(Debug)]
pub struct Errors {
    name: Option<NameError>,
    language: Option<LanguageError>,
    base_model: Option<BaseModelError>,
    description: Option<DescriptionError>,
}

/// Judges the four fields.
#[inline]
pub fn request(fields: Fields) -> Result<Request, Errors> {
    let name = Name::try_new(fields.name);
    let language = Language::try_new(fields.language);
    let base_model = fields.base_model.map(BaseModel::try_new).transpose();
    let description = fields.description.map(Description::try_new).transpose();
    match (name, language, base_model, description) {
        (Ok(name), Ok(language), Ok(base_model), Ok(description)) => {
            Ok(Request { name, language, base_model, description })
        }
        (name, language, base_model, description) => Err(Errors {
            name: name.err(),
            language: language.err(),
            base_model: base_model.err(),
            description: description.err(),
        }),
    }
}

/// The names of the violated fields.
pub fn violated(errors: &Errors) -> Vec<String> {
    let found = [
        ("name", errors.name.is_some()),
        ("language", errors.language.is_some()),
        ("base_model", errors.base_model.is_some()),
        ("description", errors.description.is_some()),
    ];
    let violated = found.into_iter().filter(|&(_, is_violated)| is_violated);
    violated.map(|(field, _)| field.to_owned()).collect()
}
