//! `create`: from flags and from a request body.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use support::{Folder, GOLD_IS_FULL, invalid};

const EXAMPLE: [&str; 7] =
    ["create", "--name", "Medical Cardiology EN", "--language", "en", "--base-model", "medical"];

const DESCRIPTION: &str = "Custom model for cardiology consultations and reports";

/// The example of the specification, with this id and description, created then.
fn example(id: u64, description: &str, then: &str) -> String {
    format!(
        "{{\"id\":{id},\"model_key\":\"custom_model_{id}\",\"name\":\"Medical Cardiology EN\",\"description\":{description},\"language\":\"en\",\"base_model\":\"medical\",\"training_status\":1,\"status_message\":\"Model created. Upload training data to begin.\",\"created_at\":\"{then}\",\"updated_at\":\"{then}\"}}\n"
    )
}

#[test]
fn model_5_the_first_command_prints_the_example_and_keeps_it_in_the_default_file() {
    let folder = Folder::new();
    let created = folder.run(&EXAMPLE);
    created.is_done(&example(1, "null", &created.created_at()));
    assert!(folder.files().contains(&"custom-models.db".to_owned()));
    folder.run(&["show", "1"]).is_done(&created.out);
}

#[test]
fn flags_and_bodies_create_the_same_model() {
    let folder = Folder::new();
    let description = format!("\"{DESCRIPTION}\"");
    let flags = folder.run(&[&EXAMPLE[..], &["--description", DESCRIPTION]].concat());
    flags.is_done(&example(1, &description, &flags.created_at()));

    let body = format!(
        r#"{{"name":"Medical Cardiology EN","language":"en","base_model":"medical","description":"{DESCRIPTION}"}}"#
    );
    let input = folder.run_with_input(&["create", "--json", "-"], body.as_bytes());
    input.is_done(&example(2, &description, &input.created_at()));

    std::fs::write(folder.path().join("request.json"), &body).unwrap();
    let file = folder.run(&["create", "--json", "request.json"]);
    file.is_done(&example(3, &description, &file.created_at()));
}

#[test]
fn base_1_and_desc_1_what_is_not_given_is_general_and_null() {
    let created = Folder::new().create(&["--store", "memory:"]);
    assert_eq!(created["base_model"], "general");
    assert!(created["description"].is_null());
}

#[test]
fn a_description_may_begin_with_a_hyphen() {
    let created = Folder::new().create(&["--store", "memory:", "--description", "- one"]);
    assert_eq!(created["description"], "- one");
}

#[test]
fn desc_4_an_empty_description_stays_empty() {
    let created = Folder::new().create(&["--store", "memory:", "--description", ""]);
    assert_eq!(created["description"], "");
}

#[test]
fn body_4_every_violation_of_the_flags_comes_at_once() {
    let folder = Folder::new();
    folder
        .run(&["create"])
        .is_refused(&invalid(r#"{"name":"Name is required","language":"Language is required"}"#));
    let long = "d".repeat(1001);
    let wrong = ["create", "--name", " ", "--language", "xx", "--base-model", "Medical"];
    folder
        .run(&[&wrong[..], &["--description", &long]].concat())
        .is_refused(&invalid(
            r#"{"name":"Name cannot be empty","language":"Language 'xx' is not supported","base_model":"Base model 'Medical' is not one of general, medical, legal, technical","description":"Description cannot exceed 1000 characters"}"#,
        ));
    let hyphens = ["create", "--name", "-n", "--language", "-l", "--base-model", "-b"];
    folder.run(&hyphens).is_refused(&invalid(
        r#"{"language":"Language '-l' is not supported","base_model":"Base model '-b' is not one of general, medical, legal, technical"}"#,
    ));
    assert_eq!(folder.files(), [""; 0], "a refusal leaves no store behind");
}

#[test]
fn name_5_a_name_may_begin_with_a_hyphen_and_is_kept_as_it_is() {
    let folder = Folder::new();
    for name in ["-x", "--language", "- dash", "  e\u{301} 🎧 \u{5d0}\n "] {
        let created =
            folder.run(&["create", "--store", "memory:", "--name", name, "--language", "en"]);
        assert_eq!(created.code, 0, "{created:?}");
        let model: serde_json::Value = serde_json::from_str(&created.out).unwrap();
        assert_eq!(model["name"], name);
    }
}

#[test]
fn body_1_a_body_is_judged_as_on_the_wire() {
    let folder = Folder::new();
    for (body, details) in [
        ("", r#"{"body":"Request body is not valid JSON"}"#),
        ("[]", r#"{"body":"Request body must be a JSON object"}"#),
        (
            r#"{"name":1,"n\u0061me":"n","base_model":null}"#,
            r#"{"name":"Name is given more than once","language":"Language is required","base_model":"Base model must be a string"}"#,
        ),
    ] {
        folder
            .run_with_input(&["create", "--json", "-"], body.as_bytes())
            .is_refused(&invalid(details));
    }
}

#[test]
fn body_6_a_body_of_64_kib_is_judged_and_a_larger_one_is_not() {
    const TOO_LARGE: &str = "{\"error\":\"Payload Too Large\",\"message\":\"Request body cannot exceed 65536 bytes\",\"error_code\":\"PAYLOAD_TOO_LARGE\"}\n";
    let folder = Folder::new();
    let arguments = ["create", "--json", "-", "--store", "memory:"];
    let mut body = br#"{"name":"n","language":"en"}"#.to_vec();
    body.resize(65_536, b' ');
    assert_eq!(folder.run_with_input(&arguments, &body).code, 0);
    body.push(b' ');
    folder.run_with_input(&arguments, &body).is_refused(TOO_LARGE);

    std::fs::write(folder.path().join("request.json"), &body).unwrap();
    folder.run(&["create", "--json", "request.json"]).is_refused(TOO_LARGE);
}

#[test]
fn quota_1_gold_holds_five_and_quota_6_the_sixth_is_told() {
    let folder = Folder::new();
    let gold = [&EXAMPLE[..], &["--plan", "Gold"]].concat();
    for _ in 0..5 {
        assert_eq!(folder.run(&gold).code, 0);
    }
    folder.run(&gold).is_refused(GOLD_IS_FULL);

    // QUOTA-7: what is wrong with the request comes first.
    folder
        .run(&["create", "--plan", "Gold", "--language", "en"])
        .is_refused(&invalid(r#"{"name":"Name is required"}"#));

    // QUOTA-2: a delete frees its place; MODEL-1: the id is not given again.
    folder.run(&["delete", "5"]).is_done("");
    assert_eq!(folder.create(&["--plan", "gold"])["id"], 6);

    // The limit is of the plan and the organisation.
    assert_eq!(folder.create(&[])["id"], 7);
    assert_eq!(folder.create(&["--plan", "GOLD", "--org", "other"])["id"], 8);
}
