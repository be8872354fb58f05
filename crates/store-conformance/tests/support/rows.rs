use std::thread::ThreadId;

use custom_models_core::model::{
    DataChange, DataId, DataPair, MetricName, NewEvent, TrainingState, Version,
};
use custom_models_core::store::{
    AdmissionRequest, Counters, IdempotencyRecord, IdempotencyScope, Rows, StoreError, Write,
};
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_core::{CustomModel, Language, ModelId, Organisation};
use serde_json::Value;

use super::access::Admissions;
use super::mutant::Mutant;
use super::state::State;

/// The rows of a store with a mutant, for one write.
pub(super) struct Transaction<'a> {
    pub(super) state: &'a mut State,
    pub(super) mutant: Option<Mutant>,
    pub(super) thread: ThreadId,
    pub(super) write: &'a Write,
}

impl Rows for Transaction<'_> {
    type Error = StoreError;

    type Admissions<'r>
        = Admissions<'r>
    where
        Self: 'r;

    fn idempotency_record(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        Ok(self.state.life.repeated(self.mutant, organisation, key, self.write.at, self.thread))
    }

    fn counters(&mut self, organisation: &Organisation) -> Result<Counters, StoreError> {
        let events = self.state.life.histories.get(organisation).map_or(0, |history| history.last);
        Ok(Counters { models: *self.counter(organisation), events })
    }

    fn model(
        &mut self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError> {
        let key = (organisation.clone(), id);
        let old = self.state.old_rows.get(&key);
        let old = old.filter(|_| self.mutant == Some(Mutant::EditsAreDecidedOnAnOldRead));
        Ok(self.state.rows.get(&key).map(|stored| old.unwrap_or(stored).clone()))
    }

    fn pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<Option<DataPair>, StoreError> {
        Ok(self.state.life.pair(organisation, model, pair))
    }

    fn last_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Option<DataId>, StoreError> {
        let pairs = self.state.life.data.get(&(organisation.clone(), model));
        Ok(pairs.and_then(|pairs| pairs.iter().map(|pair| pair.id).max()))
    }

    fn next_id(&mut self) -> Result<ModelId, StoreError> {
        self.state.next_id(self.mutant, &self.write.organisation)
    }

    fn insert_model(
        &mut self,
        organisation: &Organisation,
        model: &CustomModel,
    ) -> Result<(), StoreError> {
        let model = kept(self.mutant, model.clone());
        self.state.rows.insert((organisation.clone(), model.id), model);
        Ok(())
    }

    fn replace_model(
        &mut self,
        organisation: &Organisation,
        before: &CustomModel,
        after: &CustomModel,
    ) -> Result<(), StoreError> {
        let mut after = kept(self.mutant, after.clone());
        if self.mutant == Some(Mutant::UpdatesKeepOldDescriptions) && after.description.is_none() {
            after.description.clone_from(&before.description);
        }
        if self.mutant == Some(Mutant::BeatsCountAsRevisions)
            && after.revision() == before.revision()
        {
            after.version = Version { revision: after.revision().next(), ..after.version };
        }
        self.state.updates += 1;
        let is_tenth = self.state.updates.is_multiple_of(10);
        if self.mutant != Some(Mutant::EveryTenthUpdateIsLost) || !is_tenth {
            self.state.rows.insert((organisation.clone(), after.id), after);
        }
        Ok(())
    }

    fn delete_model(
        &mut self,
        organisation: &Organisation,
        before: &CustomModel,
    ) -> Result<(), StoreError> {
        let key = (organisation.clone(), before.id);
        self.state.life.forget_data(self.mutant, &key);
        self.state.rows.remove(&key);
        if self.mutant == Some(Mutant::EventsGoWithTheirModel)
            && let Some(history) = self.state.life.histories.get_mut(organisation)
        {
            history.events.retain(|event| event.model_id != before.id);
        }
        Ok(())
    }

    fn insert_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: &DataPair,
    ) -> Result<(), StoreError> {
        let (key, added) = ((organisation.clone(), model), DataChange::Add(pair.clone()));
        self.state.life.change_data(self.mutant, &key, added);
        Ok(())
    }

    fn delete_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<(), StoreError> {
        let key = (organisation.clone(), model);
        self.state.life.change_data(self.mutant, &key, DataChange::Remove(pair));
        Ok(())
    }

    fn append_event(
        &mut self,
        organisation: &Organisation,
        _: u64,
        model: ModelId,
        event: &NewEvent,
    ) -> Result<(), StoreError> {
        self.state.life.log(self.mutant, organisation, model, event.clone());
        Ok(())
    }

    fn insert_idempotency_record(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
        kept: &IdempotencyRecord,
    ) -> Result<(), StoreError> {
        self.state.life.keep(self.mutant, organisation, key, kept.clone(), self.thread);
        Ok(())
    }

    fn set_counters(
        &mut self,
        organisation: &Organisation,
        counters: Counters,
    ) -> Result<(), StoreError> {
        let keeps = self.mutant == Some(Mutant::PlaceKeptByDeletes);
        let models = self.counter(organisation);
        *models = if keeps { counters.models.max(*models) } else { counters.models };
        Ok(())
    }

    fn admissions(
        &mut self,
        request: &AdmissionRequest,
        at: UnixMillis,
    ) -> Result<(Admissions<'_>, UnixMillis), StoreError> {
        Ok(self.state.access.rows(self.mutant, &request.window, (at, self.thread)))
    }
}

impl Transaction<'_> {
    fn counter(&mut self, organisation: &Organisation) -> &mut u64 {
        self.state.counter(self.mutant, organisation, self.thread)
    }
}

/// Returns the model as it is stored.
fn kept(mutant: Option<Mutant>, mut model: CustomModel) -> CustomModel {
    match mutant {
        Some(Mutant::NamesEndAtNul) => {
            let kept = model.name.as_str().split('\0').next().unwrap().to_owned();
            model.name = kept.try_into().unwrap_or(model.name);
        }
        Some(Mutant::EmptyDescriptionIsNone) => {
            model.description = model.description.filter(|text| !text.as_str().is_empty());
        }
        Some(Mutant::MomentsHave32Bits) => {
            let seconds = model.created_at.unix_seconds() as i32;
            model.created_at = Timestamp::from_unix_seconds(seconds.into()).unwrap();
        }
        Some(Mutant::OneLanguageIsAnother) if model.language == Language::Te => {
            model.language = Language::Ta;
        }
        Some(Mutant::FiguresHaveFewDigits) => {
            rewrite(&mut model, |record| record.replace("0.30000000000000004", "0.3"));
        }
        Some(Mutant::ZerosHaveNoSign) => {
            rewrite(&mut model, |record| record.replace("-0.0", "0.0"));
        }
        Some(Mutant::KeepsTheFiveMetrics) => rewrite(&mut model, |record| {
            let mut record: Value = serde_json::from_str(&record).unwrap();
            keep_the_five(&mut record);
            record.to_string()
        }),
        _ => {}
    }
    model
}

/// Changes the training state of a model through its stored text.
fn rewrite(model: &mut CustomModel, change: impl Fn(String) -> String) {
    let record = model.training.to_record().unwrap().map(change);
    model.training =
        TrainingState::from_record(model.training.status(), record.as_deref()).unwrap();
}

/// Removes all metrics but the five that READ-4 names.
fn keep_the_five(record: &mut Value) {
    let Some(fields) = record.as_object_mut() else { return };
    for (name, value) in fields {
        match value.as_object_mut().filter(|_| name == "metrics") {
            Some(metrics) => {
                metrics.retain(|name, _| MetricName::NAMED.iter().any(|it| it.as_str() == name));
            }
            None => keep_the_five(value),
        }
    }
}
