//! `show`, `list` and `delete`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use serde_json::Value;
use support::{Folder, NOT_FOUND, invalid};

#[test]
fn read_3_show_prints_the_model_as_it_was_created() {
    let folder = Folder::new();
    let created = folder.run(&["create", "--name", "n", "--language", "en"]);
    folder.run(&["show", "1"]).is_done(&created.out);
}

#[test]
fn read_3_what_is_not_an_id_of_the_organisation_is_not_found() {
    let folder = Folder::new();
    folder.create(&[]);
    for id in ["2", "abc", "0", "-1", "01", "+1", "1.0", "", "9007199254740992"] {
        folder.run(&["show", id]).is_refused(NOT_FOUND);
        folder.run(&["delete", id]).is_refused(NOT_FOUND);
    }
    for command in ["show", "delete"] {
        folder.run(&[command, "1", "--org", "other"]).is_refused(NOT_FOUND);
    }
    assert_eq!(folder.run(&["show", "1"]).code, 0);
}

#[test]
fn edit_5_delete_prints_nothing_and_the_second_is_not_found() {
    let folder = Folder::new();
    folder.create(&[]);
    folder.run(&["delete", "1"]).is_done("");
    folder.run(&["delete", "1"]).is_refused(NOT_FOUND);
    folder.run(&["show", "1"]).is_refused(NOT_FOUND);
}

/// The ids on a page, and its total.
fn page(folder: &Folder, arguments: &[&str]) -> (Vec<u64>, u64) {
    let listed = folder.run(&[&["list"], arguments].concat());
    assert_eq!((listed.code, listed.err.as_str()), (0, ""));
    let page: Value = serde_json::from_str(&listed.out).unwrap();
    let models = page["result"].as_array().unwrap();
    assert_eq!(page["count"], models.len());
    let ids = models.iter().map(|model| model["id"].as_u64().unwrap());
    (ids.collect(), page["total_results"].as_u64().unwrap())
}

#[test]
fn read_1_list_prints_the_page_of_the_wire() {
    let folder = Folder::new();
    folder
        .run(&["list"])
        .store_failed("error: 'sqlite:custom-models.db': there is no store: ", " make one");
    let one = folder.run(&["create", "--name", "n", "--language", "en"]);
    let two = folder.run(&["create", "--name", "m", "--language", "nl"]);
    folder.run(&["list"]).is_done(&format!(
        "{{\"count\":2,\"total_results\":2,\"result\":[{},{}]}}\n",
        one.out.trim_end(),
        two.out.trim_end()
    ));
    folder
        .run(&["list", "--org", "other"])
        .is_done("{\"count\":0,\"total_results\":0,\"result\":[]}\n");
}

#[test]
fn read_1_list_takes_pages_cursors_and_filters() {
    let folder = Folder::new();
    for base_model in ["general", "medical", "medical", "legal"] {
        folder.create(&["--base-model", base_model]);
    }
    folder.create(&["--org", "other"]);
    assert_eq!(page(&folder, &[]), (vec![1, 2, 3, 4], 4));
    assert_eq!(page(&folder, &["--page", "2", "--per-page", "3"]), (vec![4], 4));
    assert_eq!(page(&folder, &["--page", "3", "--per-page", "3"]), (vec![], 4));
    assert_eq!(page(&folder, &["--after", "1", "--per-page", "2"]), (vec![2, 3], 4));
    assert_eq!(page(&folder, &["--base-model", "medical"]), (vec![2, 3], 2));
    assert_eq!(page(&folder, &["--base-model", "medical", "--after", "2"]), (vec![3], 2));
    assert_eq!(page(&folder, &["--language", "nl"]), (vec![], 0));
    assert_eq!(page(&folder, &["--status", "1", "--language", "en"]), (vec![1, 2, 3, 4], 4));
    assert_eq!(page(&folder, &["--status", "2"]), (vec![], 0));
    assert_eq!(page(&folder, &["--org", "other"]), (vec![5], 1));
}

#[test]
fn read_1_every_violation_of_the_parameters_comes_at_once() {
    let folder = Folder::new();
    let wrong = [
        "list",
        "--page",
        "0",
        "--per-page",
        "101",
        "--status",
        "-1",
        "--language",
        "EN",
        "--base-model",
        "x",
    ];
    folder.run(&wrong).is_refused(&invalid(
        r#"{"language":"Language 'EN' is not supported","base_model":"Base model 'x' is not one of general, medical, legal, technical","page":"Page must be an integer of at least 1","per_page":"Per page must be an integer from 1 to 100","status":"Status must be an integer from 1 to 5"}"#,
    ));
    folder
        .run(&["list", "--page", "one"])
        .is_refused(&invalid(r#"{"page":"Page must be an integer of at least 1"}"#));
    let hyphens =
        ["list", "--page", "-1", "--per-page", "-1", "--language", "-l", "--base-model", "-b"];
    folder.run(&hyphens).is_refused(&invalid(
        r#"{"language":"Language '-l' is not supported","base_model":"Base model '-b' is not one of general, medical, legal, technical","page":"Page must be an integer of at least 1","per_page":"Per page must be an integer from 1 to 100"}"#,
    ));
    assert_eq!(folder.files(), [""; 0], "a refusal leaves no store behind");
}
