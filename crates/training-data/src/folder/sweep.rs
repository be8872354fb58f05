//! Files without a reference: finding them, and removing those that are old enough (PLACE-2, DATA-4).
//!
//! The data of a model is read once, not once per file. Organisations without changes since the last sweep
//! are skipped.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use custom_models_core::store::{ArchiveStore, Record, StoreError, StoreErrorKind, StoreSummary};
use custom_models_core::{ModelId, Organisation};

use super::mark::Mark;
use super::place::Entry;
use super::{Folder, FolderStanding};
use crate::content::{ContentSweep, KeptBack, Leftover};

/// The time after which everything is examined again, because other processes leave files too.
const RECHECK: Duration = Duration::from_secs(60 * 60);

/// The number of pairs to read at a time.
const PAGE: u32 = 1000;

/// The contents that a store refers to in the data of a model.
pub(super) struct References(HashSet<u128>);

impl References {
    pub(super) fn of(
        store: &dyn ArchiveStore,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Self, StoreError> {
        let (mut references, mut after) = (HashSet::new(), 0);
        loop {
            let pairs = store.data(organisation, model, after, PAGE)?;
            let names =
                pairs.iter().flat_map(|pair| [&pair.audio.content, &pair.transcript.content]);
            references.extend(names.filter_map(|name| number_of(name)));
            match pairs.last() {
                Some(last) if pairs.len() >= PAGE as usize => after = last.id.get(),
                _ => return Ok(References(references)),
            }
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        number_of(name).is_some_and(|number| self.0.contains(&number))
    }
}

/// Parses a name as the number that its hexadecimal digits show. A part has none.
fn number_of(name: &str) -> Option<u128> {
    u128::from_str_radix(name, 16).ok()
}

/// The state shared by the sweeps of this process.
#[derive(Debug, Default)]
pub(super) struct Looks(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The summary of the store when no file was left anywhere.
    all: Option<(StoreSummary, Instant)>,
    /// The last event of an organisation when none of its files were left.
    organisations: HashMap<Organisation, (u64, Instant)>,
}

impl Looks {
    /// Has an organisation examined again, because this process changes its files.
    pub(super) fn forget(&self, organisation: &Organisation) {
        self.with(|state| {
            state.all = None;
            state.organisations.remove(organisation);
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_settled(&self, summary: &StoreSummary) -> bool {
        self.with(|state| state.all.is_some_and(|(then, at)| then == *summary && is_recent(at)))
    }

    fn is_settled_of(&self, organisation: &Organisation, last_event: u64) -> bool {
        self.with(|state| {
            let look = state.organisations.get(organisation);
            look.is_some_and(|(then, at)| *then == last_event && is_recent(*at))
        })
    }
}

fn is_recent(at: Instant) -> bool {
    at.elapsed() < RECHECK
}

/// A file without a reference.
struct Found {
    name: String,
    bytes: u64,
    is_due: bool,
}

impl Folder {
    /// Returns the files without a reference, including recent ones and those that are being written.
    ///
    /// # Errors
    ///
    /// Errors of the store, and [`StoreErrorKind::Failed`].
    pub fn leftovers(&self, store: &dyn ArchiveStore) -> Result<Vec<Leftover>, StoreError> {
        let mut leftovers = Vec::new();
        for organisation in self.place.organisations()? {
            self.place.each_model(&organisation, &mut |model, entries| {
                for Found { name, bytes, is_due } in
                    self.found(store, &organisation, model, entries)?
                {
                    let is_due = is_due && !self.place.is_used(&organisation, model, &name)?;
                    let organisation = organisation.clone();
                    leftovers.push(Leftover { organisation, model, name, bytes, is_due });
                }
                Ok(true)
            })?;
        }
        Ok(leftovers)
    }

    /// Returns the number of files that the store refers to and that are not in the folder.
    ///
    /// # Errors
    ///
    /// The errors of [`Folder::leftovers`].
    pub fn missing(&self, store: &dyn ArchiveStore) -> Result<u64, StoreError> {
        let mut missing = 0;
        // The pairs of a model are consecutive.
        let mut of_model: Option<(Organisation, ModelId, HashSet<String>)> = None;
        store.export(&mut |record| {
            let Record::Data { organisation, model, pair } = record else { return Ok(()) };
            let there = match &mut of_model {
                Some((of, number, there)) if *of == organisation && *number == model => there,
                of_model => {
                    let entries = self.place.entries(&organisation, model)?;
                    let there = entries.into_iter().map(|entry| entry.name).collect();
                    &mut of_model.insert((organisation, model, there)).2
                }
            };
            for file in [&pair.audio, &pair.transcript] {
                missing += u64::from(!there.contains(&file.content));
            }
            Ok(())
        })?;
        Ok(missing)
    }

    /// Records the state of the store in the mark, as each sweep does, and gives the store a new lineage if
    /// it has advanced. An earlier copy of the store is recognised as a copy from then on. On a full disk the
    /// mark stays as it is.
    ///
    /// # Errors
    ///
    /// The errors of [`Folder::open`].
    pub fn record(&self, store: &dyn ArchiveStore) -> Result<(), StoreError> {
        self.standing_now(store).map(drop)
    }

    pub(super) fn swept(&self, store: &dyn ArchiveStore) -> Result<ContentSweep, StoreError> {
        self.ensure_writable()?;
        let mut swept = ContentSweep::default();
        let (standing, summary) = self.standing_now(store)?;
        match standing {
            FolderStanding::Owned => {
                swept.kept_back = self.is_newly_adopted().then_some(KeptBack::Adopted);
            }
            FolderStanding::New => return Ok(swept),
            FolderStanding::Unclaimed => swept.kept_back = Some(KeptBack::Unclaimed),
            FolderStanding::Behind => swept.kept_back = Some(KeptBack::Behind),
            FolderStanding::Copied => swept.kept_back = Some(KeptBack::Copied),
            FolderStanding::Vanished => return Err(self.unusable(standing)),
        }
        if swept.kept_back.is_some() || self.looks.is_settled(&summary) {
            return Ok(swept);
        }
        let mut is_settled = true;
        for organisation in self.place.organisations()? {
            let last_event = store.events(&organisation, u64::MAX, 1)?.last;
            if self.looks.is_settled_of(&organisation, last_event) {
                continue;
            }
            if self.sweep_organisation(store, &organisation, &mut swept)? {
                let look = (last_event, Instant::now());
                self.looks.with(|state| state.organisations.insert(organisation, look));
            } else {
                is_settled = false;
            }
        }
        if is_settled {
            self.looks.with(|state| state.all = Some((summary, Instant::now())));
        }
        Ok(swept)
    }

    /// Determines the standing again, and records the state of the store if the mark does not have it.
    fn standing_now(
        &self,
        store: &dyn ArchiveStore,
    ) -> Result<(FolderStanding, StoreSummary), StoreError> {
        // Read before the mark, which another thread may be creating.
        let standing = self.standing();
        Mark::finish_adoption(&*self.place, store)?;
        let (mark, summary) = Mark::look(&*self.place, store)?;
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = summary;
        let Some(mark) = mark else {
            // The folder existed when this process opened it, and does not exist any more.
            let standing = match standing {
                FolderStanding::New | FolderStanding::Unclaimed => standing,
                _ => FolderStanding::Vanished,
            };
            return Ok((standing, summary));
        };
        let standing = FolderStanding::by_mark(&mark, &summary, self.root())?;
        if mark.is_copied || mark.is_behind || mark.is_of(&summary) {
            return Ok((standing, summary));
        }
        match Mark::record(&*self.place, store) {
            // The sweep makes room, so that the next one can record it.
            Err(fault) if fault.kind() == StoreErrorKind::Full => Ok((standing, summary)),
            recorded => recorded?.ok_or_else(|| self.unusable(FolderStanding::Vanished)),
        }
    }

    /// Returns true if no file is left to be removed later.
    fn sweep_organisation(
        &self,
        store: &dyn ArchiveStore,
        organisation: &Organisation,
        swept: &mut ContentSweep,
    ) -> Result<bool, StoreError> {
        let mut is_settled = self.sweep_uploads(organisation, swept)?;
        self.place.each_model(organisation, &mut |model, entries| {
            let found = self.found(store, organisation, model, entries)?;
            let count = found.len();
            let mut due = Vec::new();
            for found in found.into_iter().filter(|found| found.is_due) {
                if !self.place.is_used(organisation, model, &found.name)? {
                    due.push((found.name, found.bytes));
                }
            }
            is_settled &= due.len() == count;
            if !due.is_empty() {
                // Their uploads have ended, so the store's references are final.
                let references = References::of(store, organisation, model)?;
                due.retain(|(name, _)| !references.has(name));
                let removed = self.place.remove(organisation, model, due, self.min_age)?;
                swept.files += removed.files;
                swept.bytes += removed.bytes;
                is_settled &= removed.used == 0;
            }
            self.place.tidy(organisation, Some(model));
            Ok(true)
        })?;
        self.place.tidy(organisation, None);
        Ok(is_settled)
    }

    /// Returns the entries of a model without a reference.
    fn found(
        &self,
        store: &dyn ArchiveStore,
        organisation: &Organisation,
        model: ModelId,
        entries: Vec<Entry>,
    ) -> Result<Vec<Found>, StoreError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let references = References::of(store, organisation, model)?;
        let mut found = Vec::new();
        for entry in entries.into_iter().filter(|entry| !references.has(&entry.name)) {
            let known = match entry.details {
                None => self.place.details(organisation, model, &entry.name)?,
                known => known,
            };
            let Some(details) = known else { continue };
            // A time in the future gives no age.
            let is_due = details.age.is_some_and(|age| age >= self.min_age);
            found.push(Found { name: entry.name, bytes: details.bytes, is_due });
        }
        Ok(found)
    }
}
