//! The parameters in paths, queries and headers.

use custom_models_core::model::TrainingStatus;
use custom_models_core::request::{ListEvents, PerPage};
use custom_models_core::store::IdempotencyKey;
use serde_json::Value;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::schemas;

pub(super) fn id() -> Parameter {
    in_path("id", schemas::id())
}

pub(super) fn model_key() -> Parameter {
    in_path("model_key", schemas::model_key())
}

pub(super) fn validate_only() -> Parameter {
    let schema = ObjectBuilder::new().schema_type(Type::Boolean).default(Some(Value::from(false)));
    in_query("validate_only", "Only say what the request would come to", schema)
}

pub(super) fn idempotency_key() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(IdempotencyKey::MAX_CHARACTERS))
        .pattern(Some("^[!-~]+$"));
    let description = "Names the request: while its answer is kept, for a day, a repeat with the same \
        body gets it again, and nothing else happens. With another body it is a 422.";
    in_header("Idempotency-Key", description, schema)
}

pub(super) fn if_match() -> Parameter {
    let description = "The `ETag`s at which the model may be changed, or `*`. One that is malformed is \
        that of no model.";
    in_header("If-Match", description, ObjectBuilder::new().schema_type(Type::String))
}

pub(super) fn if_none_match() -> Parameter {
    let description = "The `ETag`s that are known. While a model is trained its progress has none.";
    in_header("If-None-Match", description, ObjectBuilder::new().schema_type(Type::String))
}

pub(super) fn of_list() -> Vec<Parameter> {
    let statuses = TrainingStatus::ALL.iter().map(|it| u64::from(it.number())).max().unwrap_or(1);
    let [page, per_page] = of_page("models");
    vec![
        page,
        per_page,
        in_query("status", "Only models in this training status", number(1, statuses, None)),
        in_query("language", "Only models in this language", schemas::language()),
        in_query("base_model", "Only models on this base model", schemas::base_model()),
    ]
}

pub(super) fn of_page(what: &str) -> [Parameter; 2] {
    let (most, default) = (PerPage::MAX.into(), PerPage::default().get());
    let per_page = format!("How many {what} a page holds");
    [
        in_query("page", "The number of the page", number_from(1).default(Some(Value::from(1)))),
        in_query("per_page", &per_page, number(1, most, Some(default.into()))),
    ]
}

/// The worker's claim in a query.
pub(super) fn fence() -> Parameter {
    let number = schemas::fence();
    let parameter = ParameterBuilder::from(in_query("fence", "The worker's claim", number));
    parameter.required(Required::True).build()
}

pub(super) fn of_events() -> Vec<Parameter> {
    let ListEvents { after, limit, wait, .. } = ListEvents::default();
    let (most, longest) = (ListEvents::MAX_LIMIT.into(), ListEvents::MAX_WAIT);
    // Without a format: any number is allowed, and one behind the last position finds no event yet.
    let position = number_from(0).default(Some(Value::from(after)));
    vec![
        in_query("after", "The position behind which events are shown", position),
        in_query("limit", "How many events are shown at most", number(1, most, Some(limit.into()))),
        in_query(
            "wait",
            "How many seconds to wait for an event if there is none",
            number(0, longest, Some(wait.as_secs())),
        ),
    ]
}

pub(super) fn number(from: u64, to: u64, default: Option<u64>) -> ObjectBuilder {
    number_from(from).maximum(Some(to)).default(default.map(Value::from))
}

pub(super) fn number_from(from: u64) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(from))
}

pub(super) fn in_path(name: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(schema))
        .build()
}

fn in_query(name: &str, description: &str, schema: ObjectBuilder) -> Parameter {
    optional(name, ParameterIn::Query, description, schema)
}

pub(super) fn in_header(name: &str, description: &str, schema: ObjectBuilder) -> Parameter {
    optional(name, ParameterIn::Header, description, schema)
}

fn optional(name: &str, place: ParameterIn, description: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}
