//! The description of the API, and its page.

use std::collections::BTreeSet;
use std::sync::Arc;

use custom_models_core::access::Limits;
use custom_models_core::field::{Description, Name};
use custom_models_core::model::LeaseTime;
use custom_models_core::request::ListEvents;
use custom_models_core::store::NewIdempotencyRecord;
use custom_models_core::{BaseModel, Language, MemoryStore};
use custom_models_http::Options;
use custom_models_training_data::Folder;
use serde_json::Value;

use crate::support::Server;

/// A digest of every part of the description: a change of one is a changed line, which is reviewed.
const DIGESTS: &str = include_str!("description.digests");

fn description() -> Value {
    serde_json::to_value(custom_models_http::openapi()).unwrap()
}

/// Returns the operations, the schemas, and the rest without the version of the crate.
fn parts(mut description: Value) -> Vec<(String, Value)> {
    description["info"]["version"].take();
    let mut parts = Vec::new();
    for (path, operations) in description["paths"].take().as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            parts.push((format!("{} {path}", method.to_uppercase()), operation.clone()));
        }
    }
    for (name, schema) in description["components"]["schemas"].take().as_object().unwrap() {
        parts.push((name.clone(), schema.clone()));
    }
    parts.push(("the rest".to_owned(), description));
    parts
}

#[test]
fn the_description_changes_only_where_its_digests_do() {
    let digest = |(name, part): (String, Value)| {
        let digest = NewIdempotencyRecord::digest(part.to_string().as_bytes()).to_string();
        format!("{} {name}\n", &digest[..16])
    };
    let digests: String = parts(description()).into_iter().map(digest).collect();
    assert!(digests == DIGESTS, "if the change is meant, description.digests is now\n{digests}");
}

#[test]
fn the_description_is_served() {
    let compact = custom_models_http::openapi().to_json().unwrap();
    Server::new().request("GET", "/openapi.json", &[], "").is(200, &compact);
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
    let all = ["400", "401", "403", "429", "500", "503"];
    let body = ["408", "413", "415", "501"];
    let operations: [(&str, &str, &[&str]); 21] = [
        ("custom_models", "get", &["200"]),
        ("custom_models", "post", &["200", "201", "402", "422"]),
        ("custom_models/{id}", "get", &["200", "304", "404"]),
        ("custom_models/{id}", "post", &["200", "404", "412"]),
        ("custom_models/{id}", "delete", &["204", "404", "409", "412", "415"]),
        ("custom_models/{id}/data", "get", &["200", "404"]),
        ("custom_models/{id}/data", "put", &["200", "404", "409", "412", "422"]),
        ("custom_models/{id}/data/{data_id}", "delete", &["204", "404", "409", "412", "415"]),
        ("custom_models/{id}/run", "post", &["200", "404", "409", "412", "422"]),
        ("custom_models/{id}/cancel", "post", &["200", "404", "409", "412", "415"]),
        ("custom_models/resolve/{model_key}", "get", &["200", "404", "409"]),
        ("custom_models/events", "get", &["200", "410"]),
        ("uploads", "post", &["201", "412", "413", "415"]),
        ("uploads/{upload_id}", "head", &["200", "404", "412"]),
        ("uploads/{upload_id}", "patch", &["204", "404", "409", "412", "460"]),
        ("uploads/{upload_id}", "delete", &["204", "404", "412", "415"]),
        ("training/claim", "post", &["200", "204"]),
        ("training/{id}/data", "get", &["200", "404", "409"]),
        ("training/{id}/heartbeat", "post", &["200", "404", "409", "412"]),
        ("training/{id}/succeed", "post", &["200", "404", "409", "412"]),
        ("training/{id}/fail", "post", &["200", "404", "409", "412"]),
    ];
    let described = description["paths"].as_object().unwrap().values();
    let described = described.map(|path| path.as_object().unwrap().len());
    assert_eq!(described.sum::<usize>(), operations.len());
    for (path, method, own) in operations {
        let operation = &description["paths"][format!("/api/v3/{path}")][method];
        let has_body = operation.get("requestBody").is_some();
        let body: &[&str] = if has_body { &body } else { &[] };
        let path = format!("/api/v3/{path}");
        assert_eq!(statuses(&path, method), set(&[&all, own, body].concat()), "{method} {path}");
    }
}

#[test]
fn every_operation_is_in_a_group_that_is_described() {
    let description = description();
    let named = |tag: &Value| tag["name"].as_str().unwrap().to_owned();
    let groups: Vec<_> = description["tags"].as_array().unwrap().iter().map(named).collect();
    assert_eq!(groups, ["Models", "Training data", "Training", "History", "Workers"]);
    let mut used = BTreeSet::new();
    for operations in description["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values() {
            let [tag] = &operation["tags"].as_array().unwrap()[..] else { panic!("{operation}") };
            used.insert(tag.as_str().unwrap().to_owned());
        }
    }
    assert_eq!(used, groups.into_iter().collect());
}

#[test]
fn every_described_operation_has_a_route() {
    let place = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.contents = Some(Arc::new(Folder::open(place.path(), &MemoryStore::new()).unwrap()));
    let server = Server::start(Limits::NONE, options);
    for (path, operations) in description()["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let path = path.replace("{id}", "1").replace("{model_key}", "custom_model_1");
            let path = path.replace("{data_id}", "1");
            let headers = [("Tus-Resumable", "1.0.0")];
            let answer = server.request(&method.to_uppercase(), &path, &headers, "");
            assert_eq!(answer.status, 401, "{method} {path}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let description = description();
    let text = description.to_string();
    let references = text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    let references: BTreeSet<&str> = references.collect();
    assert!(references.len() > 10, "{references:?}");
    for reference in references {
        assert!(description.pointer(reference).is_some(), "{reference}");
    }
}

#[test]
fn the_constraints_are_those_of_the_core() {
    let description = description();
    let fields = &description["components"]["schemas"]["CreateModel"]["properties"];
    assert_eq!(fields["name"]["maxLength"], Name::MAX_CHARACTERS);
    assert_eq!(fields["description"]["maxLength"], Description::MAX_CHARACTERS);
    let codes: Vec<_> = Language::ALL.iter().map(|it| Value::from(it.as_str())).collect();
    assert_eq!(fields["language"]["enum"].as_array().unwrap(), &codes);
    let names = BaseModel::ALL.map(|base_model| Value::from(base_model.as_str()));
    assert_eq!(fields["base_model"]["enum"].as_array().unwrap(), &names);
    assert_eq!(fields["base_model"]["default"], "general");
    let parameters = &description["paths"]["/api/v3/custom_models/events"]["get"]["parameters"];
    let maximum = |place: usize| parameters[place]["schema"]["maximum"].clone();
    assert_eq!(maximum(1), ListEvents::MAX_LIMIT);
    assert_eq!(maximum(2), ListEvents::MAX_WAIT);
    let lease = &description["components"]["schemas"]["Heartbeat"]["properties"]["lease_seconds"];
    assert_eq!(lease["minimum"], LeaseTime::MIN.as_secs());
    assert_eq!(lease["maximum"], LeaseTime::MAX.as_secs());
}

#[test]
fn the_page_is_whole_and_loads_nothing_from_elsewhere() {
    let server = Server::new();
    server.request("GET", "/docs", &[], "").has("location", "/docs/");
    let page = server.request("GET", "/docs/", &[], "");
    assert_eq!(page.status, 200);
    assert!(page.headers["content-security-policy"].starts_with("default-src 'self';"));
    assert!(!page.body.contains("http"), "{}", page.body);
    // By itself the page shows the badge of a validator elsewhere, wherever it is not served on this machine.
    let start = server.request("GET", "/docs/swagger-initializer.js", &[], "").body;
    assert!(start.contains(r#""validatorUrl": "none""#), "{start}");
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
