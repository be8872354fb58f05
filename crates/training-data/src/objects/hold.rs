//! The signs of life of a writer: a marker beside a content that is being sent or held (PLACE-2).
//!
//! A content sent with one request has no marker at first, since its age protects it. A writer changes its
//! marker on the condition that it is the one that it wrote. A sweep takes a marker on the condition that it
//! is the one that it read. So one of the two is refused.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use custom_models_core::store::{StoreError, StoreErrorKind};
use object_store::path::Path as Key;
use object_store::{MultipartId, UpdateVersion};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::Objects;
use super::client::Client;
use super::remote::put_if;

/// The least time between two updates of a marker.
const LEAST: Duration = Duration::from_secs(60);

/// The text of a marker. All are distinct, so that their versions are.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Marker {
    change: String,
    /// The multipart upload to abort if its writer is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) upload: Option<MultipartId>,
    /// True if a sweep has taken the marker.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    swept: bool,
}

impl Marker {
    fn text(upload: Option<MultipartId>, swept: bool) -> Vec<u8> {
        let marker = Marker { change: Uuid::new_v4().to_string(), upload, swept };
        serde_json::to_vec(&marker).unwrap_or_default()
    }

    /// Returns the text of a marker that a sweep has taken.
    pub(super) fn swept() -> Vec<u8> {
        Marker::text(None, true)
    }
}

/// A content held by its writer, until this is dropped.
pub(super) struct Hold {
    of: Objects,
    sign: Arc<Sign>,
    task: AbortHandle,
}

struct Sign {
    client: Arc<dyn Client>,
    key: Key,
    /// The time for which the writer relies on a sign of life: half of the time for which others do.
    counts_for: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The version of the marker, if there is one.
    version: Option<UpdateVersion>,
    upload: Option<MultipartId>,
    /// The time of the last sign of life, by the monotonic clock and by the system clock, which also runs
    /// during a suspend.
    at: (Instant, SystemTime),
    is_lost: bool,
}

impl State {
    fn counts(&self, time: Duration) -> bool {
        let (at, on_the_wall) = self.at;
        // A system clock that was set back has no meaning.
        let passed = on_the_wall.elapsed().unwrap_or_default().max(at.elapsed());
        !self.is_lost && passed < time
    }
}

impl Hold {
    /// Begins to hold a content that is about to be sent. A sign of life is valid for `lapse`.
    pub(super) fn begin(of: &Objects, marker: Key, lapse: Duration) -> Self {
        let state = State { version: None, upload: None, at: now(), is_lost: false };
        let client = Arc::clone(&of.remote().client);
        let sign =
            Arc::new(Sign { client, key: marker, counts_for: lapse / 2, state: Mutex::new(state) });
        let kept_up = Arc::clone(&sign);
        let task = of.remote().bridge.spawn(async move {
            loop {
                tokio::time::sleep((lapse / 6).max(LEAST)).await;
                // A failed update is tried again next time.
                let _ = kept_up.give(None).await;
            }
        });
        Hold { of: of.clone(), sign, task }
    }

    /// Writes a marker that names a multipart upload.
    pub(super) fn name(&self, upload: MultipartId) -> Result<(), StoreError> {
        let sign = Arc::clone(&self.sign);
        self.of.remote().bridge.wait(async move { sign.give(Some(upload)).await })?
    }

    /// Checks that no sweep has taken the content, or will soon.
    pub(super) fn ensure_held(&self) -> Result<(), StoreError> {
        let sign = Arc::clone(&self.sign);
        self.of.remote().bridge.wait(async move {
            let state = sign.state.lock().await;
            match (state.counts(sign.counts_for), &state.version) {
                (true, _) => return Ok(()),
                (false, None) => return Err(lapsed()),
                (false, Some(_)) => drop(state),
            }
            sign.give(None).await
        })?
    }
}

impl Sign {
    /// Updates the marker.
    async fn give(&self, upload: Option<MultipartId>) -> Result<(), StoreError> {
        let mut state = self.state.lock().await;
        // Without a marker, a content that was sent is protected by its age alone, which may have ended.
        let is_put = state.version.is_none() && upload.is_none();
        if state.is_lost || (is_put && !state.counts(self.counts_for)) {
            state.is_lost = true;
            return Err(lapsed());
        }
        state.upload = upload.or(state.upload.take());
        let (at, text) = (now(), Marker::text(state.upload.clone(), false));
        match put_if(&*self.client, &self.key, text, state.version.clone()).await {
            Ok(version) => {
                (state.version, state.at) = (Some(version), at);
                Ok(())
            }
            Err(fault) if fault.kind() == StoreErrorKind::Busy => {
                state.is_lost = true;
                Err(lapsed())
            }
            Err(fault) => Err(fault),
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.task.abort();
        let sign = Arc::clone(&self.sign);
        self.of.remote().bridge.finish(async move {
            let state = sign.state.lock().await;
            if state.version.is_some() && !state.is_lost {
                // A sweep removes a marker that stays.
                let _ = object_store::ObjectStoreExt::delete(&*sign.client, &sign.key).await;
            }
        });
    }
}

fn now() -> (Instant, SystemTime) {
    (Instant::now(), SystemTime::now())
}

fn lapsed() -> StoreError {
    let cause = "the upload was held up for so long that a sweep may have taken its files: upload them again";
    StoreError::new(StoreErrorKind::Unavailable, cause)
}
