//! The checks of the fuzz targets, each a comparison with a simpler implementation.
#![forbid(unsafe_code)]

pub mod audio;
pub mod body;
mod judge;
mod made;
mod operations;
pub mod stores;
pub mod texts;
mod update;
pub mod upload;

pub use operations::Steps;
