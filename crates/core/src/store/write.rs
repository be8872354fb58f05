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

/// One write: a change with its condition, its event and the answer to keep, all of it durable together or not
/// at all.
///
/// An adapter takes it apart by name and without `..`, so that a part which it does not know is not
/// lost unseen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The organisation whose models are changed.
    pub organisation: Organisation,
    /// The caller who asks, the actor of the event (LOG-1).
    pub actor: Actor,
    /// The time of the change, and of the answer.
    pub at: UnixMillis,
    /// The change, with the condition that it rests on.
    pub change: Change,
    /// The request whose answer is to be kept, if the caller may ask again (IDEM-1). While an answer under the
    /// same key is live at [`Write::at`], nothing is made, and that one is the [`Outcome::Repeated`]: this is
    /// judged before the condition of the change. Nothing is kept of a delete.
    pub idempotency: Option<NewIdempotencyRecord>,
    /// The admission of the request, if it is limited and was not admitted before (RATE-3). It is judged at
    /// [`Write::at`], or by the clock of a store that several machines share: behind the answer under the same
    /// key, and before the condition of the change. It is committed with the change, or alone where that is
    /// refused. The outcome is [`Outcome::Admitted`], [`Outcome::WindowFull`] or [`Outcome::Repeated`] then; in a
    /// store that keeps no windows it is [`StoreErrorKind::NoWindows`](crate::store::StoreErrorKind::NoWindows).
    pub admission: Option<AdmissionRequest>,
}

impl Write {
    /// A write whose answer is not kept, of a request that is not limited.
    pub const fn new(
        organisation: Organisation,
        actor: Actor,
        at: UnixMillis,
        change: Change,
    ) -> Self {
        Write { organisation, actor, at, change, idempotency: None, admission: None }
    }
}

/// A request that is to be admitted to a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AdmissionRequest {
    /// The window.
    pub window: Window,
    /// The limit of the window.
    pub limit: RateLimit,
}

/// A change with the condition that it rests on.
///
/// Not `#[non_exhaustive]`: an adapter that does not know a change must not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Creates a model, if the organisation has fewer than `limit` models (QUOTA-4).
    ///
    /// The store gives the id: positive, larger than every id it ever acknowledged, for whatever
    /// organisation, and never given before, not even to a model that is deleted (MODEL-1). When
    /// 2^53 − 1 is given away, a create within its limit is [`StoreErrorKind::IdsExhausted`](crate::store::StoreErrorKind::IdsExhausted), and
    /// other changes go on.
    Create {
        /// The model.
        model: NewModel,
        /// The most models that the organisation may have, this one included; `None` is unlimited.
        limit: Option<u64>,
    },
    /// Edits the model `id` as it is when the write is judged, if its state and what the caller expects allow
    /// it (EDIT-4). Another organisation's id is [`Outcome::NotFound`] (AUTH-3).
    Edit {
        /// The model.
        id: ModelId,
        /// The edit.
        edit: Box<Edit>,
        /// The revisions at which the caller expects the model.
        expected: Expected,
    },
}
