//! The schemas of trainings and the history.

use custom_models_core::Organisation;
use custom_models_core::model::{
    DataId, DataType, EventType, LeaseTime, MetricName, Progress, TrainingMetrics,
};
use custom_models_core::tenant::Actor;
use serde_json::Value;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};

use super::schemas::{
    all_required, date_time, fence, id, integer, object, page_of, position, progress, text,
    training_error,
};

/// Returns every schema with its name.
pub(super) fn all() -> Vec<(&'static str, RefOr<Schema>)> {
    vec![
        ("Validated", validated().into()),
        ("ClaimTraining", object().property("lease_seconds", lease_seconds()).into()),
        ("ClaimedTraining", claimed().into()),
        ("DataPage", page_of("DataPair").into()),
        ("DataPair", data_pair().into()),
        ("DataFile", data_file().into()),
        ("Heartbeat", heartbeat().into()),
        ("LeaseHeld", lease_held().into()),
        ("TrainingSucceeded", succeeded().into()),
        ("TrainingFailed", failed().into()),
        ("TrainingMetrics", training_metrics().into()),
        ("Event", event().into()),
        ("EventList", event_list().into()),
    ]
}

fn validated() -> ObjectBuilder {
    let limit =
        ObjectBuilder::new().schema_type(SchemaType::Array(vec![Type::Integer, Type::Null]));
    all_required(vec![
        ("valid", ObjectBuilder::new().schema_type(Type::Boolean).into()),
        ("current_models", integer().minimum(Some(0)).into()),
        ("plan_limit", limit.minimum(Some(0)).into()),
    ])
}

fn claimed() -> ObjectBuilder {
    all_required(vec![
        ("organisation", text().max_length(Some(Organisation::MAX_CHARACTERS)).into()),
        ("model", Ref::from_schema_name("CustomModel").into()),
        ("fence", fence().into()),
        ("expires_at", date_time().into()),
        ("data", Ref::from_schema_name("DataPage").into()),
    ])
}

fn data_pair() -> ObjectBuilder {
    let names = DataType::ALL.map(DataType::as_str);
    all_required(vec![
        ("id", integer().minimum(Some(1)).into()),
        ("type", text().enum_values(Some(names)).into()),
        ("audio", Ref::from_schema_name("DataFile").into()),
        ("audio_millis", integer().minimum(Some(0)).into()),
        ("transcript", Ref::from_schema_name("DataFile").into()),
        ("created_at", date_time().into()),
    ])
}

fn data_file() -> ObjectBuilder {
    all_required(vec![
        ("filename", text().into()),
        ("bytes", integer().minimum(Some(1)).into()),
        ("sha256", text().pattern(Some("^[0-9a-f]{64}$")).into()),
        ("content", text().description(Some("Where the content is kept")).into()),
    ])
}

fn heartbeat() -> ObjectBuilder {
    all_required(vec![("fence", fence().into()), ("training_progress", progress().into())])
        .property("lease_seconds", lease_seconds())
}

fn lease_held() -> ObjectBuilder {
    all_required(vec![("expires_at", date_time().into()), ("training_progress", progress().into())])
}

fn succeeded() -> ObjectBuilder {
    let metrics = Ref::from_schema_name("TrainingMetrics");
    all_required(vec![("fence", fence().into()), ("training_metrics", metrics.into())])
}

fn failed() -> ObjectBuilder {
    all_required(vec![("fence", fence().into()), ("error", text().min_length(Some(1)).into())])
}

/// Returns the schema of metrics: five with fixed names, and others under valid names (TRAIN-3).
fn training_metrics() -> ObjectBuilder {
    let number = || ObjectBuilder::new().schema_type(Type::Number);
    let pattern = format!("^[a-z0-9_]{{1,{}}}$", MetricName::MAX_CHARACTERS);
    MetricName::NAMED
        .iter()
        .fold(object(), |object, name| object.property(name.as_str(), number()))
        .property_names(Some(text().pattern(Some(pattern))))
        .additional_properties(Some(Schema::from(number())))
        .max_properties(Some(TrainingMetrics::MAX))
}

fn event() -> ObjectBuilder {
    let names: Vec<Value> = event_types()
        .iter()
        .filter_map(|event_type| {
            serde_json::to_value(event_type).ok()?.get_mut("type").map(Value::take)
        })
        .collect();
    all_required(vec![
        ("position", position().into()),
        ("created_at", date_time().into()),
        ("model_id", id().into()),
        ("actor", text().max_length(Some(Actor::MAX_CHARACTERS)).into()),
        ("type", text().enum_values(Some(names)).into()),
    ])
    .property("data_id", integer().minimum(Some(1)))
    .property("training_progress", progress())
    .property("error", training_error())
}

fn event_types() -> Vec<EventType> {
    let mut all = vec![EventType::Created, EventType::Updated, EventType::Deleted];
    if let Ok(data_id) = DataId::new(1) {
        all.extend([EventType::DataAdded { data_id }, EventType::DataRemoved { data_id }]);
    }
    all.extend([
        EventType::TrainingStarted,
        EventType::TrainingProgressed { training_progress: Progress::ALL },
        EventType::TrainingSucceeded,
        EventType::TrainingFailed { error: String::new() },
        EventType::TrainingCancelled,
    ]);
    all
}

fn event_list() -> ObjectBuilder {
    let events = ArrayBuilder::new().items(Ref::from_schema_name("Event"));
    all_required(vec![
        ("count", integer().minimum(Some(0)).into()),
        ("last_position", position().into()),
        ("result", events.into()),
    ])
}

fn lease_seconds() -> ObjectBuilder {
    let default = LeaseTime::default().get().as_secs();
    integer()
        .minimum(Some(LeaseTime::MIN.as_secs()))
        .maximum(Some(LeaseTime::MAX.as_secs()))
        .default(Some(Value::from(default)))
}
