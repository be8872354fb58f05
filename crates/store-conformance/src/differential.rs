//! A differential test: a store and the reference get the same operations, and must give the same results.

mod choices;
mod comparison;
mod operation;
mod run;
mod shared;
mod values;
mod write;

pub use comparison::Comparison;
pub use operation::Operations;

pub(crate) use choices::Choices;
pub(crate) use operation::Operation;
pub(crate) use run::{Run, Submission};
pub(crate) use shared::Shared;
