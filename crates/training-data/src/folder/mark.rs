//! The mark of a folder: the store that it belongs to, the progress of that store, and its lineage (PLACE-2).
//!
//! `custom-models.json` in the root of the folder. Names of organisations have no dot, so it conflicts with
//! none.

use std::io;
use std::path::Path;

use custom_models_core::store::{Lineage, StoreError, StoreErrorKind, StoreIdentity, StoreSummary};
use serde::{Deserialize, Serialize};

/// The name of the mark in the root of the folder.
pub(crate) const MARK: &str = "custom-models.json";

/// The name of the mark of an unfinished adoption.
pub(crate) const PREPARED: &str = "custom-models.json.adopted";

/// The most bytes of a mark.
pub(crate) const LONGEST: u64 = 4096;

/// The content of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(super) identity: StoreIdentity,
    /// The highest id and the highest number of events that the store was seen with.
    pub(super) last_id: u64,
    pub(super) events: u64,
    /// The lineage of the store, `None` until it is recorded.
    pub(super) lineage: Option<Lineage>,
    /// The lineages of which the store is getting one.
    pub(super) nexts: Nexts,
    /// True since a store was seen that is behind the mark, until the folder is adopted.
    pub(super) is_behind: bool,
    /// True if the mark was written in another folder, of which this one is a copy. Not stored.
    pub(super) is_copied: bool,
}

/// Lineages that a store is getting, the last drawn first. There are several if several processes give it one
/// at the same time and cannot lock each other out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nexts([Option<Lineage>; 8]);

impl Nexts {
    pub(super) const NONE: Self = Nexts([None; 8]);

    /// Adds another lineage. If there are too many, the first one drawn is dropped.
    pub(super) fn and(self, next: Lineage) -> Self {
        let mut all = [None; 8];
        let drawn = std::iter::once(Some(next)).chain(self.0);
        all.iter_mut().zip(drawn).for_each(|(place, next)| *place = next);
        Nexts(all)
    }

    /// Returns the last lineage alone, if no other process can be giving one.
    pub(super) fn last(self) -> Self {
        self.iter().next().map_or(Nexts::NONE, |next| Nexts::NONE.and(next))
    }

    fn iter(self) -> impl Iterator<Item = Lineage> {
        self.0.into_iter().flatten()
    }
}

/// The location of a mark, which identifies copies of it.
#[derive(Debug)]
pub(crate) struct Here<'a> {
    /// The inode of its folder on a disk.
    pub(crate) inode: Option<u64>,
    /// The name of its prefix in object storage.
    pub(crate) place: Option<&'a str>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Text {
    store: String,
    last_id: u64,
    events: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lineage: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_lineage: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    other_next_lineages: Vec<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    behind: bool,
    /// The inode of the folder that the mark was written in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inode: Option<u64>,
    /// The prefix of the objects that the mark was written under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<String>,
}

impl Mark {
    /// Creates the mark of a store in this state, without a lineage.
    pub(super) const fn of(summary: &StoreSummary) -> Self {
        let StoreSummary { identity, last_id, events, .. } = *summary;
        let (lineage, nexts, is_behind, is_copied) = (None, Nexts::NONE, false, false);
        Mark { identity, last_id, events, lineage, nexts, is_behind, is_copied }
    }

    /// Returns true if the store lacks something that the mark records, or is a copy with a lineage of its
    /// own.
    pub(super) fn is_ahead_of(&self, summary: &StoreSummary) -> bool {
        let is_known = self.lineage.is_none()
            || self
                .lineage
                .into_iter()
                .chain(self.nexts.iter())
                .any(|it| summary.lineage == Some(it));
        !is_known || summary.last_id < self.last_id || summary.events < self.events
    }

    /// Returns true if the mark records everything about a store in this state.
    pub(super) fn is_of(&self, summary: &StoreSummary) -> bool {
        let recorded = Mark { lineage: summary.lineage, ..Mark::of(summary) };
        self.lineage.is_some() && *self == recorded
    }

    /// Parses a mark, as stored under a path.
    pub(crate) fn parse(bytes: &[u8], here: &Here<'_>, path: &Path) -> Result<Self, StoreError> {
        let unreadable = |cause: String| {
            let cause = format!("the mark '{}' is damaged: {cause}", path.display());
            StoreError::new(StoreErrorKind::Damaged, cause)
        };
        let text: Text =
            serde_json::from_slice(bytes).map_err(|cause| unreadable(cause.to_string()))?;
        let identity = text.store.parse().map_err(|cause| unreadable(format!("{cause}")))?;
        let is_moved = text.inode.is_some() || text.place.is_some();
        let is_copied = is_moved && (text.inode, text.place.as_deref()) != (here.inode, here.place);
        let drawn = text.other_next_lineages.into_iter().rev().chain(text.next_lineage);
        let nexts = drawn.map(Lineage::new).fold(Nexts::NONE, Nexts::and);
        let (lineage, is_behind) = (text.lineage.map(Lineage::new), text.behind);
        let (last_id, events) = (text.last_id, text.events);
        Ok(Mark { identity, last_id, events, lineage, nexts, is_behind, is_copied })
    }

    /// Returns the text of a mark for a location.
    pub(crate) fn text(&self, here: &Here<'_>) -> io::Result<Vec<u8>> {
        let mut nexts = self.nexts.iter().map(Lineage::get);
        let text = Text {
            inode: here.inode,
            place: here.place.map(str::to_owned),
            store: self.identity.to_string(),
            last_id: self.last_id,
            events: self.events,
            lineage: self.lineage.map(Lineage::get),
            next_lineage: nexts.next(),
            other_next_lineages: nexts.collect(),
            behind: self.is_behind,
        };
        let mut text = serde_json::to_vec(&text)?;
        text.push(b'\n');
        Ok(text)
    }
}
