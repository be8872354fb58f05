//! The description of the API, made from what the code itself says: constraints from the core's
//! constants, refusals from the core's refusals.

mod refusals;
mod schemas;

use custom_models_core::{Operation as Asked, PerPage, TrainingStatus};
use serde_json::Value;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
    PathItemBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, ContentBuilder, Info, InfoBuilder, OpenApi, OpenApiBuilder,
    OpenApiVersion, Paths, Ref, Required,
};

use crate::openapi::refusals::with_refusals;

const JSON: &str = "application/json";
const KEY: &str = "key";

/// The description of the API, in OpenAPI 3.1: what `/openapi.json` answers.
pub fn openapi() -> OpenApi {
    let models = PathItemBuilder::new()
        .operation(HttpMethod::Get, list())
        .operation(HttpMethod::Post, create())
        .build();
    let model = PathItemBuilder::new()
        .operation(HttpMethod::Get, get())
        .operation(HttpMethod::Delete, delete())
        .build();
    let paths = Paths::builder().path(crate::MODELS, models).path(crate::MODEL, model).build();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A key: `Authorization: Bearer cm_…`"))
        .build();
    let components = schemas::all()
        .into_iter()
        .fold(ComponentsBuilder::new(), |all, (name, schema)| all.schema(name, schema))
        .security_scheme(KEY, SecurityScheme::Http(bearer))
        .build();
    OpenApiBuilder::new()
        .openapi(OpenApiVersion::Version31)
        .info(info())
        .paths(paths)
        .components(Some(components))
        .security(Some([SecurityRequirement::new(KEY, NO_SCOPES)]))
        .build()
}

/// Scopes are listed for OAuth alone.
const NO_SCOPES: [&str; 0] = [];

fn info() -> Info {
    InfoBuilder::new()
        .title("Custom models")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Custom speech-recognition models: create, list, get and delete them. Every refusal has the \
            keys `error` and `message`, and, where there is something to add, `error_code` and \
            `details`. Every answer carries `X-Request-Id`.",
        ))
        .build()
}

fn create() -> Operation {
    let body = RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content(JSON, Content::new(Some(Ref::from_schema_name("CreateModel"))))
        .build();
    let operation = OperationBuilder::new()
        .operation_id(Some("createCustomModel"))
        .summary(Some("Create a model"))
        .description(Some(
            "Scope `custom_models:write`. Fields that are not described are ignored.",
        ))
        .request_body(Some(body));
    with_refusals(operation, Asked::Create, "201", model("The model was created, and is durable"))
}

fn list() -> Operation {
    let operation = OperationBuilder::new()
        .operation_id(Some("listCustomModels"))
        .summary(Some("List models, in ascending order of their ids"))
        .description(Some("Scope `custom_models:read`. Filters are combined by AND."))
        .parameters(Some(parameters()));
    let page = Content::new(Some(Ref::from_schema_name("ModelPage")));
    let page = ResponseBuilder::new().description("A page of models").content(JSON, page);
    with_refusals(operation, Asked::List, "200", page)
}

fn get() -> Operation {
    let operation = OperationBuilder::new()
        .operation_id(Some("getCustomModel"))
        .summary(Some("Get one model"))
        .description(Some("Scope `custom_models:read`."))
        .parameter(id());
    with_refusals(operation, Asked::Get, "200", model("The model"))
}

fn delete() -> Operation {
    let operation = OperationBuilder::new()
        .operation_id(Some("deleteCustomModel"))
        .summary(Some("Delete a model"))
        .description(Some("Scope `custom_models:write`. Its place in the plan is free at once."))
        .parameter(id());
    let gone = ResponseBuilder::new().description("The model was deleted");
    with_refusals(operation, Asked::Delete, "204", gone)
}

fn model(description: &str) -> ResponseBuilder {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("CustomModel")))
        .example(schemas::example_model());
    ResponseBuilder::new().description(description).content(JSON, content.build())
}

fn id() -> Parameter {
    ParameterBuilder::new()
        .name("id")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(schemas::id()))
        .build()
}

fn parameters() -> Vec<Parameter> {
    let parameter = |name: &str, description: &str| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(description))
    };
    let number = |maximum: Option<u32>| {
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(maximum)
    };
    let default = |number: u32| Some(Value::from(number));
    let statuses = u32::from(TrainingStatus::ALL.iter().map(|it| it.number()).max().unwrap_or(1));
    vec![
        parameter("page", "The number of the page")
            .schema(Some(number(None).default(default(1))))
            .build(),
        parameter("per_page", "How many models a page holds")
            .schema(Some(number(Some(PerPage::MAX)).default(default(PerPage::default().get()))))
            .build(),
        parameter("status", "Only models in this training status")
            .schema(Some(number(Some(statuses))))
            .build(),
        parameter("language", "Only models in this language")
            .schema(Some(schemas::language()))
            .build(),
        parameter("base_model", "Only models on this base model")
            .schema(Some(schemas::base_model()))
            .build(),
    ]
}
