//! What the fuzz targets check, each against something plainer than what it checks.
#![forbid(unsafe_code)]

pub mod body;
mod judge;
mod operations;
pub mod stores;
pub mod texts;

pub use operations::Steps;
