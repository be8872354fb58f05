//! A folder of the first release, in layout 1, can be read and used on.
//!
//! It was made by that release's command: `custom-models --store sled:DIR` with `org add`, `create`,
//! `delete`, `key create` and `key revoke`. `expected.json` is what its `org list`, `key list` and
//! `list` said of it then.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use custom_models_core::access::KeyRecord;
use custom_models_core::model::Edit;
use custom_models_core::store::{AccessStore, ModelStore, Selection, StoreErrorKind};
use custom_models_core::{CustomModel, Organisation};
use custom_models_store_sled::SledStore;
use serde_json::{Value, json};
use tempfile::TempDir;

use common::{Life, acme, answer_key, copy, create, id, list, pair, tamper};

const MARKER: &str = "custom-models-sled";

const NOW: &str = "custom-models in sled, layout 5\n";

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/first-release")
}

fn expected() -> Value {
    serde_json::from_slice(&fs::read(data().join("expected.json")).unwrap()).unwrap()
}

fn first_release() -> (TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    copy(&data().join("store"), &folder);
    (temporary, folder)
}

fn all_of(store: &SledStore, name: &str) -> Vec<CustomModel> {
    let organisation: Organisation = name.parse().unwrap();
    let selection = Selection { limit: u32::MAX, ..Selection::default() };
    let listing = store.list(&organisation, &selection).unwrap();
    assert_eq!(listing.total, listing.models.len() as u64);
    for model in &listing.models {
        assert_eq!(store.get(&organisation, model.id).unwrap().as_ref(), Some(model));
        assert_eq!(store.data(&organisation, model.id, 0, u32::MAX).unwrap(), []);
    }
    listing.models
}

fn key_as_listed(key: KeyRecord) -> Value {
    let scopes: Vec<_> = key.scopes.to_string().split(' ').map(str::to_owned).collect();
    json!({
        "id": key.id.to_string(),
        "organisation": key.organisation,
        "scopes": scopes,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    })
}

/// Everything that the first release showed is there, and nothing else.
fn is_as_it_was(store: &SledStore) {
    let expected = expected();
    for (name, models) in expected["models"].as_object().unwrap() {
        assert_eq!(serde_json::to_value(all_of(store, name)).unwrap(), *models, "{name}");
        let page = store.events(&name.parse().unwrap(), 0, 9).unwrap();
        assert_eq!((page.events.len(), page.first, page.last), (0, 1, 0));
    }
    let registrations = store
        .registrations()
        .unwrap()
        .into_iter()
        .map(|it| json!({ "organisation": it.organisation, "plan": it.plan.as_str() }));
    assert_eq!(Value::from_iter(registrations), expected["registrations"]);
    let keys = store.keys(&acme()).unwrap().into_iter().map(key_as_listed);
    assert_eq!(Value::from_iter(keys), expected["keys"]);
    for key in store.keys(&acme()).unwrap() {
        let grant = store.key(&key.digest).unwrap().unwrap();
        assert_eq!((grant.key, grant.plan.as_str()), (key, "Gold"));
    }
}

/// A model of the first release can be used, and no id is reused.
fn goes_on(life: &Life) {
    life.train(3);
    life.fail(3, "no luck");
    life.touch(3, &answer_key(3, "k")).unwrap();
    life.edit(2, &Edit::Delete);
    create(&*life.store, "next").unwrap();
    let ids: Vec<_> = all_of_acme(life).iter().map(|model| model.id.get()).collect();
    assert_eq!(ids, [3, 5, 8]);
    let page = life.store.events(&acme(), 0, 9).unwrap();
    let positions: Vec<_> = page.events.iter().map(|event| event.position).collect();
    assert_eq!((positions, page.first, page.last), (vec![1, 2, 3, 4, 5, 6], 1, 6));
    assert_eq!(life.get(3).training.failure().unwrap().error, "no luck");
    assert_eq!(life.store.data(&acme(), id(3), 0, u32::MAX).unwrap()[0].audio, pair("a.wav").audio);
}

fn all_of_acme(life: &Life) -> Vec<CustomModel> {
    list(&*life.store).unwrap().models
}

#[test]
fn a_folder_of_the_first_release_is_read_and_goes_on() {
    let (_temporary, folder) = first_release();
    let life = Life::open(&folder);
    is_as_it_was(&life.store);
    assert_eq!(fs::read_to_string(folder.join(MARKER)).unwrap(), NOW);
    goes_on(&life);
    let models = all_of_acme(&life);
    life.store.close().unwrap();
    let life = Life::open(&folder);
    assert_eq!(all_of_acme(&life), models);
    assert_eq!(life.store.events(&acme(), 0, 9).unwrap().last, 6);
}

/// An interrupted migration is repeated, however far it had come.
#[test]
fn a_step_to_this_layout_that_was_cut_short_is_made_again() {
    let (_temporary, folder) = first_release();
    let expected = expected();
    let models = expected["models"].as_object().unwrap().values();
    let models = models.map(|models| models.as_array().unwrap().len() as u64).sum();
    tamper(&folder, |db| {
        db.insert("s", &[7; 16]).unwrap();
        db.insert("g", [1, models, 0].map(u64::to_be_bytes).concat()).unwrap();
        db.insert("f", NOW).unwrap();
    });
    for text in [
        &b"custom-models in sled, layout 1\n"[..],
        b"custom-models in sled, layout 2\nin u",
        b"custom-models in sled, layout 5\nin u",
    ] {
        fs::write(folder.join(MARKER), text).unwrap();
        let store = SledStore::open(&folder).unwrap();
        is_as_it_was(&store);
        store.close().unwrap();
    }
    assert_eq!(fs::read_to_string(folder.join(MARKER)).unwrap(), NOW);
    goes_on(&Life::open(&folder));
}

/// Layout 1 had no journal: counters are corrected after a partial group.
#[test]
fn model_6_a_folder_of_the_first_release_that_was_left_open_is_put_right() {
    let (_temporary, folder) = first_release();
    tamper(&folder, |db| {
        let counter = |models: u64| [models.to_be_bytes(), 7_u64.to_be_bytes()].concat();
        db.insert("cacme", counter(2)).unwrap();
        db.insert("cempty", counter(1)).unwrap();
        db.remove("calone").unwrap();
        db.insert("i", &4_u64.to_be_bytes()).unwrap();
    });
    fs::write(folder.join(MARKER), "custom-models in sled, layout 1\nin use\n").unwrap();
    let store = SledStore::open(&folder).unwrap();
    is_as_it_was(&store);
    assert_eq!(fs::read_to_string(folder.join(MARKER)).unwrap(), NOW);
    create(&store, "next").unwrap();
    assert_eq!(list(&store).unwrap().models.last().unwrap().id, id(6));
    // A store in the current layout is not corrected.
    store.close().unwrap();
    tamper(&folder, |db| drop(db.remove("cacme").unwrap()));
    assert_eq!(list(&SledStore::open(&folder).unwrap()).unwrap().total, 0);
}

#[test]
fn a_folder_of_the_first_release_with_a_later_database_is_newer() {
    let (_temporary, folder) = first_release();
    tamper(&folder, |db| drop(db.insert("f", "custom-models in sled, layout 6\n").unwrap()));
    assert_eq!(SledStore::open(&folder).unwrap_err().kind(), StoreErrorKind::Newer);
}
