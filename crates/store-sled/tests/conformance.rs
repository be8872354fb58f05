//! The store passes the conformance suite.

use std::sync::Arc;

use custom_models_store_conformance::{FolderBuilder, conformance_tests};
use custom_models_store_sled::SledStore;

conformance_tests!(FolderBuilder::new(|folder| Ok(Arc::new(SledStore::open(
    folder.join("store")
)?)),));
