//! The comparison of a store with the reference, for a caller that brings its own operations.

use std::fmt;

use crate::differential::operation::Operations;
use crate::differential::run::{Run, Submission};
use crate::differential::shared::Shared;
use crate::{Builder, Failure};

/// A store that is compared with the reference, [`MemoryStore`](custom_models_core::MemoryStore), by any number
/// of runs.
///
/// Runs share the store, since opening one may take long, and each has organisations of its own. Writes are
/// submitted together, so the store has to judge those of one thread in the order of their submission, which a
/// store need not do to pass the suite.
///
/// ```
/// use custom_models_store_conformance::{Comparison, MemoryBuilder, Operations};
/// # fn main() -> Result<(), custom_models_store_conformance::Failure> {
/// let mut comparison = Comparison::new(&MemoryBuilder)?;
/// comparison.run(&Operations::read(b"any bytes, of a fuzzer for example"))?;
/// # Ok(()) }
/// ```
pub struct Comparison {
    shared: Shared,
}

impl fmt::Debug for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Comparison").field("runs", &self.runs()).finish_non_exhaustive()
    }
}

impl Comparison {
    /// Creates a store of the builder's kind.
    pub fn new(builder: &dyn Builder) -> Result<Comparison, Failure> {
        Ok(Comparison { shared: Shared::new(builder)? })
    }

    /// Returns the number of runs so far.
    pub const fn runs(&self) -> u32 {
        self.shared.runs
    }

    /// Makes the operations on the store and on the reference, and fails if a result differs.
    pub fn run(&mut self, operations: &Operations) -> Result<(), Failure> {
        let run = Run::new(&mut self.shared, Submission::Together);
        Ok(run.and_then(|run| run.check(&operations.0))?)
    }
}
