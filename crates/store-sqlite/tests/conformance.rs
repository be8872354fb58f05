//! The suite that every store passes.

use std::sync::Arc;

use custom_models_store_conformance::{FolderBuilder, conformance_tests};
use custom_models_store_sqlite::SqliteStore;

const FILE: &str = "custom-models.db";

conformance_tests!(FolderBuilder::new(|folder| Ok(Arc::new(SqliteStore::open(
    folder.join(FILE)
)?)),));
