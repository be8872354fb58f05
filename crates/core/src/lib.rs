//! Custom speech-recognition models: create, list, get, update and delete them, and train them through a
//! queue of workers. The engine enforces the rules of a published API and the quotas of plans, over any
//! store.
//!
//! This crate is pure: it reads no file, no clock and no socket, and starts no thread before its first
//! asynchronous read. The host supplies a clock and a store (`MemoryStore` is here; SQLite, sled and PostgreSQL
//! have crates of their own), and
//! calls one type:
//!
#![cfg_attr(feature = "engine", doc = "```")]
#![cfg_attr(not(feature = "engine"), doc = "```ignore")]
//! use std::sync::Arc;
//! use std::time::SystemTime;
//! use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
//!
//! let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
//! let caller = Caller::new("acme".parse()?, Plan::gold());
//! let request = CreateModel::from_json(br#"{"name":"Medical Cardiology EN","language":"en"}"#)?;
//! let model = engine.create(&caller, request)?;
//! assert_eq!(model.model_key().to_string(), "custom_model_1");
//! println!("{}", serde_json::to_string(&model)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An invalid request yields all its violations at once, and every refusal has a status and a JSON body:
//!
//! ```
//! use custom_models_core::CreateModel;
//! use custom_models_core::wire::ErrorBody;
//!
//! let violations = CreateModel::from_json(br#"{"name":"","language":"xx"}"#).unwrap_err();
//! let error = ErrorBody::from(&violations);
//! println!("{}", error.to_json());
//! # assert_eq!(error.status, 400);
//! # assert_eq!(
//! #     error.to_json(),
//! #     r#"{"error":"Validation Error","message":"Invalid field values","details":{"name":"Name cannot be empty","language":"Language 'xx' is not supported"}}"#
//! # );
//! ```
//!
//! # Features
//!
//! - `engine`, by default: the engine, the gate, the traits of stores, and the store in memory.
//! - `serde_json`, part of `engine`: values of any JSON in error bodies, and error bodies as a client reads them.
//!
//! Without them the crate is validation alone: [fields](field), [requests](request), [models](model) and
//! [error bodies](wire). It then has at most 10 crates below it, and builds for `wasm32-unknown-unknown`.
//!
//! Names such as MODEL-6 are rules; the repository's `docs/rules.md` states every one.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(feature = "engine")]
pub mod access;
#[cfg(feature = "engine")]
pub mod engine;
pub mod field;
#[cfg(feature = "engine")]
pub mod memory;
pub mod model;
pub mod request;
#[cfg(feature = "engine")]
pub mod store;
pub mod tenant;
pub mod time;
pub mod wire;

#[cfg(feature = "engine")]
pub use self::engine::{Engine, Refusal};
pub use self::field::{BaseModel, Language};
#[cfg(feature = "engine")]
pub use self::memory::MemoryStore;
pub use self::model::{CustomModel, ModelId, ModelKey};
pub use self::request::{CreateModel, ListModels, UpdateModel, Violations};
pub use self::tenant::{Caller, Organisation, Plan};
