//! The expected content of a store after its acknowledgements, compared with its real content (MODEL-1,
//! MODEL-6, QUOTA-4, EDIT-4, LOG-1).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use custom_models_core::model::{Event, Revision, Version};
use custom_models_core::store::{ModelStore, Selection, Store};
use custom_models_core::{CustomModel, ModelId, Organisation};
use custom_models_training_data::ContentStore;

use crate::history::{Lives, history_of};
use crate::sample::tokens_of;
use crate::{BoxError, Line, MEMBERS, Member, Subject, Token, ensure};

/// The knowledge about a place over all runs.
#[derive(Debug, Default)]
pub struct Ledger {
    /// True if reads of the store may see models before they are durable.
    shows_early: bool,
    models: BTreeMap<ModelId, Known>,
    /// The runs since the last check. Only their models may appear without an acknowledgement.
    open_runs: BTreeSet<u32>,
    /// The histories at the last check.
    histories: BTreeMap<&'static str, Vec<Event>>,
    /// The number of acknowledged changes since the last check, by organisation.
    events: BTreeMap<String, u64>,
    tally: Tally,
}

/// Counts of observations, so that a test can assert that it observed enough.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Tally {
    /// Acknowledged creates.
    pub created: u64,
    /// Acknowledged changes of models, by their callers.
    pub changed: u64,
    /// Acknowledged claims and heartbeats.
    pub beaten: u64,
    /// Pairs of data found complete, with their files, counted at each check.
    pub pairs: u64,
    /// Files without a reference.
    pub swept: u64,
    /// Acknowledged deletes.
    pub deleted: u64,
    /// Creates refused at a limit.
    pub at_limit: u64,
    /// Models found complete without an acknowledged create.
    pub unacknowledged: u64,
}

#[derive(Debug)]
struct Known {
    organisation: String,
    /// `None` if only the deletion of the model is known.
    token: Option<Token>,
    /// True if the model may have been seen before it was durable, and was not found since. Then it may be
    /// gone, and its id may be used again.
    is_only_seen: bool,
    fate: Fate,
    /// True if a delete of the model was requested.
    is_deleting: bool,
    /// The version at the last check; that of a new model before the first check.
    found: Version,
    /// The last acknowledged version.
    acknowledged: Version,
    /// The number of changes requested since the last check.
    asked: u64,
    /// All changes that were ever requested.
    edits: BTreeSet<Token>,
}

impl Known {
    fn new(organisation: &str, token: Option<Token>, fate: Fate) -> Self {
        let new = Version::from(Revision::FIRST);
        Known {
            organisation: organisation.to_owned(),
            token,
            is_only_seen: false,
            fate,
            is_deleting: false,
            found: new,
            acknowledged: new,
            asked: 0,
            edits: BTreeSet::new(),
        }
    }

    /// Returns true if the model may have a version: the acknowledged one, or one requested since.
    fn may_be_at(&self, version: Version) -> bool {
        let revisions = version.revision.get().saturating_sub(self.found.revision.get());
        let heartbeats = match revisions {
            0 => u64::from(version.heartbeats.saturating_sub(self.found.heartbeats)),
            _ => u64::from(version.heartbeats),
        };
        version >= self.acknowledged && revisions + heartbeats <= self.asked
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It must exist.
    Kept,
    /// Its delete was not acknowledged: it may exist.
    Unclear,
    /// It must not exist.
    Deleted,
}

impl Ledger {
    /// Creates the ledger of an empty place.
    pub fn of(store: Subject) -> Self {
        Ledger { shows_early: store.is_early(), ..Ledger::default() }
    }

    /// Creates the ledger of a control, which may lose everything.
    pub(crate) fn unsure() -> Self {
        Ledger { shows_early: true, ..Ledger::default() }
    }

    /// Returns the counts so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Records the output of a run of the load. Its ids must be new, larger than those of all earlier runs,
    /// and increase within each thread (MODEL-1).
    pub fn note(&mut self, run: u32, lines: &[Line]) -> Result<(), BoxError> {
        let sure = self.models.iter().filter(|(_, known)| !known.is_only_seen);
        let before = sure.map(|(id, _)| *id).next_back();
        self.open_runs.insert(run);
        self.note_creates(before, lines)?;
        for line in lines {
            match line {
                Line::Changing { id, organisation, edit } => {
                    self.ask(*id, organisation, *edit, self.shows_early);
                }
                Line::Changed { id, organisation, version } => {
                    self.note_change(*id, organisation, *version);
                }
                Line::Deleting { id, organisation } => {
                    self.doom(*id, organisation, self.shows_early);
                }
                Line::Deleted { id, organisation } => {
                    let known = self.known(*id, organisation, false);
                    ensure!(known.fate != Fate::Deleted, "model {id} was deleted twice");
                    known.fate = Fate::Deleted;
                    known.is_only_seen = false;
                    self.tally.deleted += 1;
                    self.expect_event(organisation);
                }
                Line::AtLimit => self.tally.at_limit += 1,
                Line::Created { .. } | Line::Failed(_) => {}
            }
        }
        Ok(())
    }

    /// Records the output of a run after its power was cut. It proves nothing: an fsync in progress while the
    /// file system is shut down can succeed although its data is lost. Models created in it may or may not
    /// exist, like every unacknowledged model, and deleted ones may or may not be gone.
    pub fn note_after_cut(&mut self, lines: &[Line]) {
        for line in lines {
            match line {
                Line::Changing { id, organisation, edit } => {
                    self.ask(*id, organisation, *edit, true);
                }
                Line::Deleting { id, organisation } => self.doom(*id, organisation, true),
                _ => {}
            }
        }
    }

    /// Records that a change of a model is requested.
    fn ask(&mut self, id: ModelId, organisation: &str, edit: Token, may_be_early: bool) {
        let known = self.known(id, organisation, may_be_early);
        known.asked += 1;
        known.edits.insert(edit);
    }

    /// Records that a delete of a model is requested.
    fn doom(&mut self, id: ModelId, organisation: &str, may_be_early: bool) {
        let known = self.known(id, organisation, may_be_early);
        known.is_deleting = true;
        if known.fate == Fate::Kept {
            known.fate = Fate::Unclear;
        }
    }

    /// Records an acknowledged change, which implies the create before it.
    fn note_change(&mut self, id: ModelId, organisation: &str, version: Version) {
        let known = self.known(id, organisation, false);
        known.acknowledged = known.acknowledged.max(version);
        known.is_only_seen = false;
        if known.fate == Fate::Unclear && !known.is_deleting {
            known.fate = Fate::Kept;
        }
        if version.heartbeats > 0 {
            self.tally.beaten += 1;
        } else {
            self.tally.changed += 1;
            self.expect_event(organisation);
        }
    }

    fn expect_event(&mut self, organisation: &str) {
        *self.events.entry(organisation.to_owned()).or_default() += 1;
    }

    fn note_creates(&mut self, before: Option<ModelId>, lines: &[Line]) -> Result<(), BoxError> {
        let mut last_of_thread: BTreeMap<u32, ModelId> = BTreeMap::new();
        for line in lines {
            let Line::Created { id, organisation, token } = line else { continue };
            let known = Known::new(organisation, Some(*token), Fate::Kept);
            let other = self.models.insert(*id, known);
            if let Some(other) = other.filter(|other| !other.is_only_seen) {
                return Err(format!("id {id} was given twice: {other:?} and {token}").into());
            }
            let floor = last_of_thread.insert(token.thread, *id).max(before);
            ensure!(Some(*id) > floor, "id {id} of {token} is not larger than {floor:?}");
            self.tally.created += 1;
            self.expect_event(organisation);
        }
        Ok(())
    }

    /// Returns the entry of a model that is being changed or deleted. Its create may not be acknowledged yet:
    /// another thread may see and change it before the line is written, or even before the model is durable.
    fn known(&mut self, id: ModelId, organisation: &str, may_be_early: bool) -> &mut Known {
        self.models.entry(id).or_insert_with(|| Known {
            is_only_seen: may_be_early,
            ..Known::new(organisation, None, Fate::Unclear)
        })
    }

    /// Compares a reopened store, and the files of its data, with its acknowledgements. Its content counts as
    /// acknowledged from now on. Files without a reference are swept first; files with a reference must exist
    /// afterwards (DATA-4).
    pub fn check(
        &mut self,
        store: &Arc<dyn Store>,
        contents: &dyn ContentStore,
    ) -> Result<(), BoxError> {
        self.tally.swept += contents.sweep(&**store)?.files;
        let mut present = BTreeSet::new();
        for member in MEMBERS {
            let models = listed(&**store, member)?;
            for model in &models {
                ensure!(present.insert(model.id), "id {} is there twice", model.id);
                self.check_model(member.organisation, model)?;
            }
            self.check_history(store, contents, member.organisation, &models)?;
        }
        for (id, known) in &mut self.models {
            if !present.contains(id) {
                ensure!(known.fate != Fate::Kept, "LOST: model {id} was acknowledged: {known:?}");
                known.fate = Fate::Deleted;
            }
        }
        self.models.retain(|id, known| present.contains(id) || !known.is_only_seen);
        self.open_runs.clear();
        Ok(())
    }

    fn check_model(&mut self, organisation: &str, model: &CustomModel) -> Result<(), BoxError> {
        let id = model.id;
        let (token, edit) = tokens_of(model)?;
        let is_another = |known: &Known| known.is_only_seen && known.organisation != organisation;
        if self.models.get(&id).is_some_and(is_another) {
            self.models.remove(&id);
        }
        let Some(known) = self.models.get_mut(&id) else {
            ensure!(self.open_runs.contains(&token.run), "model {id} of {token} came from nowhere");
            let is_new = self.models.values().all(|known| known.token != Some(token));
            ensure!(is_new, "{token} was created once and is there twice");
            let is_bare = model.version == Version::from(Revision::FIRST);
            ensure!(is_bare, "nobody asked for the changes of {model:?}");
            self.models.insert(id, Known::new(organisation, Some(token), Fate::Kept));
            self.tally.unacknowledged += 1;
            return Ok(());
        };
        ensure!(known.fate != Fate::Deleted, "BACK: model {id} was deleted: {known:?}");
        ensure!(known.organisation == organisation, "model {id} is {organisation}'s: {known:?}");
        ensure!(known.token.is_none_or(|sent| sent == token), "model {id} is {token}: {known:?}");
        let version = model.version;
        ensure!(
            known.may_be_at(version),
            "LOST or never asked for: {id} is at {version:?}: {known:?}"
        );
        let is_asked_for = edit.is_none_or(|edit| known.edits.contains(&edit));
        ensure!(is_asked_for, "nobody asked for {edit:?} of model {id}: {known:?}");
        known.token = Some(token);
        known.is_only_seen = false;
        known.fate = Fate::Kept;
        known.is_deleting = false;
        (known.found, known.acknowledged, known.asked) = (version, version, 0);
        Ok(())
    }

    /// Checks that the history of an organisation continues the earlier one and matches its models.
    fn check_history(
        &mut self,
        store: &Arc<dyn Store>,
        contents: &dyn ContentStore,
        organisation: &'static str,
        models: &[CustomModel],
    ) -> Result<(), BoxError> {
        let owner: Organisation = organisation.parse()?;
        let history = history_of(&**store, &owner)?;
        let before = self.histories.get(organisation).map(Vec::as_slice).unwrap_or_default();
        ensure!(history.starts_with(before), "the history of {organisation} was another before");
        let acknowledged = self.events.remove(organisation).unwrap_or_default();
        let new = (history.len() - before.len()) as u64;
        ensure!(new >= acknowledged, "LOST: {acknowledged} events of {organisation}, found {new}");
        let lives = Lives::of(&history);
        lives.check(&models.iter().map(|model| model.id).collect())?;
        for model in models {
            for token in lives.check_model(&**store, contents, &owner, model)? {
                let known = self.models.get(&model.id);
                let is_asked_for = known.is_some_and(|known| known.edits.contains(&token));
                ensure!(is_asked_for, "nobody asked for the pair of {token} of {}", model.id);
                self.tally.pairs += 1;
            }
        }
        self.histories.insert(organisation, history);
        Ok(())
    }

    /// Returns the number of models that must exist and are not in a set of ids.
    pub fn lost_from(&self, present: &BTreeSet<ModelId>) -> usize {
        let must_be = self.models.iter().filter(|(_, known)| known.fate == Fate::Kept);
        must_be.filter(|(id, _)| !present.contains(id)).count()
    }
}

/// Returns the ids of all models in a store.
pub fn ids(store: &dyn ModelStore) -> Result<BTreeSet<ModelId>, BoxError> {
    let mut ids = BTreeSet::new();
    for member in MEMBERS {
        let listing = store.list(&member.organisation.parse()?, &everything())?;
        ids.extend(listing.models.iter().map(|model| model.id));
    }
    Ok(ids)
}

/// Returns all models of an organisation, and checks their order, their number against the counter, and its
/// limit.
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
