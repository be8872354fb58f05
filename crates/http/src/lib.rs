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
//! A request is judged in the order of the rules: the route, the key, its scope, its place, a replay under an
//! idempotency key, its window, the model, its state, its revision, the body. Every response of an endpoint is JSON. [`serve`] is the
//! loop around the router, for hosts that have none of their own.
//!
//! Requests, and the groups of writes of the stores, are counted and timed through the facade [`metrics`]. A host that
//! wants them installs a recorder before it opens a store and makes the router. [`metrics_router`] serves them on a
//! listener of its own. `docs/operating.md` describes the metrics, the log and how a service is run.
//!
//! # Features
//!
//! - `uploads`, by default: the routes of training data, with the readers of audio.
//! - `docs`, by default: the page of the API at `/docs`. `/openapi.json` needs no feature.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod authenticator;
mod openapi;
mod options;
mod rejection;
mod request;
mod response;
mod routes;
mod serve;
mod state;
mod telemetry;

pub use authenticator::{Access, Authentication, Authenticator};
pub use options::Options;
pub use rejection::Rejection;
#[cfg(feature = "uploads")]
pub use rejection::ResumableRejection;
pub use routes::{Routers, metrics_router, openapi, router};
pub use serve::serve;
