//! Custom speech-recognition models: create, list, get, update and delete them, and train them through a
//! queue of workers. The engine enforces the rules of a published API and the quotas of plans, over any
//! store.
//!
//! This crate is pure: it reads no file, no clock and no socket, and starts no thread. The host supplies a
//! clock and a store ([`MemoryStore`] is here; SQLite, sled and PostgreSQL have crates of their own), and
//! calls one type:
#![forbid(unsafe_code)]

pub mod access;
pub mod engine;
pub mod field;
mod memory;
pub mod model;
pub mod request;
pub mod store;
pub mod tenant;
pub mod time;
pub mod wire;

pub use self::engine::{Engine, Refusal};
pub use self::field::{BaseModel, Language};
pub use self::memory::MemoryStore;
pub use self::model::{CustomModel, ModelId, ModelKey};
pub use self::request::{CreateModel, ListModels, UpdateModel, Violations};
pub use self::tenant::{Caller, Organisation, Plan};
