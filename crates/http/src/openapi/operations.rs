//! Every operation: what it takes, what it answers, and what it may refuse.

use custom_models_core::access::Operation as Asked;
use custom_models_core::request::{
    ClaimTraining, CreateParameters, Heartbeat, ListEvents, RunModel, TrainingFailed,
    TrainingSucceeded,
};
use custom_models_core::{CreateModel, ListModels, Plan, Refusal, UpdateModel};
use utoipa::openapi::path::{Operation, OperationBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{Content, ContentBuilder, Ref, Required};

use crate::rejection::Rejection;

use super::parameters::{self, id, idempotency_key, if_match, if_none_match, model_key};
use super::refusals::{BODY, Refusals, header};
use super::tags::Tag;
use super::{JSON, schemas};

pub(super) const WRITE: &str = "Scope `custom_models:write`.";
pub(super) const READ: &str = "Scope `custom_models:read`.";
const WORK: &str = "Scope `training:work`.";

pub(super) fn create() -> Operation {
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
    let operation = described(Tag::Models, "createCustomModel", "Create a model", WRITE)
        .description(Some(format!(
            "{WRITE} Fields that are not described are ignored. With `validate_only` nothing is \
            created, and an idempotency key is not used."
        )))
        .parameter(parameters::validate_only())
        .parameter(idempotency_key())
        .request_body(Some(body("CreateModel", Required::True).build()));
    Refusals::of(Asked::Create)
        .invalid(violations)
        .and(BODY)
        .and([at_limit, Refusal::IdempotencyKeyReused])
        .answer(operation)
        .with("200", shown("Validated", "The request is valid, and nothing was created"))
        .with("201", replayable(model("The model was created, and is durable")))
        .build()
}

pub(super) fn list() -> Operation {
    let operation = described(
        Tag::Models,
        "listCustomModels",
        "List models, in ascending order of their ids",
        READ,
    )
    .description(Some(format!("{READ} Filters are combined by AND.")))
    .parameters(Some(parameters::of_list()));
    Refusals::of(Asked::List)
        .invalid(ListModels::from_pairs([("page", "0")]).err())
        .answer(operation)
        .with("200", shown("ModelPage", "A page of models"))
        .build()
}

pub(super) fn get() -> Operation {
    let operation = described(Tag::Models, "getCustomModel", "Get one model", READ)
        .parameter(id())
        .parameter(if_none_match());
    let known = ResponseBuilder::new().description("The model is known, and not being trained");
    Refusals::of(Asked::Get)
        .and([Refusal::ModelNotFound])
        .answer(operation)
        .with("200", polled(model("The model")))
        .with("304", tagged(known))
        .build()
}

pub(super) fn resolve() -> Operation {
    let summary = "Get the model that a key names, if transcription can use it";
    let operation =
        described(Tag::Models, "resolveCustomModel", summary, READ).parameter(model_key());
    Refusals::of(Asked::Resolve)
        .and([Refusal::ModelNotFound, Refusal::ModelNotTrained])
        .answer(operation)
        .with("200", polled(model("The model, whose last training ended well")))
        .build()
}

pub(super) fn events() -> Operation {
    let operation = described(
        Tag::History,
        "listEvents",
        "Read the history, and wait for it",
        READ,
    )
    .description(Some(format!(
        "{READ} Positions grow by one. With `wait` the answer is held until there is an event \
            behind `after`, or the time is over."
    )))
    .parameters(Some(parameters::of_events()));
    Refusals::of(Asked::Events)
        .invalid(ListEvents::from_pairs([("limit", "0")]).err())
        .and([Refusal::EventsExpired { first_position: 7 }])
        .and([Rejection::AtCapacity, Rejection::ShareExceeded { places: 250 }])
        .answer(operation)
        .with("200", shown("EventList", "A part of the history"))
        .build()
}

pub(super) fn update() -> Operation {
    let operation = described(
        Tag::Models,
        "updateCustomModel",
        "Change the name or the description of a model",
        WRITE,
    )
    .parameter(id())
    .parameter(if_match())
    .request_body(Some(body("UpdateModel", Required::True).build()));
    Refusals::of(Asked::Update)
        .invalid(UpdateModel::from_json(b"{\"language\":\"nl\"}").err())
        .and(BODY)
        .and([Refusal::ModelNotFound, Refusal::PreconditionFailed])
        .answer(operation)
        .with("200", polled(model("The model as it is now")))
        .build()
}

pub(super) fn delete() -> Operation {
    let operation = described(Tag::Models, "deleteCustomModel", "Delete a model", WRITE)
        .description(Some(format!("{WRITE} Its place in the plan is free at once.")))
        .parameter(id())
        .parameter(if_match());
    Refusals::of(Asked::Delete)
        .and([Refusal::ModelNotFound, Refusal::TrainingInProgress])
        .and([Refusal::PreconditionFailed])
        .and([Rejection::UnsupportedContentEncoding])
        .answer(operation)
        .with("204", ResponseBuilder::new().description("The model was deleted"))
        .build()
}

pub(super) fn run() -> Operation {
    let operation = described(Tag::Training, "runCustomModel", "Have a model trained", WRITE)
        .parameter(id())
        .parameter(if_match())
        .parameter(idempotency_key())
        .request_body(Some(body("RunModel", Required::True).build()));
    Refusals::of(Asked::Run)
        .invalid(RunModel::from_json(b"[]").err())
        .and(BODY)
        .and([Refusal::ModelNotFound, Refusal::TrainingInProgress])
        .and([Refusal::ModelNotReady { missing_seconds: 3600 }, Refusal::PreconditionFailed])
        .and([Refusal::IdempotencyKeyReused])
        .answer(operation)
        .with("200", replayable(polled(model("The model, whose training has begun"))))
        .build()
}

pub(super) fn cancel() -> Operation {
    let operation =
        described(Tag::Training, "cancelCustomModel", "Call the training of a model off", WRITE)
            .parameter(id())
            .parameter(if_match());
    Refusals::of(Asked::Cancel)
        .and([Refusal::ModelNotFound, Refusal::TrainingNotRunning])
        .and([Refusal::PreconditionFailed])
        .and([Rejection::UnsupportedContentEncoding])
        .answer(operation)
        .with("200", model("The model, which is ready to be trained"))
        .build()
}

pub(super) fn claim() -> Operation {
    let operation = described(
        Tag::Workers,
        "claimTraining",
        "Claim the training that has waited longest",
        WORK,
    )
    .request_body(Some(body("ClaimTraining", Required::False).build()));
    Refusals::of(Asked::Work)
        .invalid(ClaimTraining::from_json(b"{\"lease_seconds\":0}").err())
        .and(BODY)
        .answer(operation)
        .with(
            "200",
            shown("ClaimedTraining", "A training, which is the worker's until the lease runs out"),
        )
        .with("204", ResponseBuilder::new().description("No training waits"))
        .build()
}

pub(super) fn heartbeat() -> Operation {
    let held = shown("LeaseHeld", "The lease, and how far the training is");
    let invalid = Heartbeat::from_json(b"{}").err();
    report("heartbeat", "Say how far a training is, and keep it", "Heartbeat", invalid)
        .with("200", held)
        .build()
}

pub(super) fn succeed() -> Operation {
    let invalid = TrainingSucceeded::from_json(b"{}").err();
    report("succeedTraining", "Say that a training ended well", "TrainingSucceeded", invalid)
        .with("200", model("The model, which is trained"))
        .build()
}

pub(super) fn fail() -> Operation {
    let invalid = TrainingFailed::from_json(b"{}").err();
    report("failTraining", "Say that a training failed", "TrainingFailed", invalid)
        .with("200", model("The model, whose training failed"))
        .build()
}

/// Describes the operation of a worker's report.
fn report(
    name: &str,
    summary: &str,
    schema: &str,
    invalid: Option<custom_models_core::Violations<'_>>,
) -> super::refusals::Answers {
    let operation = described(Tag::Workers, name, summary, WORK)
        .parameter(id())
        .parameter(if_match())
        .request_body(Some(body(schema, Required::True).build()));
    Refusals::of(Asked::Work)
        .invalid(invalid)
        .and(BODY)
        .and([Refusal::ModelNotFound, Refusal::LeaseLost])
        .and([Refusal::PreconditionFailed])
        .answer(operation)
}

pub(super) fn described(
    tag: Tag,
    name: &str,
    summary: &str,
    description: &str,
) -> OperationBuilder {
    OperationBuilder::new()
        .tag(tag.name())
        .operation_id(Some(name))
        .summary(Some(summary))
        .description(Some(description))
}

fn body(schema: &str, required: Required) -> RequestBodyBuilder {
    let content = Content::new(Some(Ref::from_schema_name(schema)));
    RequestBodyBuilder::new().required(Some(required)).content(JSON, content)
}

pub(super) fn shown(schema: &str, description: &str) -> ResponseBuilder {
    let content = Content::new(Some(Ref::from_schema_name(schema)));
    ResponseBuilder::new().description(description).content(JSON, content)
}

fn model(description: &str) -> ResponseBuilder {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("CustomModel")))
        .example(schemas::example_model());
    tagged(ResponseBuilder::new().description(description).content(JSON, content.build()))
}

pub(super) fn tagged(response: ResponseBuilder) -> ResponseBuilder {
    let says = "The revision of the model, for `If-Match`";
    response.header("ETag", header(Type::String, says))
}

fn polled(response: ResponseBuilder) -> ResponseBuilder {
    let says = "While the model is trained: after how many seconds to look again";
    response.header("Retry-After", header(Type::Integer, says))
}

pub(super) fn replayable(response: ResponseBuilder) -> ResponseBuilder {
    let says = "`true`, where the request was answered before and this was the answer";
    response.header("Idempotency-Replayed", header(Type::String, says))
}
