//! The API of custom models over HTTP, for any axum host.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::SystemTime;
//! use custom_models_core::access::{Gate, Limits};
//! use custom_models_core::tenant::Plans;
//! use custom_models_core::{Engine, MemoryStore};
//! use custom_models_http::{Options, router};
//!
//! let store = Arc::new(MemoryStore::new());
//! let engine = Engine::new(store.clone(), SystemTime::now);
//! let gate = Gate::new(store, Plans::default(), Limits::default(), SystemTime::now)?;
//! let app: axum::Router = router(engine, gate, Options::default());
//! # let _ = app;
//! # Ok::<(), custom_models_core::store::StoreError>(())
//! ```
//!
//! A request is judged in the order of the rules: the route, the key, its scope, its places, whether
//! it was answered before, its window, the model, its state, its revision, the body. Every answer is JSON. [`serve`] is
//! the loop around the router for hosts that have none of their own.
//!
//! Requests are counted and timed through the facade [`metrics`], and the stores' groups of writes as
//! well. A host that wants to see them installs a recorder before it opens a store and makes the router,
//! and may serve [`metrics_router`] on a listener of its own. What there is to see, and how a service is
//! run, stands in `docs/operating.md`.
#![forbid(unsafe_code)]

mod openapi;
mod options;
mod rejection;
mod request;
mod response;
mod routes;
mod serve;
mod state;
mod telemetry;

pub use options::Options;
pub use rejection::Rejection;
pub use routes::{metrics_router, openapi, router};
pub use serve::serve;
