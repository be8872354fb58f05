use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use custom_models_core::store::{Store, StoreIdentity};
use custom_models_core::{MemoryStore, ModelId};

use crate::{AfterKill, BoxError, Builder, Exemption, Place};

/// A builder of [`MemoryStore`]s. Reopening a place finds the same records, but they end with the process:
/// the only builder that is exempt from MODEL-6.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryBuilder;

/// The number of places so far, which makes identities distinct.
static PLACES: AtomicU64 = AtomicU64::new(1);

impl Builder for MemoryBuilder {
    fn new_place(&self) -> Result<Box<dyn Place>, BoxError> {
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let store =
            MemoryStore::with_identity(StoreIdentity::from_bytes(u128::from(number).to_be_bytes()));
        Ok(Box::new(MemoryPlace { latest: RefCell::new(store) }))
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
