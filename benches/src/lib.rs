//! Benchmarks of the engine, beside others who do the same.
//!
//! A benchmark that goes wrong is no measurement, so this crate stops with a panic where the
//! engine's crates would answer with an error.

pub mod bars;
pub mod cases;
pub mod chart;
pub mod creates;
pub mod disk;
pub mod load;
pub mod machine;
pub mod peers;
pub mod race;
pub mod reads;
pub mod table;
pub mod validation;
pub mod variant;

/// The engine, as tables show it.
pub const OURS: &str = "custom-models";
