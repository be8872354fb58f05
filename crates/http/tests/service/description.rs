//! The description of the API, and its page.

use std::collections::BTreeSet;

use custom_models_core::{BaseModel, Description, Language, Name};
use serde_json::Value;

use crate::support::Server;

const KEPT: &str = include_str!("../../openapi.json");

fn description() -> Value {
    serde_json::from_str(KEPT).unwrap()
}

#[test]
fn the_description_that_is_kept_is_that_of_the_code() {
    let made = custom_models_http::openapi().to_pretty_json().unwrap();
    assert_eq!(KEPT.trim_end(), made, "cargo run -- openapi > crates/http/openapi.json");
    let server = Server::new();
    server.request("GET", "/openapi.json", &[], "").is(200, &made);
}

#[test]
fn the_description_has_every_operation_with_every_status_of_section_6() {
    let description = description();
    assert_eq!(description["openapi"], "3.1.0");
    let statuses = |path: &str, method: &str| -> BTreeSet<String> {
        let responses = &description["paths"][path][method]["responses"];
        responses.as_object().unwrap().keys().cloned().collect()
    };
    let set = |statuses: &[&str]| statuses.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let models = "/api/v3/custom_models";
    let model = "/api/v3/custom_models/{id}";
    let create = ["201", "400", "401", "402", "403", "408", "413", "415", "429", "500", "503"];
    assert_eq!(statuses(models, "post"), set(&create));
    assert_eq!(statuses(models, "get"), set(&["200", "400", "401", "403", "429", "500", "503"]));
    assert_eq!(statuses(model, "get"), set(&["200", "401", "403", "404", "429", "500", "503"]));
    let delete = ["204", "401", "403", "404", "409", "429", "500", "503"];
    assert_eq!(statuses(model, "delete"), set(&delete));
}

#[test]
fn the_constraints_are_those_of_the_core() {
    let description = description();
    let fields = &description["components"]["schemas"]["CreateModel"]["properties"];
    assert_eq!(fields["name"]["maxLength"], Name::MAX_CHARACTERS);
    assert_eq!(fields["description"]["maxLength"], Description::MAX_CHARACTERS);
    let codes = Language::ALL.map(|language| Value::from(language.as_str()));
    assert_eq!(fields["language"]["enum"].as_array().unwrap(), &codes);
    let names = BaseModel::ALL.map(|base_model| Value::from(base_model.as_str()));
    assert_eq!(fields["base_model"]["enum"].as_array().unwrap(), &names);
    assert_eq!(fields["base_model"]["default"], "general");
}

#[test]
fn the_page_is_whole_and_loads_nothing_from_elsewhere() {
    let server = Server::new();
    server.request("GET", "/docs", &[], "").has("location", "/docs/");
    let page = server.request("GET", "/docs/", &[], "");
    assert_eq!(page.status, 200);
    assert!(page.headers["content-security-policy"].starts_with("default-src 'self';"));
    assert!(!page.body.contains("http"), "{}", page.body);
    let files: Vec<&str> = page
        .body
        .split('"')
        .filter(|part| part.starts_with("./") || part.ends_with(".css") || part.ends_with(".js"))
        .collect();
    assert!(files.len() > 3, "{}", page.body);
    for file in files {
        let path = format!("/docs/{}", file.trim_start_matches("./"));
        let mut client = server.connect();
        client.write(crate::support::head("HEAD", &path, &[], None));
        assert_eq!(client.answer_to("HEAD").status, 200, "{path}");
    }
    server.request("GET", "/docs/none.js", &[], "").refuses(404, "ROUTE_NOT_FOUND");
}
