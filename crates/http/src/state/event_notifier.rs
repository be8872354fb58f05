//! Those who wait for an event: told by what this service writes, and none of them owns a thread.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use custom_models_core::Organisation;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::rejection::Rejection;
use crate::state::places::{Place, Places};

/// As many as may wait at a time, by their organisation.
pub(crate) struct Waiters {
    places: Arc<Places>,
    /// INVARIANT: an organisation is here while a [`Waiter`] of it is.
    told: Mutex<HashMap<Organisation, Arc<Notify>>>,
}

impl Waiters {
    pub(crate) fn new(places: Arc<Places>) -> Self {
        Waiters { places, told: Mutex::new(HashMap::new()) }
    }

    /// One more who waits, if there is a place.
    pub(crate) fn wait_for(&self, organisation: &Organisation) -> Result<Waiter<'_>, Rejection> {
        let place = self.places.take(organisation)?;
        let notify = Arc::clone(self.told().entry(organisation.clone()).or_default());
        Ok(Waiter { waiters: self, organisation: organisation.clone(), notify, _place: place })
    }

    /// Tells all who wait for an event of an organisation that there may be one.
    pub(crate) fn wake(&self, organisation: &Organisation) {
        if let Some(notify) = self.told().get(organisation) {
            notify.notify_waiters();
        }
    }

    /// Nothing that can panic runs under the lock.
    fn told(&self) -> MutexGuard<'_, HashMap<Organisation, Arc<Notify>>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits. Its place is free again when this is dropped.
pub(crate) struct Waiter<'a> {
    waiters: &'a Waiters,
    organisation: Organisation,
    notify: Arc<Notify>,
    _place: Place,
}

impl Waiter<'_> {
    /// Ready when there may be an event that was not there when this was called.
    pub(crate) fn told(&self) -> Notified<'_> {
        self.notify.notified()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut told = self.waiters.told();
        // The map's and this one: references are made and dropped under the lock alone.
        if Arc::strong_count(&self.notify) <= 2 {
            told.remove(&self.organisation);
        }
    }
}
