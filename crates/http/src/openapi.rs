//! The description of the API in OpenAPI, made from the code: constraints from the core's constants, refusals from the
//! core's refusals.

mod builder;
#[cfg(feature = "uploads")]
pub(crate) mod data;
pub(crate) mod operations;
mod parameters;
#[cfg(feature = "uploads")]
pub(crate) mod resumable;
mod schemas;
mod tags;
mod training;

use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Info, InfoBuilder, OpenApi, OpenApiBuilder, OpenApiVersion,
};

const KEY: &str = "key";

/// Returns the description of an API with these paths, in OpenAPI 3.1.
pub(crate) fn document(paths: PathsBuilder) -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A key: `Authorization: Bearer cm_…`"))
        .build();
    let schemas = schemas::all().into_iter().chain(training::all());
    #[cfg(feature = "uploads")]
    let schemas = schemas.chain(data::all()).chain(resumable::all());
    let components = schemas
        .fold(ComponentsBuilder::new(), |all, (name, schema)| all.schema(name, schema))
        .security_scheme(KEY, SecurityScheme::Http(bearer))
        .build();
    OpenApiBuilder::new()
        .openapi(OpenApiVersion::Version31)
        .info(info())
        .paths(paths.build())
        .components(Some(components))
        .tags(Some(tags::all()))
        .security(Some([SecurityRequirement::new(KEY, NO_SCOPES)]))
        .build()
}

/// Only OAuth lists scopes.
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
