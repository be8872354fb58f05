//! The store passes the conformance suite.

mod common;

use std::sync::Arc;

use custom_models_store_conformance::{FolderBuilder, conformance_tests};
use custom_models_store_sled::SledStore;

use crate::common::tamper;

conformance_tests!(FolderBuilder::new(
    |folder| Ok(Arc::new(SledStore::open(folder.join("store"))?)),
    |folder, id| {
        let mut written = Ok(());
        tamper(&folder.join("store"), |db| {
            written = db.insert("i", &id.get().to_be_bytes()).map(drop);
        });
        Ok(written?)
    },
));
