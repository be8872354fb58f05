//! A write as the engine submits it.

use crate::access::{RateLimit, Window};
use crate::model::{Edit, Expected, ModelId, NewModel};
use crate::store::error::StoreError;
use crate::store::idempotency::NewIdempotencyRecord;
use crate::store::outcome::Outcome;
use crate::tenant::{Actor, Organisation};
use crate::time::UnixMillis;

/// A function that is called once, when a write is durable or refused.
pub type Completion<T = Outcome> = Box<dyn FnOnce(Result<T, StoreError>) + Send>;

/// One write: a change with its condition, its event and its idempotency record, all durable together or not
/// at all.
///
/// Adapters destructure it without `..`, so that a new field does not compile until they handle it.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The organisation whose models are changed.
    pub organisation: Organisation,
    /// The caller, who becomes the actor of the event (LOG-1).
    pub actor: Actor,
    /// The time of the change and of its idempotency record.
    pub at: UnixMillis,
    /// The change and its condition.
    pub change: Change,
    /// The idempotency record to store, if the caller may repeat the request (IDEM-1). If a record under the
    /// same key is live at [`Write::at`], nothing is changed and the outcome is [`Outcome::Repeated`] with
    /// that record. This is judged before the condition of the change. A delete stores no record.
    pub idempotency: Option<NewIdempotencyRecord>,
    /// The admission of the request, if it is rate-limited and not admitted yet (RATE-3).
    ///
    /// It is judged at [`Write::at`], or by the store's own clock if several machines share the store: after
    /// the idempotency record and before the condition of the change. It is committed with the change, or
    /// alone if the change is refused. The outcome is then [`Outcome::Admitted`], [`Outcome::WindowFull`] or
    /// [`Outcome::Repeated`]. A store without windows fails with
    /// [`StoreErrorKind::NoWindows`](crate::store::StoreErrorKind::NoWindows).
    pub admission: Option<AdmissionRequest>,
}

impl Write {
    /// Creates a write without an idempotency record and without an admission.
    pub const fn new(
        organisation: Organisation,
        actor: Actor,
        at: UnixMillis,
        change: Change,
    ) -> Self {
        Write { organisation, actor, at, change, idempotency: None, admission: None }
    }
}

/// A request for admission to a window.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AdmissionRequest {
    /// The window.
    pub window: Window,
    /// The limit of the window.
    pub limit: RateLimit,
}

/// A change and its condition.
///
/// Not `#[non_exhaustive]`: an adapter that does not handle a change must not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Creates a model, if the organisation has fewer than `limit` models (QUOTA-4).
    ///
    /// The store assigns the id. It is positive, larger than every id acknowledged before for any
    /// organisation, and never used before, not even by a deleted model (MODEL-1). Once 2^53 − 1 is used, a
    /// create within its limit fails with
    /// [`StoreErrorKind::IdsExhausted`](crate::store::StoreErrorKind::IdsExhausted); other changes still
    /// work.
    Create {
        /// The model.
        model: NewModel,
        /// The most models that the organisation may have, including this one; `None` is unlimited.
        limit: Option<u64>,
    },
    /// Edits the model `id` as it is when the write is judged, if its state and `expected` allow it (EDIT-4).
    /// The id of another organisation's model is [`Outcome::NotFound`] (AUTH-3).
    Edit {
        /// The model.
        id: ModelId,
        /// The edit.
        edit: Box<Edit>,
        /// The revisions that the caller expects the model to have.
        expected: Expected,
    },
}
