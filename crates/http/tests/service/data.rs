//! The data of a model over HTTP: listed in pages, and removed with its contents.

use std::fs;
use std::time::Duration;

use custom_models_core::model::DataType;
use serde_json::Value;

use crate::support::MODELS;
use crate::uploads::{UPLOADED, uploads};

#[test]
fn data_6_the_list_of_data_is_pages() {
    let uploads = uploads();
    let get = |query: &str| uploads.server.get(&uploads.key, &format!("{MODELS}/1/data{query}"));
    get("").is(200, r#"{"count":0,"total_results":0,"result":[]}"#);
    (0..26).for_each(|_| uploads.server.has_data("acme", 1, DataType::Train, 1));
    let shown = |query: &str| {
        let page: Value = serde_json::from_str(&get(query).body).unwrap();
        let ids = page["result"].as_array().unwrap().iter().map(|pair| pair["id"].as_u64());
        let ids: Vec<u64> = ids.map(Option::unwrap).collect();
        assert_eq!((&page["count"], &page["total_results"]), (&ids.len().into(), &26.into()));
        ids
    };
    assert_eq!(shown(""), (1..=25).collect::<Vec<_>>());
    assert_eq!(shown("?page=2"), [26]);
    assert!(shown("?page=3").is_empty());
    assert_eq!(shown("?page=3&per_page=7"), (15..=21).collect::<Vec<_>>());
    assert_eq!(shown("?per_page=100"), (1..=26).collect::<Vec<_>>());
    get("?page=0&per_page=0&per_page=1&status=2").is(
        400,
        r#"{"error":"Validation Error","message":"Invalid field values","details":{"page":"Page must be an integer of at least 1","per_page":"Per page is given more than once","status":"Unknown parameter"}}"#,
    );
    let foreign = uploads.server.get(&uploads.key, &format!("{MODELS}/7/data?page=0"));
    foreign.refuses(404, "MODEL_NOT_FOUND");
}

#[test]
fn data_6_a_pair_is_removed_with_its_contents() {
    let uploads = uploads();
    uploads.upload().is(200, UPLOADED);
    let pair = format!("{MODELS}/1/data/1");
    let stale = [("Authorization", &*uploads.key), ("If-Match", "\"1\"")];
    uploads.server.request("DELETE", &pair, &stale, "").refuses(412, "PRECONDITION_FAILED");
    uploads.delete(&pair).is(204, "");
    uploads.has_files(0);
    for gone in ["1", "2", "x", "0"] {
        uploads.delete(&format!("{MODELS}/1/data/{gone}")).refuses(404, "DATA_NOT_FOUND");
    }
    uploads.delete(&format!("{MODELS}/2/data/1")).refuses(404, "MODEL_NOT_FOUND");
}

#[test]
fn place_2_a_pair_that_is_removed_on_an_older_copy_of_the_store_leaves_its_contents() {
    let uploads = uploads();
    uploads.upload().is(200, UPLOADED);
    let mark = uploads.place.path().join("custom-models.json");
    let text = fs::read_to_string(&mark).unwrap();
    fs::write(mark, text.replace('}', r#","behind":true}"#)).unwrap();
    uploads.delete(&format!("{MODELS}/1/data/1")).is(204, "");
    std::thread::sleep(Duration::from_millis(200));
    uploads.has_files(2);
}

#[test]
fn edit_5_the_contents_of_a_deleted_model_are_removed() {
    let uploads = uploads();
    uploads.upload().is(200, UPLOADED);
    uploads.delete(&format!("{MODELS}/1")).is(204, "");
    uploads.has_files(0);
    uploads.upload().refuses(404, "MODEL_NOT_FOUND");
}
