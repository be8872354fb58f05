use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::ThreadId;

use custom_models_core::field::Name;
use custom_models_core::model::{
    DataChange, Edit, EditRefusal, EventType, Expected, NewEvent, NewModel, Revision, transition,
};
use custom_models_core::store::{
    AdmissionRequest, Change, IdempotencyRecord, Lineage, Outcome, StoreError, StoreErrorKind,
    Write, apply,
};
use custom_models_core::time::Timestamp;
use custom_models_core::{BaseModel, CustomModel, Language, ModelId, Organisation};

use super::access::Access;
use super::life::Life;
use super::mutant::Mutant;
use super::rows::Transaction;

/// The records of a store: rows, a counter beside them, and the last id.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(super) rows: BTreeMap<(Organisation, ModelId), CustomModel>,
    /// The rows before the last write.
    pub(super) old_rows: BTreeMap<(Organisation, ModelId), CustomModel>,
    pub(super) counters: HashMap<(String, Option<ThreadId>), u64>,
    pub(super) last_id: u64,
    pub(super) identity: [u8; 16],
    pub(super) lineage: Option<Lineage>,
    pub(super) erased_events: u64,
    /// The models that cannot be read.
    damaged: Vec<(Organisation, ModelId)>,
    last_id_by_organisation: HashMap<Organisation, u64>,
    creates: u64,
    pub(super) updates: u64,
    is_after_a_refusal: bool,
    pub(crate) access: Access,
    pub(crate) life: Life,
}

/// Returns an identity that no other store has.
fn drawn() -> [u8; 16] {
    static DRAWN: AtomicU64 = AtomicU64::new(2);
    u128::from(DRAWN.fetch_add(1, Ordering::Relaxed)).to_be_bytes()
}

impl State {
    /// Returns the state of a new store.
    pub(super) fn drawn() -> State {
        State { identity: drawn(), ..State::default() }
    }

    pub(super) fn damage(&mut self, text: &str) {
        let damaged = self.rows.iter().filter(|(_, model)| model.name.as_str() == text);
        self.damaged = damaged.map(|(key, _)| key.clone()).collect();
    }

    /// Returns the state of an opened store.
    pub(crate) fn opened(mut self, mutant: Option<Mutant>) -> Result<State, StoreError> {
        if !self.damaged.is_empty() && mutant != Some(Mutant::DropsWhatItCannotRead) {
            return Err(StoreErrorKind::Damaged.into());
        }
        for key in self.damaged.drain(..) {
            self.rows.remove(&key);
        }
        if mutant == Some(Mutant::NewestIdAgainAfterOpening) {
            self.last_id = self.newest_id();
        }
        if mutant == Some(Mutant::IdentityIsDrawnAtOpening) {
            self.identity = drawn();
        }
        if mutant == Some(Mutant::LineageForgottenAtOpening) {
            self.lineage = None;
        }
        self.is_after_a_refusal = false;
        self.access.open(mutant);
        self.life.open(mutant);
        Ok(self)
    }

    /// Takes what a mutant saves of a state although the rest could not be saved.
    pub(super) fn take_a_part(&mut self, mutant: Option<Mutant>, unsaved: &State) {
        match mutant {
            Some(Mutant::FailuresTakeAPosition) => {
                for (organisation, history) in &unsaved.life.histories {
                    self.life.histories.entry(organisation.clone()).or_default().last =
                        history.last;
                }
            }
            Some(Mutant::FailuresTakeAPlace) => self.counters.clone_from(&unsaved.counters),
            Some(Mutant::FailuresKeepTheAnswer) => {
                self.life.answers.extend(unsaved.life.answers.clone());
            }
            _ => {}
        }
    }

    pub(super) fn newest_id(&self) -> u64 {
        let ids = self.rows.keys().map(|(_, id)| id.get());
        ids.max().unwrap_or_default()
    }

    pub(super) fn counter(
        &mut self,
        mutant: Option<Mutant>,
        organisation: &Organisation,
        thread: ThreadId,
    ) -> &mut u64 {
        let key = match mutant {
            Some(Mutant::LimitIgnoresCase) => (organisation.as_str().to_lowercase(), None),
            Some(Mutant::LimitCountedByThread) => (organisation.to_string(), Some(thread)),
            _ => (organisation.to_string(), None),
        };
        self.counters.entry(key).or_default()
    }

    pub(crate) fn apply(
        &mut self,
        mutant: Option<Mutant>,
        asked: Write,
        thread: ThreadId,
    ) -> Result<Outcome, StoreError> {
        if mutant == Some(Mutant::NothingGoesWithoutIds) && self.last_id == ModelId::MAX {
            return Err(StoreErrorKind::IdsExhausted.into());
        }
        let before = self.clone();
        let write = self.misheard(mutant, asked.clone(), thread);
        if mutant == Some(Mutant::RepeatsJudgedAfterTheChange) {
            let unanswered = Write { idempotency: None, ..write.clone() };
            let outcome = self.clone().judge(mutant, &unanswered, thread)?;
            if !is_made(&outcome) {
                return Ok(outcome);
            }
        }
        let late = self.life.late.take();
        let outcome = self.judge(mutant, &write, thread)?;
        if is_made(&outcome) {
            self.life.answers.extend(late);
        } else {
            self.life.late = late;
            self.leave_traces(mutant, &write, &outcome, thread);
        }
        self.old_rows = before.rows.clone();
        let is_refused = matches!(outcome, Outcome::LimitReached { .. });
        if mutant == Some(Mutant::WriteLostAfterARefusal)
            && before.is_after_a_refusal
            && !is_refused
        {
            *self = before;
        }
        self.is_after_a_refusal = is_refused;
        Ok(self.told(mutant, &asked, outcome))
    }

    fn judge(
        &mut self,
        mutant: Option<Mutant>,
        write: &Write,
        thread: ThreadId,
    ) -> Result<Outcome, StoreError> {
        let before = self.access.clone();
        let outcome = apply(&mut Transaction { state: self, mutant, thread, write }, write)?;
        let Some(AdmissionRequest { window, .. }) = write.admission else { return Ok(outcome) };
        match (mutant, &outcome) {
            (Some(Mutant::AdmissionsOfChangesAreLost), _) => self.access = before,
            (Some(Mutant::RefusedChangesDoNotCount), outcome) if !is_made(outcome) => {
                self.access = before;
            }
            (Some(Mutant::RepeatsCount), Outcome::Repeated(_)) => {
                self.access.count(window, write.at, thread);
            }
            (Some(Mutant::WindowsAreJudgedLast), Outcome::WindowFull { .. }) => {
                let unlimited = Write { admission: None, ..write.clone() };
                let unlimited = self.clone().judge(mutant, &unlimited, thread)?;
                return Ok(if is_made(&unlimited) { outcome } else { unlimited });
            }
            _ => {}
        }
        Ok(outcome)
    }

    /// Returns the write that a mutant judges instead of the requested one.
    fn misheard(&mut self, mutant: Option<Mutant>, mut write: Write, thread: ThreadId) -> Write {
        match &mut write.change {
            Change::Create { limit, .. } => {
                self.creates += 1;
                let current = *self.counter(mutant, &write.organisation, thread);
                *limit = limit.and_then(|limit| self.limit(mutant, limit, current));
            }
            Change::Edit { id, edit, expected } => {
                expect_less(mutant, expected);
                let (id, is_delete) = (*id, **edit == Edit::Delete);
                let is_of_anyone = match mutant {
                    Some(Mutant::DeletesIgnoreTheOrganisation) => is_delete,
                    Some(Mutant::UpdatesIgnoreTheOrganisation) => !is_delete,
                    _ => false,
                };
                let owner = self.rows.keys().find(|(_, found)| is_of_anyone && *found == id);
                if let Some((owner, _)) = owner {
                    write.organisation = owner.clone();
                }
                if mutant == Some(Mutant::UpdatesOfNothingCreate) && !is_delete {
                    let key = (write.organisation.clone(), id);
                    self.rows.entry(key).or_insert_with(|| nothing().with_id(id));
                }
            }
        }
        write
    }

    fn limit(&self, mutant: Option<Mutant>, limit: u64, current: u64) -> Option<u64> {
        match mutant {
            Some(Mutant::LimitIsSigned) => Some(u64::try_from(limit.cast_signed()).unwrap_or(0)),
            Some(Mutant::LimitIsOneMore) => Some(limit.saturating_add(1)),
            Some(Mutant::LimitMustBeMetExactly) => (current == limit).then_some(limit),
            Some(Mutant::LimitZeroIsNone) if limit == 0 => None,
            Some(Mutant::LimitOverlookedByEveryTenth) if self.creates.is_multiple_of(10) => None,
            _ => Some(limit),
        }
    }

    /// Leaves the traces of a refusal, in a store with such a mutant.
    fn leave_traces(
        &mut self,
        mutant: Option<Mutant>,
        write: &Write,
        outcome: &Outcome,
        thread: ThreadId,
    ) {
        let Write { organisation, actor, at, change, idempotency: answer, admission: _ } = write;
        let model = match change {
            Change::Create { .. } => ModelId::new(self.last_id + 1).ok(),
            Change::Edit { id, .. } => Some(*id),
        };
        match (mutant, of_the_change(outcome), model) {
            (_, Outcome::Repeated(_), _) => {}
            (Some(Mutant::PlaceTakenByRefusals), Outcome::LimitReached { .. }, _) => {
                *self.counter(mutant, organisation, thread) += 1;
            }
            (Some(Mutant::RefusalsLeaveEvents), _, Some(model)) => {
                let (created_at, actor) = ((*at).into(), actor.clone());
                let event = NewEvent { created_at, actor, event_type: EventType::Updated };
                self.life.log(mutant, organisation, model, event);
            }
            (Some(Mutant::RefusalsKeepAnswers), ..) => {
                if let Some(answer) = answer {
                    let (request, revision) = (answer.request, Revision::FIRST);
                    let body = String::new();
                    let kept = IdempotencyRecord { request, at: *at, status: 409, revision, body };
                    self.life.keep(mutant, organisation, &answer.key, kept, thread);
                }
            }
            (Some(Mutant::RefusedEditsChangeData), Outcome::Refused(_), Some(model)) => {
                if let Some(data) = self.data_of(write, model) {
                    self.life.change_data(mutant, &(organisation.clone(), model), data);
                }
            }
            _ => {}
        }
    }

    /// Returns the change of data that an edit would make at any revision.
    fn data_of(&self, write: &Write, id: ModelId) -> Option<DataChange> {
        let Change::Edit { edit, .. } = &write.change else { return None };
        let of = &write.organisation;
        let model = self.rows.get(&(of.clone(), id))?;
        let pair = edit.removed_pair().and_then(|pair| self.life.pair(of, id, pair));
        let anything = Expected::Anything;
        let next = transition(model, edit, pair.as_ref(), &anything, &write.actor, write.at);
        next.ok().map(|next| next.data)
    }

    /// Returns the outcome for the caller, which a mutant may change.
    fn told(&self, mutant: Option<Mutant>, asked: &Write, outcome: Outcome) -> Outcome {
        let Change::Edit { id, edit, .. } = &asked.change else { return outcome };
        let is_anyones = || self.rows.keys().any(|(_, found)| found == id);
        match (mutant, outcome) {
            (Some(Mutant::RemovedPairsAreNotTold), Outcome::Changed { model, .. }) => {
                Outcome::Changed { model, removed: None }
            }
            (Some(Mutant::DeletesOfNothingSucceed), Outcome::NotFound)
                if **edit == Edit::Delete =>
            {
                Outcome::Deleted
            }
            (Some(Mutant::ModelsOfOthersAreRefused), Outcome::NotFound) if is_anyones() => {
                Outcome::Refused(EditRefusal::PreconditionFailed)
            }
            (_, outcome) => outcome,
        }
    }

    pub(super) fn next_id(
        &mut self,
        mutant: Option<Mutant>,
        organisation: &Organisation,
    ) -> Result<ModelId, StoreError> {
        let last = match mutant {
            Some(Mutant::IdsByOrganisation) => *self
                .last_id_by_organisation
                .entry(organisation.clone())
                .and_modify(|last| *last += 1)
                .or_default(),
            Some(Mutant::NewestIdAgain) => self.newest_id(),
            Some(Mutant::TwoOfAHundredShareAnId) if self.creates.is_multiple_of(100) => {
                self.last_id - 1
            }
            Some(Mutant::LastIdAgain) => self.last_id.min(ModelId::MAX - 1),
            _ => self.last_id,
        };
        let id = ModelId::new(last + 1).map_err(|_| StoreErrorKind::IdsExhausted)?;
        self.last_id = self.last_id.max(id.get());
        Ok(id)
    }
}

/// Returns the model that an update of nothing creates.
fn nothing() -> NewModel {
    NewModel {
        name: Name::new("nothing").unwrap(),
        description: None,
        language: Language::En,
        base_model: BaseModel::default(),
        created_at: Timestamp::MIN,
    }
}

/// Reduces an expectation to the part that a mutant checks.
fn expect_less(mutant: Option<Mutant>, expected: &mut Expected) {
    match (mutant, &*expected) {
        (Some(Mutant::EditsIgnoreWhatIsExpected), _) => *expected = Expected::Anything,
        (Some(Mutant::RevisionsHave32Bits), Expected::OneOf(revisions)) => {
            let short = revisions.iter().map(|revision| u64::from(revision.get() as u32));
            *expected = Expected::OneOf(short.filter_map(Revision::new).collect());
        }
        _ => {}
    }
}

/// Returns true if a change was made.
pub(super) fn is_made(outcome: &Outcome) -> bool {
    let made = of_the_change(outcome);
    matches!(made, Outcome::Created(_) | Outcome::Changed { .. } | Outcome::Deleted)
}

/// Returns the outcome of the change, if its request was admitted with it.
fn of_the_change(outcome: &Outcome) -> &Outcome {
    match outcome {
        Outcome::Admitted { outcome, .. } => outcome,
        outcome => outcome,
    }
}
