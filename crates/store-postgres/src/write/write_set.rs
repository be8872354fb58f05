//! The changes of a group, by kind of row, merged over all its writes.

use std::collections::{BTreeMap, BTreeSet};

use custom_models_core::access::Window;
use custom_models_core::model::{DataId, DataPair, NewEvent};
use custom_models_core::store::{Counters, IdempotencyRecord, IdempotencyScope, StoreError};
use custom_models_core::{CustomModel, ModelId, Organisation};

use crate::connection::statement::Statement;
use crate::write::statements::{self, WindowChanges};

/// The rows to be written. There is one statement per kind of row, however many rows there are.
#[derive(Default)]
pub(crate) struct WriteSet {
    pub(crate) added: BTreeMap<(Organisation, ModelId), CustomModel>,
    pub(crate) updated: BTreeMap<(Organisation, ModelId), CustomModel>,
    pub(crate) deleted: BTreeSet<(Organisation, ModelId)>,
    /// `None` removes a pair.
    pub(crate) data: BTreeMap<(Organisation, ModelId, DataId), Option<DataPair>>,
    pub(crate) events: Vec<(Organisation, u64, ModelId, NewEvent)>,
    pub(crate) answers: BTreeMap<(Organisation, IdempotencyScope), IdempotencyRecord>,
    pub(crate) counters: BTreeMap<Organisation, Counters>,
    pub(crate) windows: BTreeMap<Window, WindowChanges>,
}

impl WriteSet {
    pub(crate) fn add(&mut self, organisation: Organisation, model: CustomModel) {
        self.added.insert((organisation, model.id), model);
    }

    pub(crate) fn update(&mut self, organisation: Organisation, model: CustomModel) {
        let key = (organisation, model.id);
        match self.added.get_mut(&key) {
            Some(added) => *added = model,
            None => drop(self.updated.insert(key, model)),
        }
    }

    pub(crate) fn delete(&mut self, organisation: &Organisation, id: ModelId) {
        let key = (organisation.clone(), id);
        self.data.retain(|(of, model, _), _| (of, model) != (&key.0, &key.1));
        self.updated.remove(&key);
        if self.added.remove(&key).is_none() {
            self.deleted.insert(key);
        }
    }

    /// Returns true if every write was refused.
    pub(crate) fn is_empty(&self) -> bool {
        self.counters.is_empty() && self.windows.is_empty()
    }

    /// The statements that write the changes.
    pub(crate) fn statements(&self) -> Result<Vec<Statement<'_>>, StoreError> {
        let mut statements = Vec::new();
        if !self.added.is_empty() {
            statements.push(statements::insert_models(&self.added)?);
        }
        if !self.updated.is_empty() {
            statements.push(statements::update_models(&self.updated)?);
        }
        if !self.deleted.is_empty() {
            statements.push(statements::delete_by_model(statements::DELETE_MODELS, &self.deleted));
            statements.push(statements::delete_by_model(statements::DELETE_DATA, &self.deleted));
        }
        if self.data.values().any(Option::is_none) {
            statements.push(statements::delete_pairs(&self.data));
        }
        if self.data.values().any(Option::is_some) {
            statements.push(statements::insert_pairs(&self.data)?);
        }
        if !self.events.is_empty() {
            statements.push(statements::insert_events(&self.events)?);
        }
        if !self.answers.is_empty() {
            statements.push(statements::put_answers(&self.answers));
        }
        if !self.windows.is_empty() {
            if self.windows.values().any(|admitted| admitted.most > 0) {
                statements.push(statements::delete_admissions(&self.windows));
            }
            statements.push(statements::insert_admissions(&self.windows));
        }
        if !self.counters.is_empty() {
            statements.push(statements::update_counters(&self.counters));
        }
        Ok(statements)
    }
}
