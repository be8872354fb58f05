//! The operations on models and trainings: their parameters, bodies and responses.

use custom_models_core::access::Operation;
use custom_models_core::request::{
    ClaimTraining, CreateParameters, Heartbeat, ListEvents, ListTrainingData, RunModel,
    TrainingFailed, TrainingSucceeded,
};
use custom_models_core::{CreateModel, ListModels, Plan, Refusal, UpdateModel};
use utoipa::openapi::path::Operation as OperationObject;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{Content, ContentBuilder, Ref, Required};

use crate::rejection::Rejection;

use super::builder::{Described, JSON, header};
use super::parameters::{self, id, idempotency_key, if_match, if_none_match, model_key};
use super::schemas;
use super::tags;

pub(crate) fn create(operation: Operation) -> OperationObject {
    let plan = Plan::gold();
    let plan_limit = plan.model_limit().unwrap_or_default();
    let at_limit = Refusal::QuotaExceeded {
        current_models: plan_limit,
        plan_limit,
        plan: plan.name().to_owned().into(),
    };
    let violations = CreateModel::from_json(b"{}").err().map(|of_body| {
        let pairs = CreateParameters::from_pairs([("validate_only", "")]);
        pairs.err().map_or(of_body.clone(), |others| of_body.and(others))
    });
    Described::new(operation, tags::MODELS, "createCustomModel", "Create a model")
        .notes(
            "Fields that are not described are ignored. With `validate_only` nothing is created, and an idempotency \
            key is not used.",
        )
        .parameters([parameters::validate_only(), idempotency_key()])
        .invalid(violations)
        .json_body("CreateModel", Required::True)
        .rejects([at_limit, Refusal::IdempotencyKeyReused])
        .responds("200", json_response("Validated", "The request is valid, and nothing was created"))
        .responds("201", with_replayed(model("The model was created, and is durable")))
        .build()
}

pub(crate) fn list(operation: Operation) -> OperationObject {
    let summary = "List models, in ascending order of their ids";
    Described::new(operation, tags::MODELS, "listCustomModels", summary)
        .notes("Filters are combined by AND.")
        .parameters(parameters::of_list())
        .invalid(ListModels::from_pairs([("page", "0")]).err())
        .responds("200", json_response("ModelPage", "A page of models"))
        .build()
}

pub(crate) fn get(operation: Operation) -> OperationObject {
    let known = ResponseBuilder::new().description("The model is known, and not being trained");
    Described::new(operation, tags::MODELS, "getCustomModel", "Get one model")
        .parameters([id(), if_none_match()])
        .rejects([Refusal::ModelNotFound])
        .responds("200", with_retry_after(model("The model")))
        .responds("304", with_etag(known))
        .build()
}

pub(crate) fn resolve(operation: Operation) -> OperationObject {
    let summary = "Get the model that a key names, if transcription can use it";
    Described::new(operation, tags::MODELS, "resolveCustomModel", summary)
        .parameters([model_key()])
        .rejects([Refusal::ModelNotFound, Refusal::ModelNotTrained])
        .responds("200", with_retry_after(model("The model, whose last training ended well")))
        .build()
}

pub(crate) fn events(operation: Operation) -> OperationObject {
    Described::new(operation, tags::HISTORY, "listEvents", "Read the history, and wait for it")
        .notes(
            "Positions grow by one. With `wait` the answer is held until there is an event behind `after`, or the time \
            is over.",
        )
        .parameters(parameters::of_events())
        .invalid(ListEvents::from_pairs([("limit", "0")]).err())
        .rejects([Refusal::EventsExpired { first_position: 7 }])
        .rejects([Rejection::AtCapacity, Rejection::ShareExceeded { places: 250 }])
        .responds("200", json_response("EventList", "A part of the history"))
        .build()
}

pub(crate) fn update(operation: Operation) -> OperationObject {
    let summary = "Change the name or the description of a model";
    Described::new(operation, tags::MODELS, "updateCustomModel", summary)
        .parameters([id(), if_match()])
        .invalid(UpdateModel::from_json(b"{\"language\":\"nl\"}").err())
        .json_body("UpdateModel", Required::True)
        .rejects([Refusal::ModelNotFound, Refusal::PreconditionFailed])
        .responds("200", with_retry_after(model("The model as it is now")))
        .build()
}

pub(crate) fn delete(operation: Operation) -> OperationObject {
    Described::new(operation, tags::MODELS, "deleteCustomModel", "Delete a model")
        .notes("Its place in the plan is free at once.")
        .parameters([id(), if_match()])
        .rejects([Refusal::ModelNotFound, Refusal::TrainingInProgress])
        .rejects([Refusal::PreconditionFailed])
        .rejects([Rejection::UnsupportedContentEncoding])
        .responds("204", ResponseBuilder::new().description("The model was deleted"))
        .build()
}

pub(crate) fn run(operation: Operation) -> OperationObject {
    Described::new(operation, tags::TRAINING, "runCustomModel", "Have a model trained")
        .parameters([id(), if_match(), idempotency_key()])
        .invalid(RunModel::from_json(b"[]").err())
        .json_body("RunModel", Required::True)
        .rejects([Refusal::ModelNotFound, Refusal::TrainingInProgress])
        .rejects([Refusal::ModelNotReady { missing_seconds: 3600 }, Refusal::PreconditionFailed])
        .rejects([Refusal::IdempotencyKeyReused])
        .responds(
            "200",
            with_replayed(with_retry_after(model("The model, whose training has begun"))),
        )
        .build()
}

pub(crate) fn cancel(operation: Operation) -> OperationObject {
    let summary = "Call the training of a model off";
    Described::new(operation, tags::TRAINING, "cancelCustomModel", summary)
        .parameters([id(), if_match()])
        .rejects([Refusal::ModelNotFound, Refusal::TrainingNotRunning])
        .rejects([Refusal::PreconditionFailed])
        .rejects([Rejection::UnsupportedContentEncoding])
        .responds("200", model("The model, which is ready to be trained"))
        .build()
}

pub(crate) fn claim(operation: Operation) -> OperationObject {
    let claimed = "A training, which is the worker's until the lease runs out";
    let summary = "Claim the training that has waited longest";
    Described::new(operation, tags::WORKERS, "claimTraining", summary)
        .notes("With the first page of its data.")
        .invalid(ClaimTraining::from_json(b"{\"lease_seconds\":0}").err())
        .json_body("ClaimTraining", Required::False)
        .responds("200", json_response("ClaimedTraining", claimed))
        .responds("204", ResponseBuilder::new().description("No training waits"))
        .build()
}

pub(crate) fn claimed_data(operation: Operation) -> OperationObject {
    let summary = "List the data of a training that is claimed";
    Described::new(operation, tags::WORKERS, "listClaimedData", summary)
        .notes("In the order in which it was added. The claim answers with the first page of 25.")
        .parameters([id(), parameters::fence()])
        .parameters(parameters::of_page("pairs"))
        .invalid(ListTrainingData::from_pairs([]).err())
        .rejects([Refusal::ModelNotFound, Refusal::LeaseLost])
        .responds("200", json_response("DataPage", "A page of the data"))
        .build()
}

pub(crate) fn heartbeat(operation: Operation) -> OperationObject {
    report(operation, "heartbeat", "Say how far a training is, and keep it")
        .invalid(Heartbeat::from_json(b"{}").err())
        .json_body("Heartbeat", Required::True)
        .responds("200", json_response("LeaseHeld", "The lease, and how far the training is"))
        .build()
}

pub(crate) fn succeed(operation: Operation) -> OperationObject {
    report(operation, "succeedTraining", "Say that a training ended well")
        .invalid(TrainingSucceeded::from_json(b"{}").err())
        .json_body("TrainingSucceeded", Required::True)
        .responds("200", model("The model, which is trained"))
        .build()
}

pub(crate) fn fail(operation: Operation) -> OperationObject {
    report(operation, "failTraining", "Say that a training failed")
        .invalid(TrainingFailed::from_json(b"{}").err())
        .json_body("TrainingFailed", Required::True)
        .responds("200", model("The model, whose training failed"))
        .build()
}

/// Describes the report of a worker.
fn report(operation: Operation, name: &str, summary: &str) -> Described {
    Described::new(operation, tags::WORKERS, name, summary)
        .parameters([id(), if_match()])
        .rejects([Refusal::ModelNotFound, Refusal::LeaseLost, Refusal::PreconditionFailed])
}

pub(super) fn json_response(schema: &str, description: &str) -> ResponseBuilder {
    let content = Content::new(Some(Ref::from_schema_name(schema)));
    ResponseBuilder::new().description(description).content(JSON, content)
}

fn model(description: &str) -> ResponseBuilder {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("CustomModel")))
        .example(schemas::example_model());
    with_etag(ResponseBuilder::new().description(description).content(JSON, content.build()))
}

pub(super) fn with_etag(response: ResponseBuilder) -> ResponseBuilder {
    let description = "The revision of the model, for `If-Match`";
    response.header("ETag", header(Type::String, description))
}

fn with_retry_after(response: ResponseBuilder) -> ResponseBuilder {
    let description = "While the model is trained: after how many seconds to look again";
    response.header("Retry-After", header(Type::Integer, description))
}

pub(super) fn with_replayed(response: ResponseBuilder) -> ResponseBuilder {
    let description = "`true`, where the request was answered before and this was the answer";
    response.header("Idempotency-Replayed", header(Type::String, description))
}
