use std::collections::{BTreeMap, HashMap};
use std::thread::ThreadId;

use custom_models_core::{
    Change, CustomModel, Language, Listing, ModelId, NewModel, Organisation, Outcome, Revision,
    Selection, StoreError, StoreErrorKind, Timestamp, Write,
};

use super::access::Access;
use super::flaw::Flaw;

/// What is kept: rows, a counter beside them, and the last id.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    rows: BTreeMap<(Organisation, ModelId), CustomModel>,
    counters: HashMap<(String, Option<ThreadId>), u64>,
    last_id: u64,
    last_id_by_organisation: HashMap<Organisation, u64>,
    creates: u64,
    is_after_a_refusal: bool,
    pub(crate) access: Access,
}

impl State {
    pub(crate) fn raise_last_id(&mut self, to: ModelId) {
        self.last_id = self.last_id.max(to.get());
    }

    /// What an opened store begins with.
    pub(crate) fn opened(mut self, flaw: Option<Flaw>) -> State {
        if flaw == Some(Flaw::NewestIdAgainAfterOpening) {
            self.last_id = self.newest_id();
        }
        self.is_after_a_refusal = false;
        self.access.open(flaw);
        self
    }

    fn newest_id(&self) -> u64 {
        let ids = self.rows.keys().map(|(_, id)| id.get());
        ids.max().unwrap_or_default()
    }

    fn counter(
        &mut self,
        flaw: Option<Flaw>,
        organisation: &Organisation,
        thread: ThreadId,
    ) -> &mut u64 {
        let key = match flaw {
            Some(Flaw::LimitIgnoresCase) => (organisation.as_str().to_lowercase(), None),
            Some(Flaw::LimitCountedByThread) => (organisation.to_string(), Some(thread)),
            _ => (organisation.to_string(), None),
        };
        self.counters.entry(key).or_default()
    }

    pub(crate) fn apply(
        &mut self,
        flaw: Option<Flaw>,
        write: Write,
        thread: ThreadId,
    ) -> Result<Outcome, StoreError> {
        if flaw == Some(Flaw::NothingGoesWithoutIds) && self.last_id == ModelId::MAX {
            return Err(StoreErrorKind::IdsExhausted.into());
        }
        let before = self.clone();
        let outcome = match write.change {
            Change::Create { model, limit } => {
                self.create(flaw, &write.organisation, model, limit, thread)
            }
            Change::Delete { id, revision } => {
                Ok(self.delete(flaw, &write.organisation, id, revision, thread))
            }
        };
        let is_refused = matches!(outcome, Ok(Outcome::LimitReached { .. }));
        if flaw == Some(Flaw::WriteLostAfterARefusal) && before.is_after_a_refusal && !is_refused {
            *self = before;
        }
        self.is_after_a_refusal = is_refused;
        outcome
    }

    fn create(
        &mut self,
        flaw: Option<Flaw>,
        organisation: &Organisation,
        model: NewModel,
        limit: Option<u64>,
        thread: ThreadId,
    ) -> Result<Outcome, StoreError> {
        self.creates += 1;
        let is_tenth = self.creates.is_multiple_of(10);
        let counter = self.counter(flaw, organisation, thread);
        let current = *counter;
        let is_reached = limit.is_some_and(|limit| match flaw {
            Some(Flaw::LimitIsSigned) => current.cast_signed() >= limit.cast_signed(),
            Some(Flaw::LimitIsOneMore) => current > limit,
            Some(Flaw::LimitMustBeMetExactly) => current == limit,
            Some(Flaw::LimitZeroIsNone) if limit == 0 => false,
            Some(Flaw::LimitOverlookedByEveryTenth) if is_tenth => false,
            _ => current >= limit,
        });
        if is_reached {
            if flaw == Some(Flaw::PlaceTakenByRefusals) {
                *counter += 1;
            }
            return Ok(Outcome::LimitReached { current });
        }
        let id = self.next_id(flaw, organisation)?;
        *self.counter(flaw, organisation, thread) += 1;
        let model = model.with_id(id);
        self.rows.insert((organisation.clone(), id), kept(flaw, model.clone()));
        Ok(Outcome::Created(model))
    }

    fn next_id(
        &mut self,
        flaw: Option<Flaw>,
        organisation: &Organisation,
    ) -> Result<ModelId, StoreError> {
        let last = match flaw {
            Some(Flaw::IdsByOrganisation) => *self
                .last_id_by_organisation
                .entry(organisation.clone())
                .and_modify(|last| *last += 1)
                .or_default(),
            Some(Flaw::NewestIdAgain) => self.newest_id(),
            Some(Flaw::TwoOfAHundredShareAnId) if self.creates.is_multiple_of(100) => {
                self.last_id - 1
            }
            Some(Flaw::LastIdAgain) => self.last_id.min(ModelId::MAX - 1),
            _ => self.last_id,
        };
        let id = ModelId::new(last + 1).map_err(|_| StoreErrorKind::IdsExhausted)?;
        self.last_id = self.last_id.max(id.get());
        Ok(id)
    }

    fn delete(
        &mut self,
        flaw: Option<Flaw>,
        organisation: &Organisation,
        id: ModelId,
        revision: Revision,
        thread: ThreadId,
    ) -> Outcome {
        let mut key = (organisation.clone(), id);
        if flaw == Some(Flaw::DeletesIgnoreTheOrganisation)
            && let Some(found) = self.rows.keys().find(|(_, found)| *found == id)
        {
            key = found.clone();
        }
        let is_current = |found: Revision| match flaw {
            Some(Flaw::RevisionHas32Bits) => found.get() as u32 == revision.get() as u32,
            _ => found == revision,
        };
        match self.rows.get(&key) {
            None => match flaw {
                Some(Flaw::DeletesOfNothingSucceed) => Outcome::Deleted,
                Some(Flaw::DeletesOfNothingAreStale) => Outcome::Stale,
                Some(Flaw::ModelsOfOthersAreStale) if self.is_anyones(id) => Outcome::Stale,
                _ => Outcome::NotFound,
            },
            Some(model) if !is_current(model.revision) => Outcome::Stale,
            Some(_) => {
                self.rows.remove(&key);
                if flaw != Some(Flaw::PlaceKeptByDeletes) {
                    *self.counter(flaw, organisation, thread) -= 1;
                }
                Outcome::Deleted
            }
        }
    }

    fn is_anyones(&self, id: ModelId) -> bool {
        self.rows.keys().any(|(_, found)| *found == id)
    }

    pub(crate) fn get(
        &self,
        flaw: Option<Flaw>,
        organisation: &Organisation,
        id: ModelId,
    ) -> Option<CustomModel> {
        if flaw == Some(Flaw::ReadsIgnoreTheOrganisation) {
            return self.rows.values().find(|model| model.id == id).cloned();
        }
        self.rows.get(&(organisation.clone(), id)).cloned()
    }

    pub(crate) fn list(
        &self,
        flaw: Option<Flaw>,
        organisation: &Organisation,
        selection: &Selection,
    ) -> Result<Listing, StoreError> {
        let is_own = |of: &Organisation| match flaw {
            Some(Flaw::OrganisationsArePrefixes) => of.as_str().starts_with(organisation.as_str()),
            _ => of == organisation,
        };
        let own = || self.rows.iter().filter(|((of, _), _)| is_own(of));
        let own = || own().map(|(_, model)| model);
        if flaw == Some(Flaw::NoModelsIsAnError) && own().next().is_none() {
            return Err(StoreErrorKind::Failed.into());
        }
        let is_after = |id: ModelId| match (selection.after, flaw) {
            (None, _) => true,
            (Some(after), Some(Flaw::CursorShowsItsModel)) => id >= after,
            (Some(after), _) => id > after,
        };
        let skip = usize::try_from(selection.skip).unwrap();
        let limit = match flaw {
            Some(Flaw::ListsIgnoreTheirLimit) => usize::MAX,
            _ => selection.limit as usize,
        };
        let is_wanted = |model: &&CustomModel| selection.filter.matches(model);
        let after = own().filter(|model| is_after(model.id));
        let models = match flaw {
            Some(Flaw::SkipsBeforeFiltering) => {
                let models = after.skip(skip).filter(is_wanted);
                models.take(limit).cloned().collect()
            }
            _ => {
                let models = after.filter(is_wanted).skip(skip);
                models.take(limit).cloned().collect()
            }
        };
        let total = if selection.filter.is_empty() {
            let counters = self.counters.iter();
            let own = counters.filter(|((of, _), _)| of == organisation.as_str());
            own.map(|(_, counter)| *counter).sum()
        } else {
            own().filter(is_wanted).count() as u64
        };
        Ok(Listing { models, total })
    }
}

/// The model as it is kept.
fn kept(flaw: Option<Flaw>, mut model: CustomModel) -> CustomModel {
    match flaw {
        Some(Flaw::NamesEndAtNul) => {
            let kept = model.name.as_str().split('\0').next().unwrap().to_owned();
            model.name = kept.try_into().unwrap_or(model.name);
        }
        Some(Flaw::EmptyDescriptionIsNone) => {
            model.description = model.description.filter(|text| !text.as_str().is_empty());
        }
        Some(Flaw::MomentsHave32Bits) => {
            let seconds = model.created_at.unix_seconds() as i32;
            model.created_at = Timestamp::from_unix_seconds(seconds.into()).unwrap();
        }
        Some(Flaw::OneLanguageIsAnother) if model.language == Language::Te => {
            model.language = Language::Ta;
        }
        _ => {}
    }
    model
}
