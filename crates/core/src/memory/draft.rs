//! Tables while a write is judged, as the rows that the core's judges ask for.

use std::borrow::{Borrow, BorrowMut};
use std::collections::VecDeque;
use std::time::Duration;

use crate::access::{KeyDigest, KeyId, KeyRecord, Window};
use crate::memory::row_change::RowChange;
use crate::memory::tables::{Counts, Tables};
use crate::model::{CustomModel, DataId, DataPair, ModelId, NewEvent};
use crate::store::{
    AccessRows, Admission, AdmissionRequest, AdmissionRows, AdmissionRowsMut, AnswerLine, Counters,
    EventLine, IdempotencyRecord, IdempotencyScope, ModelLine, Record, Registration, Rows,
    StoreError, StoreErrorKind,
};
use crate::tenant::Organisation;
use crate::time::UnixMillis;

type Result<T> = std::result::Result<T, StoreError>;

/// The rows of tables. No write of them fails.
pub(super) struct Draft<'a>(pub(super) &'a mut Tables);

impl Draft<'_> {
    fn put(&mut self, record: impl Into<Record>) -> Result<()> {
        self.0.change(RowChange::Put(record.into()));
        Ok(())
    }
}

impl Rows for Draft<'_> {
    type Error = StoreError;

    type Admissions<'r>
        = Windows<&'r mut Tables>
    where
        Self: 'r;

    fn idempotency_record(
        &mut self,
        of: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>> {
        Ok(self.0.idempotency_record(of, key))
    }

    fn counters(&mut self, of: &Organisation) -> Result<Counters> {
        let Counts { models, last_event: events, .. } = self.0.counts(of);
        Ok(Counters { models, events })
    }

    fn model(&mut self, of: &Organisation, id: ModelId) -> Result<Option<CustomModel>> {
        Ok(self.0.get(of, id))
    }

    fn pair(
        &mut self,
        of: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<Option<DataPair>> {
        let rows = self.0.organisations.get(of);
        Ok(rows.and_then(|rows| rows.data.get(&(model.get(), pair.get())).cloned()))
    }

    fn last_pair(&mut self, of: &Organisation, model: ModelId) -> Result<Option<DataId>> {
        let all = (model.get(), 0)..=(model.get(), u32::MAX);
        let rows = self.0.organisations.get(of);
        Ok(rows.and_then(|rows| rows.data.range(all).next_back()).map(|(_, pair)| pair.id))
    }

    fn next_id(&mut self) -> Result<ModelId> {
        let next = ModelId::new(self.0.last_id.saturating_add(1));
        next.map_err(|_| StoreErrorKind::IdsExhausted.into())
    }

    fn insert_model(&mut self, of: &Organisation, model: &CustomModel) -> Result<()> {
        self.put(Record::Start { last_id: model.id.get() })?;
        self.replace_model(of, model, model)
    }

    fn replace_model(
        &mut self,
        of: &Organisation,
        _before: &CustomModel,
        after: &CustomModel,
    ) -> Result<()> {
        let (organisation, model) = (of.clone(), after.clone());
        self.put(Record::Model(ModelLine { organisation, model }))
    }

    fn delete_model(&mut self, of: &Organisation, before: &CustomModel) -> Result<()> {
        let (organisation, model) = (of.clone(), before.id);
        self.0.change(RowChange::RemoveModel { organisation, model });
        Ok(())
    }

    fn insert_pair(&mut self, of: &Organisation, model: ModelId, pair: &DataPair) -> Result<()> {
        self.put(Record::Data { organisation: of.clone(), model, pair: pair.clone() })
    }

    fn delete_pair(&mut self, of: &Organisation, model: ModelId, pair: DataId) -> Result<()> {
        self.0.change(RowChange::RemovePair { organisation: of.clone(), model, pair });
        Ok(())
    }

    fn append_event(
        &mut self,
        of: &Organisation,
        position: u64,
        model: ModelId,
        event: &NewEvent,
    ) -> Result<()> {
        self.put(Record::Event(EventLine::new(of.clone(), event.clone().at(position, model))))
    }

    fn insert_idempotency_record(
        &mut self,
        of: &Organisation,
        key: &IdempotencyScope,
        kept: &IdempotencyRecord,
    ) -> Result<()> {
        self.put(Record::Answer(AnswerLine::new(of.clone(), key.clone(), kept.clone())))
    }

    fn set_counters(&mut self, of: &Organisation, counters: Counters) -> Result<()> {
        let first_event = self.0.counts(of).first_event;
        let Counters { models, events: last_event } = counters;
        self.put(Record::Organisation { organisation: of.clone(), models, last_event, first_event })
    }

    fn admissions(
        &mut self,
        _: &AdmissionRequest,
        at: UnixMillis,
    ) -> Result<(Windows<&mut Tables>, UnixMillis)> {
        Ok((Windows(self.0), at))
    }
}

impl AccessRows for Draft<'_> {
    fn registration(&mut self, of: &Organisation) -> Result<Option<Registration>> {
        Ok(self.0.registration(of))
    }

    fn put_registration(&mut self, registration: &Registration) -> Result<()> {
        self.put(registration.clone())
    }

    fn key(&mut self, id: KeyId) -> Result<Option<KeyRecord>> {
        Ok(self.0.keys.get(&id).cloned())
    }

    fn key_id(&mut self, digest: &KeyDigest) -> Result<Option<KeyId>> {
        Ok(self.0.ids.get(digest).copied())
    }

    fn put_key(&mut self, key: &KeyRecord) -> Result<()> {
        self.put(key.clone())
    }

    fn sweep_windows(&mut self, longest: Duration, now: UnixMillis, limit: u32) -> Result<u64> {
        let until = now.earlier(longest);
        let mut left = limit;
        for window in self.0.admissions.keys().copied().collect::<Vec<_>>() {
            left -= Windows(&mut *self.0).delete(&window, until, left);
        }
        // Times never decrease within a window.
        if self.0.admissions.values().filter_map(VecDeque::back).any(|last| last.at > now) {
            self.0.change(RowChange::MoveAdmissions { now });
        }
        Ok((limit - left).into())
    }
}

/// The admissions of tables, which are borrowed for reading or for writing.
pub(super) struct Windows<T>(pub(super) T);

impl<T: Borrow<Tables>> AdmissionRows for Windows<T> {
    type Error = StoreError;

    fn last(&mut self, window: &Window) -> Result<Option<Admission>> {
        Ok(self.0.borrow().admissions.get(window).and_then(|all| all.back().copied()))
    }

    fn first_after(&mut self, window: &Window, after: UnixMillis) -> Result<Option<Admission>> {
        let Some(all) = self.0.borrow().admissions.get(window) else { return Ok(None) };
        Ok(all.get(all.partition_point(|admission| admission.at <= after)).copied())
    }

    fn numbered(&mut self, window: &Window, number: u64) -> Result<Option<Admission>> {
        let Some(all) = self.0.borrow().admissions.get(window) else { return Ok(None) };
        Ok(all.get(all.partition_point(|admission| admission.number < number)).copied())
    }
}

impl<T: BorrowMut<Tables>> Windows<T> {
    /// Deletes the first admissions made until `until`, `most` at most, and returns their number.
    fn delete(&mut self, window: &Window, until: UnixMillis, most: u32) -> u32 {
        let tables = self.0.borrow_mut();
        let all = tables.admissions.get(window).into_iter().flatten();
        let old = (0..most).zip(all).take_while(|(_, admission)| admission.at <= until).count();
        if old > 0 {
            tables.change(RowChange::RemoveAdmissions { window: *window, count: old });
        }
        u32::try_from(old).unwrap_or(most)
    }
}

impl<T: BorrowMut<Tables>> AdmissionRowsMut for Windows<T> {
    fn insert(&mut self, window: &Window, Admission { number, at }: Admission) -> Result<()> {
        self.0.borrow_mut().change(RowChange::Admit { window: *window, number, at });
        Ok(())
    }

    fn delete_first(&mut self, window: &Window, until: UnixMillis, most: u32) -> Result<()> {
        self.delete(window, until, most);
        Ok(())
    }
}
