//! Notifications for requests that wait for an event. None of them owns a thread.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use custom_models_core::Organisation;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::rejection::Rejection;
use crate::state::permits::{Permit, Permits};

/// A bounded set of long-poll listeners, keyed by organisation.
pub(crate) struct EventNotifier {
    permits: Arc<Permits>,
    /// INVARIANT: an organisation is in the map while it has an [`EventListener`].
    listeners: Mutex<HashMap<Organisation, Arc<Notify>>>,
}

impl EventNotifier {
    pub(crate) fn new(permits: Arc<Permits>) -> Self {
        EventNotifier { permits, listeners: Mutex::default() }
    }

    /// Adds a listener, if there is a permit for it.
    pub(crate) fn subscribe(
        &self,
        organisation: &Organisation,
    ) -> Result<EventListener<'_>, Rejection> {
        let permit = self.permits.acquire(organisation)?;
        let notify = Arc::clone(self.listeners().entry(organisation.clone()).or_default());
        let organisation = organisation.clone();
        Ok(EventListener { notifier: self, organisation, notify, _permit: permit })
    }

    /// Tells all listeners of an organisation that there may be an event.
    pub(crate) fn notify(&self, organisation: &Organisation) {
        if let Some(notify) = self.listeners().get(organisation) {
            notify.notify_waiters();
        }
    }

    /// Nothing that can panic runs under the lock.
    fn listeners(&self) -> MutexGuard<'_, HashMap<Organisation, Arc<Notify>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits. Its permit is free again when this is dropped.
pub(crate) struct EventListener<'a> {
    notifier: &'a EventNotifier,
    organisation: Organisation,
    notify: Arc<Notify>,
    _permit: Permit,
}

impl EventListener<'_> {
    /// Ready when there may be an event that was not there when this was called.
    pub(crate) fn notified(&self) -> Notified<'_> {
        self.notify.notified()
    }
}

impl Drop for EventListener<'_> {
    fn drop(&mut self) {
        let mut listeners = self.notifier.listeners();
        // The map's reference and this one. References are made and dropped under the lock alone.
        if Arc::strong_count(&self.notify) <= 2 {
            listeners.remove(&self.organisation);
        }
    }
}
