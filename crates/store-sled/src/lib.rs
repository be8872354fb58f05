#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod database;
mod error;
mod read;
mod rows;
mod schema;
mod store;
mod write;

pub use crate::store::SledStore;
