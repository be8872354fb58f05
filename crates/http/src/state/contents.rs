//! The contents of training data beside the engine.

use std::sync::Arc;

use custom_models_core::Organisation;
use custom_models_core::store::StoreError;
use custom_models_training_data::{ContentStore, ResumableUploads};
use tokio::task::JoinHandle;

use crate::options::Options;
use crate::rejection::Rejection;
use crate::state::AppState;
use crate::state::blocking_writes::BlockingWrites;
use crate::state::permits::Permits;

/// The uploads of a service: how many run at a time, and those that are unfinished.
pub(crate) struct Uploads {
    permits: Arc<Permits>,
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

    /// Starts `work` on a thread that may block, in one of the organisation's places for uploads. It keeps the place until
    /// it is done, even if nobody waits for it any more.
    pub(crate) fn start<T: Send + 'static>(
        &self,
        organisation: &Organisation,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Started<T>, Rejection> {
        let (permit, span) = (self.permits.acquire(organisation)?, tracing::Span::current());
        Ok(Started(tokio::task::spawn_blocking(move || {
            let result = span.in_scope(work);
            drop(permit);
            result
        })))
    }

    /// Returns the unfinished uploads. Without a storage for them there are no such routes.
    pub(crate) fn resumable(&self) -> Result<ResumableUploads, Rejection> {
        self.resumable.clone().ok_or(Rejection::RouteNotFound)
    }
}

/// Work on a thread that may block.
pub(crate) struct Started<T>(JoinHandle<T>);

impl<T> Started<T> {
    /// Waits for its result.
    pub(crate) async fn result(self) -> Result<T, Rejection> {
        self.0.await.map_err(|broken| Rejection::internal(broken.to_string()))
    }
}

impl<T, E: Into<Rejection>> Started<Option<Result<T, E>>> {
    /// Waits for the result of work on a body that `read` has sent. If it has none, the reader gave up, and says why.
    pub(crate) async fn result_of_body(self, read: Result<(), Rejection>) -> Result<T, Rejection> {
        match self.result().await? {
            Some(result) => result.map_err(Into::into),
            None => Err(read.err().unwrap_or(Rejection::RequestTimeout)),
        }
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
