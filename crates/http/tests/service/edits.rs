//! EDIT over HTTP: updates and deletes, with `If-Match`.

use std::thread;

use custom_models_core::access::Scope;

use crate::support::{Behaviour, CREATED, MODELS, NAMED, Server};

const STALE: &str = r#"{"error":"Precondition Failed","message":"The model was changed since","error_code":"PRECONDITION_FAILED"}"#;

fn path() -> String {
    format!("{MODELS}/1")
}

fn created() -> (Server, String) {
    let server = Server::new();
    let key = server.any_key();
    server.create(&key, NAMED).is(201, CREATED).has("etag", "\"1\"");
    (server, key)
}

#[test]
fn edit_1_an_update_changes_the_fields_that_it_names_and_returns_the_whole_model() {
    let (server, key) = created();
    server.pass(1);
    let named = CREATED.replace(r#""name":"n""#, r#""name":"m""#).replace(
        r#""updated_at":"2023-11-14T22:13:20Z""#,
        r#""updated_at":"2023-11-14T22:13:21Z""#,
    );
    server.post(&key, &path(), r#"{"name":"m"}"#).is(200, &named).has("etag", "\"2\"");
    let described = named.replace(r#""description":null"#, r#""description":"d""#);
    server.post(&key, &path(), r#"{"description":"d"}"#).is(200, &described).has("etag", "\"3\"");
    server.get(&key, &path()).is(200, &described).has("etag", "\"3\"");
    server.post(&key, &path(), r#"{"description":null}"#).is(200, &named).has("etag", "\"4\"");
    server.get(&key, &format!("{MODELS}/2")).refuses(404, "MODEL_NOT_FOUND").has_no("etag");
}

#[test]
fn edit_1_and_edit_2_all_violations_of_an_update_are_listed() {
    let (server, key) = created();
    let body = r#"{"base_model":"legal","language":"nl","name":null,"description":7}"#;
    server.post(&key, &path(), body).is(
        400,
        r#"{"error":"Validation Error","message":"Invalid field values","details":{"name":"Name must be a string","language":"Language cannot be changed after creation","base_model":"Base model cannot be changed after creation","description":"Description must be a string or null"}}"#,
    );
    server.post(&key, &path(), r#"{"x":1}"#).is(
        400,
        r#"{"error":"Validation Error","message":"Invalid field values","details":{"body":"Request body must have a name or a description"}}"#,
    );
    server.get(&key, &path()).is(200, CREATED);
}

#[test]
fn edit_1_an_update_needs_the_scope_and_the_organisation_of_the_model() {
    let (server, key) = created();
    let reader = server.key(2, "acme", &[Scope::Read]);
    let other = server.key(3, "other", &Scope::ALL);
    server.post(&reader, &path(), r#"{"name":"m"}"#).refuses(403, "INSUFFICIENT_SCOPE");
    server.post(&other, &path(), r#"{"name":"m"}"#).refuses(404, "MODEL_NOT_FOUND");
    for id in ["x", "0", "events", "resolve", "%ff"] {
        for below in ["", "/run", "/cancel"] {
            // Only `events` and what is below `resolve` is another route.
            if (id, below) == ("events", "") || (id == "resolve" && !below.is_empty()) {
                continue;
            }
            let answer = server.post(&key, &format!("{MODELS}/{id}{below}"), "{}");
            answer.refuses(404, "MODEL_NOT_FOUND");
        }
    }
    server.get(&key, &path()).is(200, CREATED);
}

#[test]
fn edit_3_an_update_is_allowed_while_training_runs_and_does_not_touch_it() {
    let server = Server::new();
    let key = server.any_key();
    let path = server.running_model(&key, 1);
    let before = server.get(&key, &path);
    let after = server.post(&key, &path, r#"{"name":"m"}"#);
    after.is(200, &before.body.replace(r#""name":"n""#, r#""name":"m""#)).has("retry-after", "30");
}

#[test]
fn edit_4_and_wire_412_a_write_at_another_revision_is_a_412() {
    let (server, key) = created();
    let update = |headers: &[(&str, &str)]| {
        let answer = server.post_with(&key, &path(), headers, r#"{"name":"m"}"#);
        answer.status
    };
    let mut revision = 1;
    let malformed = ["", "1", "\"1", "1\"", "\"1\" \"1\"", "\"1\";", "*, \"1\"", "w/\"1\"", "'1'"];
    for refused in malformed.into_iter().chain(["\"2\"", "W/\"1\"", "\"01\"", "\"+1\"", "\"é\""]) {
        let answer = server.post_with(&key, &path(), &[("If-Match", refused)], r#"{"name":"m"}"#);
        answer.is(412, STALE).has_no("etag");
    }
    server.get(&key, &path()).is(200, CREATED);
    for taken in ["*", " * ", "\"REV\"", "\"x,\", , \"REV\",W/\"7\"", "\"0\",\"REV\"\t"] {
        let header = taken.replace("REV", &revision.to_string());
        assert_eq!(update(&[("If-Match", &header)]), 200, "{header}");
        revision += 1;
    }
    let tag = format!("\"{revision}\"");
    assert_eq!(update(&[("If-Match", "\"1\""), ("If-Match", &tag)]), 200);
    assert_eq!(update(&[("If-Match", "\"1\""), ("If-Match", &tag)]), 412);
    assert_eq!(update(&[]), 200);
}

#[test]
fn edit_4_every_write_of_a_model_honours_if_match() {
    let server = Server::new();
    let key = server.any_key();
    let path = server.ready_model(&key, 1);
    let write = |method: &str, below: &str, tag: &str, body: &str| {
        let headers =
            [("Authorization", &*key), ("Content-Type", "application/json"), ("If-Match", tag)];
        server.request(method, &format!("{path}{below}"), &headers, body)
    };
    assert_eq!(server.get(&key, &path).headers["etag"], "\"3\"");
    write("POST", "/run", "\"2\"", "{}").is(412, STALE);
    assert_eq!(write("POST", "/run", "\"3\"", "{}").headers["etag"], "\"4\"");
    write("POST", "/cancel", "\"3\"", "").is(412, STALE);
    assert_eq!(write("POST", "/cancel", "\"4\"", "").headers["etag"], "\"5\"");
    write("POST", "", "\"4\"", r#"{"name":"m"}"#).is(412, STALE);
    write("DELETE", "", "\"4\"", "").is(412, STALE);
    write("DELETE", "", "\"5\"", "").is(204, "").has_no("etag");
}

#[test]
fn edit_4_of_two_edits_at_the_same_time_both_are_made_unless_one_expects_a_revision() {
    let (server, key) = created();
    let in_between = |body: &'static str, headers: &[(&str, &str)]| {
        server.store.behave(Behaviour::Holds);
        thread::scope(|scope| {
            let held = scope.spawn(|| server.post_with(&key, &path(), headers, body));
            server.store.wait_for_held_writes(1);
            // The first is decided already when the second comes and is made before it.
            server.store.behave_for_new_writes(Behaviour::Works);
            assert_eq!(server.post(&key, &path(), r#"{"description":"d"}"#).status, 200);
            server.store.behave(Behaviour::Works);
            held.join().unwrap()
        })
    };
    let both = in_between(r#"{"name":"m"}"#, &[]);
    assert_eq!(both.status, 200);
    assert!(both.body.contains(r#""name":"m","description":"d""#), "{}", both.body);
    both.has("etag", "\"3\"");
    in_between(r#"{"name":"x"}"#, &[("If-Match", "\"3\"")]).is(412, STALE);
    assert!(server.get(&key, &path()).body.contains(r#""name":"m""#));
}

#[test]
fn edit_4_of_32_renames_at_once_all_are_made() {
    let (server, key) = created();
    let (server, key) = (&server, &key);
    thread::scope(|scope| {
        let renames: Vec<_> = (0..32)
            .map(|number| {
                let body = format!(r#"{{"name":"name {number}"}}"#);
                scope.spawn(move || server.post(key, &path(), &body))
            })
            .collect();
        let statuses = renames.into_iter().map(|rename| rename.join().unwrap().status);
        assert_eq!(statuses.collect::<Vec<_>>(), [200; 32]);
    });
    server.get(key, &path()).has("etag", "\"33\"");
}

#[test]
fn edit_4_a_model_at_a_known_revision_is_a_304_unless_its_training_runs() {
    let (server, key) = created();
    let get = |tag: &str| {
        server.request("GET", &path(), &[("Authorization", &key), ("If-None-Match", tag)], "")
    };
    for known in ["\"1\"", "W/\"1\"", "*", "\"7\", \"1\""] {
        let answer = get(known);
        assert_eq!((answer.status, &*answer.body), (304, ""), "{known}");
        answer.has("etag", "\"1\"").has_no("content-type");
    }
    for unknown in ["\"2\"", "1", ""] {
        get(unknown).is(200, CREATED);
    }
    let running = server.running_model(&key, 2);
    let headers = [("Authorization", &*key), ("If-None-Match", "*")];
    assert_eq!(server.request("GET", &running, &headers, "").status, 200);
}

#[test]
fn edit_5_a_model_in_training_is_not_deleted() {
    let server = Server::new();
    let key = server.any_key();
    let path = server.running_model(&key, 1);
    let delete = || server.request("DELETE", &path, &[("Authorization", &key)], "");
    delete().is(
        409,
        r#"{"error":"Conflict","message":"The model is being trained","error_code":"TRAINING_IN_PROGRESS"}"#,
    );
    assert_eq!(server.post(&key, &format!("{path}/cancel"), "").status, 200);
    delete().is(204, "");
}
