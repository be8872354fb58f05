//! The contents of training data beside the engine.

use std::sync::Arc;

use custom_models_core::store::StoreError;
use custom_models_training_data::{ContentStore, ResumableUploads};

use crate::options::Options;
use crate::rejection::Rejection;
use crate::state::AppState;
use crate::state::blocking_writes::BlockingWrites;
use crate::state::permits::Permits;

/// The uploads of a service: how many run at a time, and those that are unfinished.
pub(crate) struct Uploads {
    pub(crate) permits: Arc<Permits>,
    resumable: Option<ResumableUploads>,
    /// The calls of the storage of unfinished uploads.
    pub(crate) writes: BlockingWrites,
}

impl Uploads {
    pub(super) fn new(options: &Options) -> Self {
        let permits = Permits::new(options.uploads_at_once.max(1), options.organisation_share);
        let pieces = options.contents.as_ref().and_then(|contents| contents.pieces());
        let resumable = pieces.map(ResumableUploads::of);
        Uploads { permits, resumable, writes: BlockingWrites::default() }
    }

    /// Returns the unfinished uploads. Without a storage for them there are no such routes.
    pub(crate) fn resumable(&self) -> Result<ResumableUploads, Rejection> {
        self.resumable.clone().ok_or(Rejection::RouteNotFound)
    }
}

impl AppState {
    /// Removes contents in the background. What cannot be removed is left to a sweep.
    pub(crate) fn remove_contents(
        &self,
        remove: impl FnOnce(&dyn ContentStore) -> Result<(), StoreError> + Send + 'static,
    ) {
        let Some(contents) = self.options.contents.clone() else { return };
        let span = tracing::Span::current();
        tokio::task::spawn_blocking(move || {
            span.in_scope(|| {
                if let Err(fault) = remove(&*contents) {
                    tracing::warn!(cause = ?fault.to_string(), "contents were not removed");
                }
            });
        });
    }
}
