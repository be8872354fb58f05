//! Custom models in one SQLite file, for one machine and any number of processes.
//!
//! Writes are committed in groups, each with one sync of the write-ahead log; what is acknowledged
//! survives a power cut. Reads have connections of their own and wait for no write.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # std::env::set_current_dir(&folder)?;
//! use std::sync::Arc;
//! use std::time::SystemTime;
//! use custom_models_core::{Caller, CreateModel, Engine, Plan};
//! use custom_models_store_sqlite::SqliteStore;
//!
//! let engine = Engine::new(Arc::new(SqliteStore::open("custom-models.db")?), SystemTime::now);
//! let caller = Caller::new("acme".parse()?, Plan::gold());
//! let request = CreateModel::from_json(br#"{"name":"Medical Cardiology EN","language":"en"}"#)?;
//! let model = engine.create(&caller, request)?;
//! println!("{}", serde_json::to_string(&model)?);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod error;
mod file;
mod read;
mod rows;
mod schema;
mod store;
mod write;

pub use crate::store::SqliteStore;
