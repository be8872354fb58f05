use std::cell::RefCell;
use std::sync::Arc;

use custom_models_core::{MemoryStore, ModelId, Store};

use crate::{AfterKill, BoxError, Builder, Exemption, Place};

/// Builds [`MemoryStore`]s. Opening a place again finds the same models, but nothing outlives the
/// process: the one builder that is exempt from MODEL-6.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryBuilder;

impl Builder for MemoryBuilder {
    fn new_place(&self) -> Result<Box<dyn Place>, BoxError> {
        Ok(Box::new(MemoryPlace { latest: RefCell::new(MemoryStore::new()) }))
    }
}

struct MemoryPlace {
    latest: RefCell<MemoryStore>,
}

impl Place for MemoryPlace {
    fn open(&self) -> Result<Arc<dyn Store>, BoxError> {
        let reopened = self.latest.borrow().reopen();
        self.latest.replace(reopened.clone());
        Ok(Arc::new(reopened))
    }

    fn raise_last_id(&self, to: ModelId) -> Result<(), BoxError> {
        self.latest.borrow().raise_last_id(to);
        Ok(())
    }

    fn after_kill(&self) -> Result<AfterKill, BoxError> {
        Ok(AfterKill::Exempt(Exemption::MODEL_6))
    }
}
