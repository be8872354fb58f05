//! The checks of the fuzz targets, each a comparison with a simpler implementation.
#![forbid(unsafe_code)]

pub mod audio;
pub mod body;
mod judge;
pub mod stores;
pub mod texts;
mod update;
pub mod upload;
