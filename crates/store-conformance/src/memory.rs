use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use custom_models_core::MemoryStore;
use custom_models_core::store::{Store, StoreIdentity};

use crate::{Ability, BoxError, Builder, Place};

/// A builder of [`MemoryStore`]s. Reopening a place finds the same records, but they end with the process,
/// and no disk has them.
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

    fn untested(&self) -> &[Ability] {
        &[Ability::Kill, Ability::Damage, Ability::FailingDisk]
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
}
