//! The body of a create, its validation, and a model as it is stored and shown.

use std::collections::BTreeMap;

use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::Refusal;

const LANGUAGES: [&str; 33] = [
    "en", "nl", "fr", "de", "es", "it", "pt", "pl", "cs", "da", "fi", "el", "hu", "no", "ro", "sk",
    "sv", "ar", "he", "tr", "fa", "zh", "ja", "ko", "hi", "th", "id", "vi", "ru", "uk", "ms", "ta",
    "te",
];

const BASE_MODELS: [&str; 4] = ["general", "medical", "legal", "technical"];

/// The body of a create, as it is sent.
#[derive(Debug, Deserialize)]
pub(crate) struct Body {
    name: Option<String>,
    language: Option<String>,
    #[serde(default = "general")]
    base_model: String,
    description: Option<String>,
}

fn general() -> String {
    "general".to_owned()
}

/// The fields of a model that is to be created, all of them valid.
#[derive(Debug)]
pub struct CreateModel {
    /// Its name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// The model that it starts from.
    pub base_model: String,
    /// Its description, if any.
    pub description: Option<String>,
}

impl Body {
    /// Judges every field. The texts are those of the peer in Python.
    pub(crate) fn validated(self) -> Result<CreateModel, Refusal> {
        let faults = [
            ("name", name_fault(self.name.as_deref())),
            ("language", language_fault(self.language.as_deref())),
            ("base_model", base_model_fault(&self.base_model)),
            ("description", self.description.as_deref().and_then(|it| length_fault(it, 1000))),
        ];
        let details: BTreeMap<_, _> =
            faults.into_iter().filter_map(|(field, fault)| Some((field, fault?))).collect();
        match (self.name, self.language) {
            (Some(name), Some(language)) if details.is_empty() => Ok(CreateModel {
                name,
                language,
                base_model: self.base_model,
                description: self.description,
            }),
            _ => Err(Refusal::Invalid(details)),
        }
    }
}

fn name_fault(name: Option<&str>) -> Option<String> {
    let Some(name) = name else { return Some("Field required".to_owned()) };
    let is_blank = name.trim().is_empty();
    length_fault(name, 200)
        .or_else(|| is_blank.then(|| "Value error, Name cannot be empty".to_owned()))
}

fn language_fault(language: Option<&str>) -> Option<String> {
    let Some(language) = language else { return Some("Field required".to_owned()) };
    let is_supported = LANGUAGES.contains(&language);
    (!is_supported).then(|| format!("Value error, Language '{language}' is not supported"))
}

fn base_model_fault(base_model: &str) -> Option<String> {
    let is_known = BASE_MODELS.contains(&base_model);
    let fault = "Input should be 'general', 'medical', 'legal' or 'technical'";
    (!is_known).then(|| fault.to_owned())
}

fn length_fault(text: &str, most: usize) -> Option<String> {
    let is_too_long = text.len() > most && text.chars().count() > most;
    is_too_long.then(|| format!("String should have at most {most} characters"))
}

/// A model, as its row has it.
#[derive(Debug, Serialize)]
pub struct Model {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its description, if any.
    pub description: Option<String>,
    /// Its language.
    pub language: String,
    /// The model that it started from.
    pub base_model: String,
    /// The number of its training status.
    pub training_status: i64,
    /// The time at which it was created.
    pub created_at: String,
    /// The time at which it was last changed.
    pub updated_at: String,
}

impl Model {
    /// The model that a create has made.
    pub fn created(id: i64, model: CreateModel, now: String) -> Self {
        Model {
            id,
            name: model.name,
            description: model.description,
            language: model.language,
            base_model: model.base_model,
            training_status: 1,
            created_at: now.clone(),
            updated_at: now,
        }
    }
}

/// A model, as an answer has it.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    model_key: String,
    status_message: &'static str,
    #[serde(flatten)]
    model: Model,
}

impl From<Model> for Shown {
    fn from(model: Model) -> Self {
        Shown {
            model_key: format!("custom_model_{}", model.id),
            status_message: "Model created. Upload training data to begin.",
            model,
        }
    }
}

/// The time of a row, in whole seconds.
pub fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true)
}
