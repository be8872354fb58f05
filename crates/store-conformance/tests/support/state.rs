use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::ThreadId;

use custom_models_core::{
    Change, Course, CustomModel, DataChange, Language, Lineage, MetricName, ModelId, NewEvent,
    NewModel, Organisation, Outcome, Stamp, StoreError, StoreErrorKind, Timestamp, Transition,
    Write, transition,
};
use serde_json::Value;

use super::access::Access;
use super::flaw::Flaw;
use super::life::Life;

/// What is kept: rows, a counter beside them, and the last id.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(super) rows: BTreeMap<(Organisation, ModelId), CustomModel>,
    /// The rows before the last write.
    old_rows: BTreeMap<(Organisation, ModelId), CustomModel>,
    pub(super) counters: HashMap<(String, Option<ThreadId>), u64>,
    pub(super) last_id: u64,
    pub(super) identity: [u8; 16],
    pub(super) lineage: Option<Lineage>,
    pub(super) erased_events: u64,
    last_id_by_organisation: HashMap<Organisation, u64>,
    creates: u64,
    updates: u64,
    is_after_a_refusal: bool,
    pub(crate) access: Access,
    pub(crate) life: Life,
}

/// An identity that no other store has.
fn drawn() -> [u8; 16] {
    static DRAWN: AtomicU64 = AtomicU64::new(2);
    u128::from(DRAWN.fetch_add(1, Ordering::Relaxed)).to_be_bytes()
}

impl State {
    /// The state of a new store.
    pub(super) fn drawn() -> State {
        State { identity: drawn(), ..State::default() }
    }

    pub(crate) fn raise_last_id(&mut self, to: ModelId) {
        self.last_id = self.last_id.max(to.get());
    }

    /// What an opened store begins with.
    pub(crate) fn opened(mut self, flaw: Option<Flaw>) -> State {
        if flaw == Some(Flaw::NewestIdAgainAfterOpening) {
            self.last_id = self.newest_id();
        }
        if flaw == Some(Flaw::IdentityIsDrawnAtOpening) {
            self.identity = drawn();
        }
        if flaw == Some(Flaw::LineageForgottenAtOpening) {
            self.lineage = None;
        }
        self.is_after_a_refusal = false;
        self.access.open(flaw);
        self.life.open(flaw);
        self
    }

    pub(super) fn newest_id(&self) -> u64 {
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
        let Write { organisation, change, event, answer } = write;
        let kept = answer.as_ref();
        let kept = kept.and_then(|answer| self.life.repeated(flaw, &organisation, answer, thread));
        let is_judged_late = flaw == Some(Flaw::RepeatsJudgedAfterTheChange);
        if let Some(kept) = kept.clone().filter(|_| !is_judged_late) {
            return Ok(Outcome::Repeated(kept));
        }
        let asked = self.asked(&organisation, &change);
        let decided = self.decided(flaw, &organisation, change, event);
        self.old_rows = before.rows.clone();
        let (change, event, edited) = match decided {
            Ok(decided) => decided,
            Err(outcome) => {
                if let (Some(model), Some(Flaw::RefusalsKeepAnswers)) = (asked, flaw) {
                    self.life.keep(flaw, &organisation, &model, None, answer, thread);
                }
                return Ok(*outcome);
            }
        };
        if let Some(kept) = kept
            && self.clone().make(flaw, &organisation, change.clone(), thread).is_made()
        {
            return Ok(Outcome::Repeated(kept));
        }
        let asked = self.asked(&organisation, &change);
        let outcome = self.make(flaw, &organisation, change, thread);
        let leaves_a_trace = |of| outcome.is_made() || flaw == Some(of);
        let model = match &outcome {
            Ok(Outcome::Created(model)) => Some(model.clone()),
            _ => asked,
        };
        if let Some(model) = model {
            let event = event.filter(|_| leaves_a_trace(Flaw::RefusalsLeaveEvents));
            let answer = answer.filter(|_| leaves_a_trace(Flaw::RefusalsKeepAnswers));
            self.life.keep(flaw, &organisation, &model, event, answer, thread);
        }
        let is_refused = matches!(outcome, Ok(Outcome::LimitReached { .. }));
        if flaw == Some(Flaw::WriteLostAfterARefusal) && before.is_after_a_refusal && !is_refused {
            *self = before;
        }
        self.is_after_a_refusal = is_refused;
        match (outcome, edited) {
            (Ok(Outcome::Updated), Some(changed)) => Ok(changed),
            (outcome, _) => outcome,
        }
    }

    /// An edit as the change that it comes to, with its event and its outcome; other changes as they are.
    fn decided(
        &self,
        flaw: Option<Flaw>,
        organisation: &Organisation,
        change: Change,
        event: Option<NewEvent>,
    ) -> Result<(Change, Option<NewEvent>, Option<Outcome>), Box<Outcome>> {
        let Change::Edit { id, edit, expected, actor, at } = change else {
            return Ok((change, event, None));
        };
        let key = (organisation.clone(), id);
        let Some(stored) = self.rows.get(&key) else { return Err(Box::new(Outcome::NotFound)) };
        let old = self.old_rows.get(&key);
        let before = old.filter(|_| flaw == Some(Flaw::EditsAreDecidedOnAnOldRead));
        let before = before.unwrap_or(stored);
        let removed = edit.removed_pair().and_then(|pair| self.life.pair(organisation, id, pair));
        let next = transition(before, &edit, removed.as_ref(), &expected, &actor, at);
        let Transition { model, data, event } =
            next.map_err(|reason| Box::new(Outcome::Refused(reason)))?;
        let stamp = stored.stamp;
        let removed = removed.filter(|_| flaw != Some(Flaw::RemovedPairsAreNotTold));
        Ok(match model {
            None => (Change::Delete { id, stamp }, event, None),
            Some(model) => {
                let (model, removed) = (Box::new(model), removed.map(Box::new));
                let changed = Outcome::Changed { model: model.clone(), removed };
                (Change::Update { model, stamp, data }, event, Some(changed))
            }
        })
    }

    fn make(
        &mut self,
        flaw: Option<Flaw>,
        organisation: &Organisation,
        change: Change,
        thread: ThreadId,
    ) -> Result<Outcome, StoreError> {
        match change {
            Change::Create { model, limit } => {
                self.create(flaw, organisation, model, limit, thread)
            }
            Change::Update { model, stamp, data } => {
                Ok(self.update(flaw, organisation, *model, stamp, data))
            }
            Change::Delete { id, stamp } => Ok(self.delete(flaw, organisation, id, stamp, thread)),
            Change::Edit { .. } => Err(StoreErrorKind::Failed.into()),
        }
    }

    /// The model that a change is about, as it is to be or was.
    fn asked(&self, organisation: &Organisation, change: &Change) -> Option<CustomModel> {
        match change {
            Change::Create { model, .. } => {
                let id = ModelId::new(self.last_id + 1).ok()?;
                Some(model.clone().with_id(id))
            }
            Change::Update { model, .. } => Some(model.as_ref().clone()),
            Change::Delete { id, .. } | Change::Edit { id, .. } => {
                self.rows.get(&(organisation.clone(), *id)).cloned()
            }
        }
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

    fn update(
        &mut self,
        flaw: Option<Flaw>,
        organisation: &Organisation,
        model: CustomModel,
        stamp: Stamp,
        data: DataChange,
    ) -> Outcome {
        let mut key = (organisation.clone(), model.id);
        if flaw == Some(Flaw::UpdatesIgnoreTheOrganisation)
            && let Some(found) = self.rows.keys().find(|(_, found)| *found == model.id)
        {
            key = found.clone();
        }
        let Some(stored) = self.rows.get(&key) else {
            if flaw == Some(Flaw::UpdatesOfNothingCreate) {
                self.rows.insert(key, model);
                return Outcome::Updated;
            }
            return Outcome::NotFound;
        };
        if !is_current(flaw, stored.stamp, stamp) && flaw != Some(Flaw::UpdatesIgnoreTheStamp) {
            if flaw == Some(Flaw::StaleUpdatesChangeData) {
                self.life.change_data(flaw, &key, data);
            }
            return Outcome::Stale;
        }
        let mut after = kept(flaw, model);
        if flaw == Some(Flaw::UpdatesKeepOldDescriptions) && after.description.is_none() {
            after.description.clone_from(&stored.description);
        }
        self.updates += 1;
        if flaw != Some(Flaw::EveryTenthUpdateIsLost) || !self.updates.is_multiple_of(10) {
            self.life.change_data(flaw, &key, data);
            self.rows.insert(key, after);
        }
        Outcome::Updated
    }

    fn delete(
        &mut self,
        flaw: Option<Flaw>,
        organisation: &Organisation,
        id: ModelId,
        stamp: Stamp,
        thread: ThreadId,
    ) -> Outcome {
        let mut key = (organisation.clone(), id);
        if flaw == Some(Flaw::DeletesIgnoreTheOrganisation)
            && let Some(found) = self.rows.keys().find(|(_, found)| *found == id)
        {
            key = found.clone();
        }
        match self.rows.get(&key) {
            None => match flaw {
                Some(Flaw::DeletesOfNothingSucceed) => Outcome::Deleted,
                Some(Flaw::DeletesOfNothingAreStale) => Outcome::Stale,
                Some(Flaw::ModelsOfOthersAreStale) if self.is_anyones(id) => Outcome::Stale,
                _ => Outcome::NotFound,
            },
            Some(model) if !is_current(flaw, model.stamp, stamp) => Outcome::Stale,
            Some(_) => {
                self.life.forget_data(flaw, &key);
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
}

/// Whether a change was made.
trait Made {
    fn is_made(&self) -> bool;
}

impl Made for Result<Outcome, StoreError> {
    fn is_made(&self) -> bool {
        matches!(self, Ok(Outcome::Created(_) | Outcome::Updated | Outcome::Deleted))
    }
}

/// Whether a change is decided on the model as it is.
fn is_current(flaw: Option<Flaw>, found: Stamp, stamp: Stamp) -> bool {
    match flaw {
        Some(Flaw::RevisionHas32Bits) => {
            found.revision.get() as u32 == stamp.revision.get() as u32 && found.beats == stamp.beats
        }
        Some(Flaw::BeatsDoNotCount) => found.revision == stamp.revision,
        _ => found == stamp,
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
        Some(Flaw::FiguresHaveFewDigits) => {
            rewrite(&mut model, |record| record.replace("0.30000000000000004", "0.3"));
        }
        Some(Flaw::ZerosHaveNoSign) => {
            rewrite(&mut model, |record| record.replace("-0.0", "0.0"));
        }
        Some(Flaw::KeepsTheFiveMetrics) => rewrite(&mut model, |record| {
            let mut record: Value = serde_json::from_str(&record).unwrap();
            keep_the_five(&mut record);
            record.to_string()
        }),
        _ => {}
    }
    model
}

/// The course that a model has when its record is another.
fn rewrite(model: &mut CustomModel, change: impl Fn(String) -> String) {
    let record = model.course.to_record().unwrap().map(change);
    model.course = Course::from_record(model.course.status(), record.as_deref()).unwrap();
}

/// Drops all metrics but the five that READ-4 names, wherever there are metrics.
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
