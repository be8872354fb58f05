//! A test suite for stores of custom models: every case runs for every adapter, and none can be left out.
//!
//! The test of an adapter is an expression for its [`Builder`]. [`FolderBuilder`] is the builder for stores
//! in files:
//!
//! ```
//! //! The store passes the conformance suite.
//! use std::sync::Arc;
//! use custom_models_store_conformance::{FolderBuilder, conformance_tests};
//! # use custom_models_core::store::StoreError;
//! # use custom_models_core::MemoryStore;
//! # struct MyStore;
//! # impl MyStore {
//! #     fn open(_: &std::path::Path) -> Result<MemoryStore, StoreError> { Ok(MemoryStore::new()) }
//! # }
//!
//! conformance_tests!(FolderBuilder::new(
//!     |folder| Ok(Arc::new(MyStore::open(&folder.join("models.db"))?)),
//! ));
//! # fn main() {}
//! ```
//!
//! A store that never calls a completion makes its case wait for ever, since no case has a time-out.
#![forbid(unsafe_code)]
#![deny(dead_code)]

mod builder;
mod case;
mod cases;
mod client;
mod differential;
mod fixture;
mod folder;
mod history;
mod life;
mod memory;
mod report;
mod sample;
mod steps;
mod threads;
mod verdict;

pub use builder::{Ability, BoxError, Builder, Place};
pub use case::{Case, pass, run};
pub use differential::{Comparison, Operations};
pub use folder::FolderBuilder;
pub use memory::MemoryBuilder;
pub use report::Report;
pub use verdict::{Failure, Verdict};
