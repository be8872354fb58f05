//! The rows that a store supplies, for the judge of writes.

use crate::model::{CustomModel, DataId, DataPair, ModelId, NewEvent};
use crate::store::admit::AdmissionRowsMut;
use crate::store::error::StoreError;
use crate::store::idempotency::{IdempotencyRecord, IdempotencyScope};
use crate::store::write::AdmissionRequest;
use crate::tenant::Organisation;
use crate::time::UnixMillis;

/// Counters of an organisation.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// The number of its models (QUOTA-2).
    pub models: u64,
    /// The position of its last event, 0 before the first (LOG-1).
    pub events: u64,
}

/// The rows of a store within a transaction, for [`apply`](crate::store::apply).
///
/// A read sees every earlier write, including those of the same transaction. No other transaction commits
/// between a read and the end of this one.
///
/// [`apply`](crate::store::apply) reads and judges everything before it writes. After an error of a read the
/// transaction may therefore go on with the next write. After an error of a write it may not, unless the store undoes the
/// rows of that write.
pub trait Rows {
    /// The error type of the store.
    type Error: From<StoreError>;

    /// The admission rows of the same transaction.
    type Admissions<'r>: AdmissionRowsMut<Error = Self::Error>
    where
        Self: 'r;

    /// Returns the idempotency record of a key, expired or not.
    fn idempotency_record(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, Self::Error>;

    /// Returns the counters of an organisation; zeros if it has never had a model.
    fn counters(&mut self, organisation: &Organisation) -> Result<Counters, Self::Error>;

    /// Returns a model of an organisation.
    fn model(
        &mut self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, Self::Error>;

    /// Returns the data pair of a model with this id.
    fn pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<Option<DataPair>, Self::Error>;

    /// Returns the highest id of a data pair that the model has, or a higher one that it had.
    fn last_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Option<DataId>, Self::Error>;

    /// Returns the id for a new model: larger than every assigned id, or [`IdsExhausted`](crate::store::StoreErrorKind::IdsExhausted)
    /// (MODEL-1). [`Rows::insert_model`] assigns it; until then this may return the same id again.
    fn next_id(&mut self) -> Result<ModelId, Self::Error>;

    /// Adds a model under the id that [`Rows::next_id`] returned.
    fn insert_model(
        &mut self,
        organisation: &Organisation,
        model: &CustomModel,
    ) -> Result<(), Self::Error>;

    /// Replaces the model that was read. The language, the base model and the creation time stay the same
    /// (EDIT-2).
    fn replace_model(
        &mut self,
        organisation: &Organisation,
        before: &CustomModel,
        after: &CustomModel,
    ) -> Result<(), Self::Error>;

    /// Deletes the model that was read, and all its data pairs.
    fn delete_model(
        &mut self,
        organisation: &Organisation,
        before: &CustomModel,
    ) -> Result<(), Self::Error>;

    /// Adds a data pair to a model.
    fn insert_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: &DataPair,
    ) -> Result<(), Self::Error>;

    /// Deletes a data pair of a model.
    fn delete_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<(), Self::Error>;

    /// Appends an event at its position.
    fn append_event(
        &mut self,
        organisation: &Organisation,
        position: u64,
        model: ModelId,
        event: &NewEvent,
    ) -> Result<(), Self::Error>;

    /// Stores an idempotency record. It replaces the one under the same key.
    fn insert_idempotency_record(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
        kept: &IdempotencyRecord,
    ) -> Result<(), Self::Error>;

    /// Sets the counters of an organisation. Called once for every change that is made, after its other rows,
    /// even if neither counter changed.
    fn set_counters(
        &mut self,
        organisation: &Organisation,
        counters: Counters,
    ) -> Result<(), Self::Error>;

    /// Returns the admission rows of a request, and the time of the request: `at`, unless the store uses its own
    /// clock. Called twice for a request that is admitted: to judge it, and to write its admission after the
    /// change. The second call reads nothing; an error of it counts as an error of a write.
    fn admissions(
        &mut self,
        request: &AdmissionRequest,
        at: UnixMillis,
    ) -> Result<(Self::Admissions<'_>, UnixMillis), Self::Error>;
}
