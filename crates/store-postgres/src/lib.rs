//! Custom models in one PostgreSQL database, for several machines.
//!
//! Any number of engines on any number of machines can use one database. Writes are committed in
//! groups: creates in one round trip, all others in two. Their conditions are checked on rows that
//! the transaction has locked, so no other engine interferes. An acknowledged write is as durable
//! as the server's commits. Reads have connections of their own and wait for no write.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use std::time::SystemTime;
//! use custom_models_core::{Caller, CreateModel, Engine, Plan};
//! use custom_models_store_postgres::PostgresStore;
//!
//! let url = "postgres://custom_models@db-1,db-2/custom_models?sslrootcert=/etc/ssl/db.pem";
//! let engine = Engine::new(Arc::new(PostgresStore::open(url)?), SystemTime::now);
//! let caller = Caller::new("acme".parse()?, Plan::gold());
//! let request = CreateModel::from_json(br#"{"name":"Medical Cardiology EN","language":"en"}"#)?;
//! let model = engine.create(&caller, request)?;
//! println!("{}", serde_json::to_string(&model)?);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod connection;
mod error;
mod read;
mod rows;
mod schema;
mod settings;
mod store;
mod write;

pub use crate::settings::{Clock, Settings};
pub use crate::store::PostgresStore;
