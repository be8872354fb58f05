//! Names that SQLite would read as something other than a file.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use custom_models_core::CreateModel;
use custom_models_core::store::{ModelStore, StoreErrorKind};
use custom_models_core::{Caller, Engine, Plan};
use custom_models_store_sqlite::SqliteStore;

/// The only test of its process, since it changes the current directory.
#[test]
fn every_name_is_that_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    std::env::set_current_dir(&folder).unwrap();
    let names = [":memory:", "file:x.db", "file:y.db?mode=memory", "z.db?mode=ro", "a%20b.db"];
    for name in names {
        let engine =
            Engine::new(Arc::new(SqliteStore::open(name).unwrap()), std::time::SystemTime::now);
        let caller = Caller::new("acme".parse().unwrap(), Plan::gold());
        let request = CreateModel::from_json(br#"{"name":"n","language":"en"}"#).unwrap();
        engine.create(&caller, request).unwrap();
        engine.close().unwrap();
        assert!(folder.path().join(name).metadata().unwrap().len() > 0, "{name}");
        let store = SqliteStore::open(name).unwrap();
        let id = custom_models_core::ModelId::new(1).unwrap();
        assert!(store.get(&"acme".parse().unwrap(), id).unwrap().is_some(), "{name}");
    }
    let fault = SqliteStore::open("").err().unwrap();
    assert_eq!(fault.kind(), StoreErrorKind::Unavailable, "no name is no file for a while either");
}
