//! The description of the API, made from what the code itself says: constraints from the core's
//! constants, refusals from the core's refusals.

mod data;
mod life;
mod operations;
mod parameters;
mod refusals;
mod schemas;
mod tags;

use utoipa::openapi::path::{HttpMethod, Operation, PathItem, PathItemBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Info, InfoBuilder, OpenApi, OpenApiBuilder, OpenApiVersion, Paths,
};

use crate::paths::{DATA, MODEL, MODELS, PAIR};

const JSON: &str = "application/json";
const KEY: &str = "key";

/// The description of the API, in OpenAPI 3.1: what `/openapi.json` answers.
pub fn openapi() -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A key: `Authorization: Bearer cm_…`"))
        .build();
    let components = schemas::all()
        .into_iter()
        .chain(life::all())
        .chain(data::all())
        .fold(ComponentsBuilder::new(), |all, (name, schema)| all.schema(name, schema))
        .security_scheme(KEY, SecurityScheme::Http(bearer))
        .build();
    OpenApiBuilder::new()
        .openapi(OpenApiVersion::Version31)
        .info(info())
        .paths(paths())
        .components(Some(components))
        .tags(Some(tags::all()))
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
            "Custom speech-recognition models: create, list, get, update and delete them, and have them \
            trained. Every refusal has the keys `error` and `message`, and, where there is something to \
            add, `error_code` and `details`. Every answer carries `X-Request-Id`. A query parameter that an \
            operation does not know is refused.",
        ))
        .build()
}

fn paths() -> Paths {
    let model = PathItemBuilder::new()
        .operation(HttpMethod::Get, operations::get())
        .operation(HttpMethod::Post, operations::update())
        .operation(HttpMethod::Delete, operations::delete())
        .build();
    let models = PathItemBuilder::new()
        .operation(HttpMethod::Get, operations::list())
        .operation(HttpMethod::Post, operations::create())
        .build();
    let of_data = PathItemBuilder::new()
        .operation(HttpMethod::Get, data::list())
        .operation(HttpMethod::Put, data::upload())
        .build();
    Paths::builder()
        .path(MODELS, models)
        .path(MODEL, model)
        .path(DATA, of_data)
        .path(PAIR, PathItem::new(HttpMethod::Delete, data::delete()))
        .path("/api/v3/custom_models/{id}/run", post(operations::run()))
        .path("/api/v3/custom_models/{id}/cancel", post(operations::cancel()))
        .path("/api/v3/custom_models/resolve/{model_key}", get(operations::resolve()))
        .path("/api/v3/custom_models/events", get(operations::events()))
        .path("/api/v3/training/claim", post(operations::claim()))
        .path("/api/v3/training/{id}/heartbeat", post(operations::heartbeat()))
        .path("/api/v3/training/{id}/succeed", post(operations::succeed()))
        .path("/api/v3/training/{id}/fail", post(operations::fail()))
        .build()
}

fn get(operation: Operation) -> PathItem {
    PathItem::new(HttpMethod::Get, operation)
}

fn post(operation: Operation) -> PathItem {
    PathItem::new(HttpMethod::Post, operation)
}
