//! The suite that every store passes.

use std::sync::Arc;

use custom_models_store_conformance::{FolderBuilder, conformance_tests};
use custom_models_store_sqlite::SqliteStore;
use rusqlite::Connection;

const FILE: &str = "custom-models.db";

conformance_tests!(FolderBuilder::new(
    |folder| Ok(Arc::new(SqliteStore::open(folder.join(FILE))?)),
    |folder, id| {
        let file = Connection::open(folder.join(FILE))?;
        file.execute("UPDATE sequence SET last_id = ?1", [i64::from(id)])?;
        Ok(())
    },
));
