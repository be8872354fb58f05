//! The engine's reads of the data of a model: page by page, never whole.

use crate::engine::Engine;
use crate::engine::data_places::Place;
use crate::engine::entries::READ_AT_ONCE;
use crate::engine::refusal::Refusal;
use crate::model::{CustomModel, DataId, DataPage, DataPair, Fence, ModelId};
use crate::request::{ListData, Start};
use crate::store::PendingRead;
use crate::tenant::{Caller, Organisation};

impl Engine {
    /// Returns one data pair of a model (DATA-6).
    ///
    /// # Errors
    ///
    /// [`Refusal::DataNotFound`] and [`Refusal::Store`].
    pub fn pair(&self, caller: &Caller, id: ModelId, data_id: DataId) -> Result<DataPair, Refusal> {
        let before = data_id.get() - 1;
        let mut pairs = self.store.data(caller.organisation(), id, before, 1)?.into_iter();
        pairs.find(|pair| pair.id == data_id).ok_or(Refusal::DataNotFound)
    }

    /// Returns a data pair, as [`Engine::pair`] does, without blocking a thread.
    pub fn pair_async(
        &self,
        caller: &Caller,
        id: ModelId,
        data_id: DataId,
    ) -> PendingRead<DataPair, Refusal> {
        self.queue(caller, move |engine, caller| engine.pair(caller, id, data_id))
    }

    /// Returns a page of the data pairs of a model, in the order in which they were added (DATA-6).
    ///
    /// Reads what the page holds and nothing else. Only where data was removed from the model, a page by number is looked
    /// for from the nearest one that was shown before.
    ///
    /// # Errors
    ///
    /// [`Refusal::ModelNotFound`] and [`Refusal::Store`].
    pub fn data(&self, caller: &Caller, id: ModelId, list: &ListData) -> Result<DataPage, Refusal> {
        let model = self.get(caller, id)?;
        self.page_of_data(caller.organisation(), &model, list)
    }

    /// Returns a page of data pairs, as [`Engine::data`] does, without blocking a thread.
    pub fn data_async(
        &self,
        caller: &Caller,
        id: ModelId,
        list: &ListData,
    ) -> PendingRead<DataPage, Refusal> {
        let list = *list;
        self.queue(caller, move |engine, caller| engine.data(caller, id, &list))
    }

    /// Returns a page of the data of a training to the worker that has claimed it (TRAIN-3). While the claim holds no page
    /// changes (DATA-6).
    ///
    /// # Errors
    ///
    /// [`Refusal::LeaseLost`], and those of [`Engine::data`].
    pub fn training_data(
        &self,
        caller: &Caller,
        id: ModelId,
        fence: Fence,
        list: &ListData,
    ) -> Result<DataPage, Refusal> {
        let model = self.get(caller, id)?;
        let run = model.training.run();
        run.and_then(|run| run.held(fence, self.now())).ok_or(Refusal::LeaseLost)?;
        self.page_of_data(caller.organisation(), &model, list)
    }

    /// Returns a page of the data of a training, as [`Engine::training_data`] does, without blocking a thread.
    pub fn training_data_async(
        &self,
        caller: &Caller,
        id: ModelId,
        fence: Fence,
        list: &ListData,
    ) -> PendingRead<DataPage, Refusal> {
        let list = *list;
        self.queue(caller, move |engine, caller| engine.training_data(caller, id, fence, &list))
    }

    /// Returns a page of the data of a model as it was read.
    pub(crate) fn page_of_data(
        &self,
        organisation: &Organisation,
        model: &CustomModel,
        list: &ListData,
    ) -> Result<DataPage, Refusal> {
        let total = model.training.data().pairs();
        let limit = list.per_page.get();
        let place = match list.start {
            Start::After(id) => Some(Place { passed: 0, after: id.get() }),
            Start::Page(page) => {
                let before = (page.get() - 1).saturating_mul(limit.into());
                if before < total { self.place(organisation, model, before)? } else { None }
            }
        };
        let Some(place) = place else { return Ok(DataPage::new(total, Vec::new())) };
        let result = self.store.data(organisation, model.id, place.after, limit)?;
        if let (Start::Page(_), Some(last), true) = (list.start, result.last(), has_gaps(model)) {
            let end = Place { passed: place.passed + result.len() as u64, after: last.id.get() };
            self.places.remember(organisation, model, end);
        }
        Ok(DataPage::new(total, result))
    }

    /// Finds the place in a model's data with so many pairs before it; `None` if there are not so many.
    fn place(
        &self,
        organisation: &Organisation,
        model: &CustomModel,
        before: u64,
    ) -> Result<Option<Place>, Refusal> {
        if !has_gaps(model) {
            return Ok(u32::try_from(before).ok().map(|after| Place { passed: before, after }));
        }
        let mut place = self.places.nearest(organisation, model, before);
        while place.passed < before {
            let missing = u32::try_from(before - place.passed).unwrap_or(u32::MAX);
            let limit = missing.min(READ_AT_ONCE);
            let pairs = self.store.data(organisation, model.id, place.after, limit)?;
            let Some(last) = pairs.last() else { return Ok(None) };
            place = Place { passed: place.passed + pairs.len() as u64, after: last.id.get() };
        }
        self.places.remember(organisation, model, place);
        Ok(Some(place))
    }
}

/// Returns true if a pair was removed. As long as none was, they have the numbers 1, 2, 3 and so on.
fn has_gaps(model: &CustomModel) -> bool {
    let data = model.training.data();
    data.pairs() != u64::from(data.last_id)
}
