//! The schemas of models and errors, and what other schemas are made of.

use custom_models_core::field::{Description, Name};
use custom_models_core::model::{Progress, TrainingState, TrainingStatus};
use custom_models_core::time::Timestamp;
use custom_models_core::{BaseModel, CreateModel, Language, ModelId};
use serde_json::Value;
use utoipa::openapi::schema::{
    AnyOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

/// Returns every schema with its name.
pub(super) fn all() -> Vec<(&'static str, RefOr<Schema>)> {
    vec![
        ("CreateModel", create_model().into()),
        ("UpdateModel", update_model().into()),
        ("RunModel", object().description(Some("Fields are ignored")).into()),
        ("CustomModel", custom_model().into()),
        ("ModelPage", page_of("CustomModel").into()),
        ("Refusal", refusal().into()),
    ]
}

pub(super) fn language() -> ObjectBuilder {
    let codes = Language::ALL.iter().map(|language| language.as_str());
    text().enum_values(Some(codes.collect::<Vec<_>>()))
}

pub(super) fn base_model() -> ObjectBuilder {
    let names = BaseModel::ALL.iter().map(|base_model| base_model.as_str());
    text().enum_values(Some(names.collect::<Vec<_>>()))
}

pub(super) fn id() -> ObjectBuilder {
    let format = Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
    integer().format(format).minimum(Some(1_u64)).maximum(Some(ModelId::MAX))
}

pub(super) fn model_key() -> ObjectBuilder {
    text().pattern(Some("^custom_model_[1-9][0-9]*$"))
}

/// Returns the schema of an event's position; 0 is before the first.
pub(super) fn position() -> ObjectBuilder {
    let format = Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
    integer().format(format).minimum(Some(0))
}

/// Returns an example of a model.
pub(super) fn example_model() -> Option<Value> {
    let request = CreateModel::builder()
        .name("Medical Cardiology EN")
        .language("en")
        .base_model("medical")
        .build()
        .ok()?;
    let created_at = Timestamp::from_unix_seconds(1_736_935_200).ok()?;
    let model = request.into_new_model(created_at).with_id(ModelId::new(1).ok()?);
    serde_json::to_value(&model).ok()
}

fn create_model() -> ObjectBuilder {
    all_required(vec![("name", name().into()), ("language", language().into())])
        .property(
            "base_model",
            base_model().default(Some(Value::from(BaseModel::default().as_str()))),
        )
        .property("description", description())
        .examples([serde_json::json!({
            "name": "Medical Cardiology EN",
            "language": Language::En.as_str(),
            "base_model": BaseModel::Medical.as_str(),
        })])
}

fn update_model() -> AnyOfBuilder {
    let with = |field: &str| {
        object()
            .property("name", name())
            .property("description", description())
            .required(field)
            .examples([serde_json::json!({ "name": "Medical Cardiology EN", "description": null })])
    };
    AnyOfBuilder::new().item(with("name")).item(with("description")).description(Some(
        "At least one of the two; what is absent stays as it is. `language` and `base_model` \
        cannot be changed.",
    ))
}

fn custom_model() -> ObjectBuilder {
    let model = object()
        .property("id", id())
        .property("model_key", model_key())
        .property("name", name())
        .property("description", description())
        .property("language", language())
        .property("base_model", base_model())
        .property("training_status", training_status())
        .property("status_message", text())
        .property("created_at", date_time())
        .property("updated_at", date_time())
        .property("training_progress", progress())
        .property("started_training_at", date_time())
        .property("finished_training_at", date_time())
        .property("failed_at", date_time())
        .property("error", training_error())
        .property("training_metrics", Ref::from_schema_name("TrainingMetrics"));
    let fields = example_model();
    let fields = fields.as_ref().and_then(Value::as_object).map(|fields| fields.keys());
    fields.into_iter().flatten().fold(model, ObjectBuilder::required)
}

pub(super) fn fence() -> ObjectBuilder {
    let format = Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
    integer().format(format).minimum(Some(0))
}

/// Returns the schema of a page of a list.
pub(super) fn page_of(schema: &str) -> ObjectBuilder {
    let count = || integer().minimum(Some(0)).into();
    let result = ArrayBuilder::new().items(Ref::from_schema_name(schema));
    all_required(vec![("count", count()), ("total_results", count()), ("result", result.into())])
}

fn refusal() -> ObjectBuilder {
    let details = object().description(Some("What there is to add; its keys go by `error_code`"));
    all_required(vec![("error", text().into()), ("message", text().into())])
        .property("error_code", text())
        .property("details", details)
}

/// The pattern asks for a character outside White_Space. It spells that set out, because `\s` differs between
/// dialects.
fn name() -> ObjectBuilder {
    let spaces =
        (0..=u32::from(char::MAX)).filter_map(char::from_u32).filter(|it| it.is_whitespace());
    let spaces: String = spaces.map(|space| format!("\\u{:04x}", u32::from(space))).collect();
    text()
        .min_length(Some(1))
        .max_length(Some(Name::MAX_CHARACTERS))
        .pattern(Some(format!("[^{spaces}]")))
}

fn description() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::String, Type::Null]))
        .max_length(Some(Description::MAX_CHARACTERS))
}

pub(super) fn training_status() -> ObjectBuilder {
    let numbers = TrainingStatus::ALL.iter().map(|status| status.number());
    integer().enum_values(Some(numbers.collect::<Vec<_>>()))
}

/// Returns the schema of the error of a failed training.
pub(super) fn training_error() -> ObjectBuilder {
    text().max_length(Some(TrainingState::MAX_ERROR_CHARACTERS))
}

pub(super) fn date_time() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

pub(super) fn progress() -> ObjectBuilder {
    let all = Progress::ALL.get();
    integer().minimum(Some(Progress::NONE.get())).maximum(Some(all))
}

pub(super) fn object() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Object)
}

pub(super) fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

pub(super) fn integer() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer)
}

/// Returns an object whose properties are all required.
pub(super) fn all_required(properties: Vec<(&'static str, RefOr<Schema>)>) -> ObjectBuilder {
    properties
        .into_iter()
        .fold(object(), |object, (name, schema)| object.property(name, schema).required(name))
}
