//! `jsonschema`: the rules as a schema, compiled once, over a parsed value.

use jsonschema::Validator;
use serde_json::{Value, json};

/// The compiled schema.
pub fn schema() -> Validator {
    let languages: &[&str] = &[
        "en", "nl", "fr", "de", "es", "it", "pt", "pl", "cs", "da", "fi", "el", "hu", "no", "ro",
        "sk", "sv", "ar", "he", "tr", "fa", "zh", "ja", "ko", "hi", "th", "id", "vi", "ru", "uk",
        "ms", "ta", "te",
    ];
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["name", "language"],
        "properties": {
            "name": { "type": "string", "maxLength": 200, "pattern": "\\S" },
            "language": { "enum": languages },
            "base_model": { "enum": ["general", "medical", "legal", "technical"] },
            "description": { "type": ["string", "null"], "maxLength": 1000 }
        }
    });
    jsonschema::validator_for(&schema).expect("the schema is a schema")
}

/// Judges a body: a value that is a request, or the names of the violated fields.
pub fn from_json(schema: &Validator, body: &[u8]) -> Result<Value, Vec<String>> {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Err(vec!["body".to_owned()]);
    };
    if schema.is_valid(&value) {
        return Ok(value);
    }
    let errors = schema.iter_errors(&value);
    Err(errors
        .map(|error| error.instance_path().as_str().trim_start_matches('/').to_owned())
        .collect())
}
