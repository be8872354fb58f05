//! The interface between the engine and a store.
//!
//! A store keeps models and makes one conditional change at a time; it knows no plan, no rule and
//! no message. Every method says what it must guarantee in words that can be met without reading
//! another adapter; the crate `custom-models-store-conformance` checks them.

mod admit;
mod apply;
mod error;
mod job;

pub use self::admit::{
    Admission, AdmissionRows, AdmissionRowsMut, WindowState, admit, window_state,
};
pub use self::apply::{Counters, Rows, apply};
pub use self::error::{StoreError, StoreErrorKind};
pub use self::job::{Job, Judged};
use crate::TrainingStatus;
use crate::pending::Pending;
use crate::{
    Actor, AnswerKey, BaseModel, CustomModel, DataId, DataPair, Edit, EditRefusal, EventPage,
    Expected, KeptAnswer, Language, ModelId, Moment, NewAnswer, NewModel, Organisation,
    RequestLimit, Standing, Timestamp, Window,
};

/// Keeps the models of many organisations, with their history, their data, the answers to requests that
/// may be repeated, and the trainings that wait for a worker.
///
/// Every method may be called from any thread, and any number of threads at a time; reads wait for no
/// write, and see whatever was acknowledged before they began.
pub trait ModelStore: Send + Sync {
    /// Makes one change, or refuses it, and then calls `done` exactly once, from any thread.
    ///
    /// Returns without waiting for a disk or a network. `done` is short, does not panic and does not
    /// call the store again.
    ///
    /// - Atomicity: the condition of the change is judged, and the change made, in one step that no
    ///   other change comes between, whatever thread, process or machine it comes from. A change
    ///   that is refused ([`Outcome::LimitReached`], [`Outcome::NotFound`], [`Outcome::Refused`],
    ///   [`Outcome::Repeated`], [`Outcome::WindowFull`]) leaves no trace: no event, no kept answer. The
    ///   admission of its request stays, if there is one ([`Outcome::Admitted`]).
    /// - Durability: `done` hears `Ok` only when the change, or what a refusal rests on, would
    ///   survive a power cut (MODEL-6), and reads that begin from then on see it.
    /// - Order: a change that is submitted after `done` heard of another one is made after it.
    /// - Errors: after [`StoreErrorKind::OutcomeUnknown`] the change was made, whole, or was not
    ///   made. After any other kind it was not made, and will not be.
    /// - A store whose queue is full answers [`StoreErrorKind::Busy`] at once.
    fn submit(&self, write: Write, done: Completion);

    /// [`ModelStore::submit`] for a caller that waits: makes one change, or refuses it, and returns
    /// what `done` would have heard.
    ///
    /// Without an adapter's own way the calling thread sleeps until the completion is called. An
    /// adapter that may work on that thread answers sooner.
    fn apply(&self, write: Write) -> Result<Outcome, StoreError> {
        Pending::new(|done| self.submit(write, done)).wait()
    }

    /// The model with this id, if this organisation has it.
    ///
    /// Does not wait for writes.
    fn get(
        &self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError>;

    /// A part of an organisation's models, in ascending order of their ids, from one consistent
    /// view of the store.
    ///
    /// Does not wait for writes. Its cost does not grow with the models of other organisations, nor,
    /// without a filter, with the number of models before [`Selection::after`] (READ-2).
    fn list(
        &self,
        organisation: &Organisation,
        selection: &Selection,
    ) -> Result<Listing, StoreError>;

    /// The events of an organisation behind a position, in order, `limit` at most, with the ends of
    /// its history, all from one consistent view of the store (LOG-1).
    ///
    /// Its cost does not grow with the events before `after`.
    fn events(
        &self,
        organisation: &Organisation,
        after: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError>;

    /// Models whose training is claimable at `at` or was before, by
    /// [`Course::claimable_at`](crate::Course::claimable_at): those that have waited longest first,
    /// `limit` at most, of one organisation or of all.
    ///
    /// Its cost does not grow with the models that are not trained.
    fn claimable(
        &self,
        organisation: Option<&Organisation>,
        at: Moment,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError>;

    /// The pairs of a model's data with larger numbers than `after`, in the order of their numbers, `limit` at
    /// most; none where there is no such model.
    ///
    /// Its cost does not grow with the pairs before `after`.
    fn data(
        &self,
        organisation: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError>;

    /// The answer that is kept under a key, live or not (IDEM-1).
    fn answer(
        &self,
        organisation: &Organisation,
        key: &AnswerKey,
    ) -> Result<Option<KeptAnswer>, StoreError>;

    /// Deletes old events and answers, and returns when that is durable. The deleted events of an organisation
    /// are the beginning of its history, and their positions are not given again.
    fn purge(&self, purge: Purge) -> Result<Purged, StoreError>;

    /// Makes the changes that were submitted before, waits until they are answered, then closes the store's
    /// files or connections. The store can be opened anew even while handles on this one are still there.
    ///
    /// From then on every method answers [`StoreErrorKind::Closed`]. Closing again does nothing.
    /// Dropping the last handle does the same, except that a completion which drops it does not wait
    /// for the completions after it.
    fn close(&self) -> Result<(), StoreError>;
}

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
    pub at: Moment,
    /// The change, with the condition that it rests on.
    pub change: Change,
    /// The request whose answer is to be kept, if the caller may ask again (IDEM-1). While an answer under the
    /// same key is live at [`Write::at`], nothing is made, and that one is the [`Outcome::Repeated`]: this is
    /// judged before the condition of the change. Nothing is kept of a delete.
    pub answer: Option<NewAnswer>,
    /// The admission of the request, if it is limited and was not admitted before (RATE-3). It is judged at
    /// [`Write::at`], or by the clock of a store that several machines share: behind the answer under the same
    /// key, and before the condition of the change. It is committed with the change, or alone where that is
    /// refused. The outcome is [`Outcome::Admitted`], [`Outcome::WindowFull`] or [`Outcome::Repeated`] then; in a
    /// store that keeps no windows it is [`StoreErrorKind::NoWindows`].
    pub admission: Option<AdmissionRequest>,
}

impl Write {
    /// A write whose answer is not kept, of a request that is not limited.
    pub const fn new(organisation: Organisation, actor: Actor, at: Moment, change: Change) -> Self {
        Write { organisation, actor, at, change, answer: None, admission: None }
    }
}

/// A request that is to be admitted to a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AdmissionRequest {
    /// The window.
    pub window: Window,
    /// The limit of the window.
    pub limit: RequestLimit,
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
    /// 2^53 − 1 is given away, a create within its limit is [`StoreErrorKind::IdsExhausted`], and
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

/// The change of a model's data that an edit makes (DATA-4, DATA-6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DataChange {
    /// Changes no data.
    #[default]
    Keep,
    /// Adds a pair, whose number the model never had.
    Add(DataPair),
    /// Removes a pair.
    Remove(DataId),
}

/// The outcome of a write that a store could judge.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The model was created.
    Created(CustomModel),
    /// The edit was made.
    Changed {
        /// The model after it.
        model: Box<CustomModel>,
        /// The pair of data that was removed (DATA-6).
        removed: Option<Box<DataPair>>,
    },
    /// The model was deleted.
    Deleted,
    /// Not created: the organisation has `current` models, which is its limit or more (QUOTA-3).
    LimitReached {
        /// The number of models that the organisation has.
        current: u64,
    },
    /// Not made: the organisation has no model with this id.
    NotFound,
    /// Not made: the state of the model, or what the caller expects of it, does not allow it.
    Refused(EditRefusal),
    /// Not made: the request was answered before (IDEM-1). It does not count in its window.
    Repeated(KeptAnswer),
    /// The request is admitted, and counts (RATE-3).
    Admitted {
        /// The standing of its window with it.
        standing: Standing,
        /// The outcome of its change, made or not. None of [`Outcome::Repeated`], [`Outcome::Admitted`] and
        /// [`Outcome::WindowFull`].
        outcome: Box<Outcome>,
    },
    /// Not made: the window of the request is full, and it does not count (RATE-1).
    WindowFull {
        /// The standing of the window.
        standing: Standing,
        /// The whole seconds, by the clock that judged, after which a request is admitted if nothing else is
        /// sent (RATE-5).
        retry_after: u64,
    },
}

/// The part of an organisation's models that a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The conditions that the models must meet.
    pub filter: Filter,
    /// Only models with larger ids than this one.
    pub after: Option<ModelId>,
    /// The number of matching models that are skipped first.
    pub skip: u64,
    /// The most models that are listed.
    pub limit: u32,
}

/// The conditions that a listed model meets, combined by AND (READ-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In this training status.
    pub status: Option<TrainingStatus>,
    /// In this language.
    pub language: Option<Language>,
    /// On this base model.
    pub base_model: Option<BaseModel>,
}

impl Filter {
    /// Returns true if every model matches.
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// Returns true if the model matches.
    pub fn matches(&self, model: &CustomModel) -> bool {
        self.status.is_none_or(|status| status == model.training_status())
            && self.language.is_none_or(|language| language == model.language)
            && self.base_model.is_none_or(|base_model| base_model == model.base_model)
    }
}

/// A part of an organisation's models.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The selected models, in ascending order of their ids.
    pub models: Vec<CustomModel>,
    /// The number of models of the organisation that match the filter, listed or not. Without a filter this
    /// is a counter that is kept, and no row is counted (READ-2).
    pub total: u64,
}

/// The bounds of a purge of old events and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purge {
    /// Events that happened before this, up to the first of their organisation that did not; `None`
    /// keeps all.
    pub events_before: Option<Timestamp>,
    /// Kept answers of before this or at it.
    pub answers_until: Moment,
    /// The most rows of each kind that are deleted, so that other writes need not wait for long.
    pub limit: u32,
}

/// The numbers of rows that a purge deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Events.
    pub events: u64,
    /// Kept answers.
    pub answers: u64,
}
