//! The engine: one method per operation, each with at most one write to the store.

mod changes;
mod create;
mod data;
mod data_places;
mod edit;
mod entries;
mod forms;
mod idempotency;
mod limited;
mod read;
mod refusal;
mod worker;

pub use self::edit::Edited;
pub use self::entries::{Entries, EntryStream};
pub use self::idempotency::Idempotent;
pub use self::limited::Limited;
pub use self::read::{EventList, Validated};
pub use self::refusal::Refusal;
pub use self::worker::{Claimed, LeaseHeld, Retention, Swept};

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::engine::data_places::Places;
use crate::store::{ModelStore, PendingRead, Readers};
use crate::time::UnixMillis;

/// Executes the operations on custom models by the rules, over a store.
///
/// Clones are cheap and share the store. Time comes from the clock passed to [`Engine::new`].
///
/// Every operation has two forms of the same name. `create` blocks its thread until the result is there;
/// `create_async` returns a future that needs no particular runtime. Reads of this form are made by the threads of a
/// [`ReadPool`](crate::store::ReadPool).
#[derive(Clone)]
pub struct Engine {
    pub(crate) store: Arc<dyn ModelStore>,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    places: Arc<Places>,
    pub(crate) readers: Readers,
}

impl Engine {
    /// Creates an engine over a store, with a clock: `SystemTime::now` outside of tests.
    pub fn new(
        store: Arc<dyn ModelStore>,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        let (places, readers) = (Arc::default(), Readers::default());
        Engine { store, clock: Arc::new(clock), places, readers }
    }

    /// Waits for the submitted writes, then closes the store for all clones of this engine.
    ///
    /// # Errors
    ///
    /// [`Refusal::Store`] if the store could not be closed cleanly.
    pub fn close(&self) -> Result<(), Refusal> {
        Ok(self.store.close()?)
    }

    /// Closes the store, as [`Engine::close`] does, without blocking a thread other than one of the engine's pool.
    pub fn close_async(&self) -> PendingRead<(), Refusal> {
        self.queue_read(Engine::close)
    }

    pub(crate) fn now(&self) -> UnixMillis {
        (self.clock)().into()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
