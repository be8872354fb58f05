//! What a store must hold after what it acknowledged, and whether it does (MODEL-1, MODEL-6,
//! QUOTA-4).

use std::collections::{BTreeMap, BTreeSet};

use custom_models_core::{CustomModel, ModelId, ModelStore, Selection};

use crate::sample::token_of;
use crate::{BoxError, Line, MEMBERS, Member, Token, ensure};

/// Everything that is known about a place, over all runs.
#[derive(Debug, Default)]
pub struct Ledger {
    models: BTreeMap<ModelId, Known>,
    /// The runs since the place was last looked at. Only their models may turn up unannounced.
    open_runs: BTreeSet<u32>,
    tally: Tally,
}

/// What was seen, for a test to make sure that it saw enough.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Acknowledged creates.
    pub created: u64,
    /// Acknowledged deletes.
    pub deleted: u64,
    /// Creates that were refused at a limit.
    pub at_limit: u64,
    /// Models that were found whole although nobody was told that they were created.
    pub unacknowledged: u64,
}

#[derive(Debug)]
struct Known {
    organisation: String,
    /// `None` when only the end of the model was heard of.
    token: Option<Token>,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It must be there.
    Kept,
    /// Its delete was not acknowledged: it may be there.
    Unclear,
    /// It must not be there.
    Deleted,
}

impl Ledger {
    /// A ledger of a place that is yet empty.
    pub fn new() -> Self {
        Ledger::default()
    }

    /// What was seen so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Notes what a run of the load said. Its ids must be new, larger than those of all runs before
    /// it, and ascend within each thread (MODEL-1).
    pub fn note(&mut self, run: u32, lines: &[Line]) -> Result<(), BoxError> {
        let before = self.models.keys().next_back().copied();
        self.open_runs.insert(run);
        self.note_creates(before, lines)?;
        for line in lines {
            match line {
                Line::Deleting { id, organisation } => {
                    let known = self.known(*id, organisation);
                    if known.fate == Fate::Kept {
                        known.fate = Fate::Unclear;
                    }
                }
                Line::Deleted { id, organisation } => {
                    let known = self.known(*id, organisation);
                    ensure!(known.fate != Fate::Deleted, "model {id} was deleted twice");
                    known.fate = Fate::Deleted;
                    self.tally.deleted += 1;
                }
                Line::AtLimit => self.tally.at_limit += 1,
                Line::Created { .. } | Line::Failed(_) => {}
            }
        }
        Ok(())
    }

    /// Notes what a run of the load said after its power was cut. That proves nothing: an fsync that
    /// is under way when the file system is shut down can succeed although its data is gone. What
    /// was created may be there or not, like every model that nobody was told of, and what was
    /// deleted may be gone or not.
    pub fn note_after_cut(&mut self, lines: &[Line]) {
        for line in lines {
            if let Line::Deleting { id, .. } | Line::Deleted { id, .. } = line
                && let Some(known) = self.models.get_mut(id)
                && known.fate == Fate::Kept
            {
                known.fate = Fate::Unclear;
            }
        }
    }

    fn note_creates(&mut self, before: Option<ModelId>, lines: &[Line]) -> Result<(), BoxError> {
        let mut last_of_thread: BTreeMap<u32, ModelId> = BTreeMap::new();
        for line in lines {
            let Line::Created { id, organisation, token } = line else { continue };
            let known =
                Known { organisation: organisation.clone(), token: Some(*token), fate: Fate::Kept };
            if let Some(other) = self.models.insert(*id, known) {
                return Err(format!("id {id} was given twice: {other:?} and {token}").into());
            }
            let floor = last_of_thread.insert(token.thread, *id).max(before);
            ensure!(Some(*id) > floor, "id {id} of {token} is not larger than {floor:?}");
            self.tally.created += 1;
        }
        Ok(())
    }

    /// What is known about a model that is being deleted. Its create may not have been heard of:
    /// another thread can see and delete it before the acknowledgement is said.
    fn known(&mut self, id: ModelId, organisation: &str) -> &mut Known {
        self.models.entry(id).or_insert_with(|| Known {
            organisation: organisation.to_owned(),
            token: None,
            fate: Fate::Unclear,
        })
    }

    /// Compares a store that was opened again with what it acknowledged. What it holds from now on
    /// counts as acknowledged.
    pub fn check(&mut self, store: &dyn ModelStore) -> Result<(), BoxError> {
        let mut present = BTreeSet::new();
        for member in MEMBERS {
            for model in listed(store, member)? {
                ensure!(present.insert(model.id), "id {} is there twice", model.id);
                self.check_model(member.organisation, &model)?;
            }
        }
        for (id, known) in &mut self.models {
            if !present.contains(id) {
                ensure!(known.fate != Fate::Kept, "LOST: model {id} was acknowledged: {known:?}");
                known.fate = Fate::Deleted;
            }
        }
        self.open_runs.clear();
        Ok(())
    }

    fn check_model(&mut self, organisation: &str, model: &CustomModel) -> Result<(), BoxError> {
        let id = model.id;
        let token = token_of(model)?;
        let Some(known) = self.models.get_mut(&id) else {
            ensure!(self.open_runs.contains(&token.run), "model {id} of {token} came from nowhere");
            let is_new = self.models.values().all(|known| known.token != Some(token));
            ensure!(is_new, "{token} was created once and is there twice");
            let organisation = organisation.to_owned();
            self.models.insert(id, Known { organisation, token: Some(token), fate: Fate::Kept });
            self.tally.unacknowledged += 1;
            return Ok(());
        };
        ensure!(known.fate != Fate::Deleted, "BACK: model {id} was deleted: {known:?}");
        ensure!(known.organisation == organisation, "model {id} is {organisation}'s: {known:?}");
        ensure!(known.token.is_none_or(|sent| sent == token), "model {id} is {token}: {known:?}");
        *known =
            Known { organisation: organisation.to_owned(), token: Some(token), fate: Fate::Kept };
        Ok(())
    }

    /// How many of the models that must be there are not in a set of ids.
    pub fn lost_from(&self, present: &BTreeSet<ModelId>) -> usize {
        let must_be = self.models.iter().filter(|(_, known)| known.fate == Fate::Kept);
        must_be.filter(|(id, _)| !present.contains(id)).count()
    }
}

/// The ids of all models in a store.
pub fn ids(store: &dyn ModelStore) -> Result<BTreeSet<ModelId>, BoxError> {
    let mut ids = BTreeSet::new();
    for member in MEMBERS {
        let listing = store.list(&member.organisation.parse()?, &everything())?;
        ids.extend(listing.models.iter().map(|model| model.id));
    }
    Ok(ids)
}

/// All models of an organisation: in order, as many as are counted, and no more than its limit.
fn listed(store: &dyn ModelStore, member: Member) -> Result<Vec<CustomModel>, BoxError> {
    let Member { organisation, limit } = member;
    let owner = organisation.parse()?;
    let listing = store.list(&owner, &everything())?;
    let rows = listing.models.len() as u64;
    ensure!(rows == listing.total, "{organisation} has {rows} rows and counts {}", listing.total);
    ensure!(
        limit.is_none_or(|limit| rows <= limit),
        "{organisation} has {rows} models and may have {limit:?}"
    );
    for model in &listing.models {
        let found = store.get(&owner, model.id)?;
        ensure!(found.as_ref() == Some(model), "{} is listed as another: {found:?}", model.id);
    }
    ensure!(listing.models.is_sorted_by_key(|model| model.id), "{organisation} is out of order");
    Ok(listing.models)
}

fn everything() -> Selection {
    Selection { limit: u32::MAX, ..Selection::default() }
}
