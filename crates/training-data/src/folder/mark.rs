//! The mark of a folder: which store it belongs to, how far that store had come, and its lineage (PLACE-2).
//!
//! `custom-models.json` in the root of the folder. No organisation has a name with a dot, so it is in no
//! organisation's way. It is written aside, synced and renamed, under the lock of `custom-models.lock`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use custom_models_core::{Lineage, StoreError, StoreErrorKind, StoreIdentity, StoreSummary};
use serde::{Deserialize, Serialize};

use super::files::{OwnerOnly, inode, make_in, sync_folder};

const MARK: &str = "custom-models.json";
const ASIDE: &str = "custom-models.json.part";
/// The mark of an adoption that has not come to its end.
const ADOPTED: &str = "custom-models.json.adopted";
const LOCK: &str = "custom-models.lock";

/// The longest mark that is read.
const LONGEST: u64 = 4096;

/// The content of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) identity: StoreIdentity,
    /// The highest id, and the number of events, that the store was ever seen with.
    pub(super) last_id: u64,
    pub(super) events: u64,
    /// The lineage of the store, `None` until it is recorded.
    pub(super) lineage: Option<Lineage>,
    /// The lineage that the store is getting.
    pub(super) next: Option<Lineage>,
    /// True since a store was seen that is behind, until the folder is adopted.
    pub(super) is_behind: bool,
    /// True if the mark was written in another folder, of which this is a copy. It is not written.
    pub(super) is_copied: bool,
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
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    behind: bool,
    /// The number on its disk of the folder that the mark was written in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inode: Option<u64>,
}

impl Mark {
    /// The mark of a store that is as far as it says, without a lineage.
    pub(super) const fn of(summary: &StoreSummary) -> Self {
        let StoreSummary { identity, last_id, events, .. } = *summary;
        let (lineage, next, is_behind, is_copied) = (None, None, false, false);
        Mark { identity, last_id, events, lineage, next, is_behind, is_copied }
    }

    /// True if the store has not seen all that the mark tells of it, or is a copy with a lineage of its own.
    pub(super) fn is_ahead_of(&self, summary: &StoreSummary) -> bool {
        let is_known = self.lineage.is_none()
            || [self.lineage, self.next]
                .into_iter()
                .flatten()
                .any(|it| summary.lineage == Some(it));
        !is_known || summary.last_id < self.last_id || summary.events < self.events
    }

    /// True if the mark says all of a store that there is to record.
    pub(super) fn is_of(&self, summary: &StoreSummary) -> bool {
        let recorded = Mark { lineage: summary.lineage, ..Mark::of(summary) };
        self.lineage.is_some() && *self == recorded
    }

    /// The mark of a folder, `None` if it has none or is not there.
    pub(super) fn read(root: &Path) -> Result<Option<Self>, StoreError> {
        Mark::read_named(root, MARK)
    }

    fn read_named(root: &Path, name: &str) -> Result<Option<Self>, StoreError> {
        let path = root.join(name);
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes)) {
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(None);
            }
            read => read.map_err(super::fault)?,
        };
        let unreadable = |cause: String| {
            let cause = format!("the mark '{}' is damaged: {cause}", path.display());
            StoreError::new(StoreErrorKind::Damaged, cause)
        };
        let text: Text =
            serde_json::from_slice(&bytes).map_err(|cause| unreadable(cause.to_string()))?;
        let identity = text.store.parse().map_err(|cause| unreadable(format!("{cause}")))?;
        let Text { last_id, events, lineage, next_lineage, behind: is_behind, .. } = text;
        let [lineage, next] = [lineage, next_lineage].map(|it| it.map(Lineage::new));
        let is_copied = text.inode.is_some() && text.inode != inode(root).map_err(super::fault)?;
        Ok(Some(Mark { identity, last_id, events, lineage, next, is_behind, is_copied }))
    }

    /// Puts the mark in the place of the one that is there, durably.
    pub(super) fn write(&self, root: &Path, _lock: &MarkLock) -> Result<(), StoreError> {
        self.write_named(root, ASIDE).and_then(|()| put(root, ASIDE)).map_err(super::fault)
    }

    fn write_named(&self, root: &Path, name: &str) -> io::Result<()> {
        let text = Text {
            inode: inode(root)?,
            store: self.identity.to_string(),
            last_id: self.last_id,
            events: self.events,
            lineage: self.lineage.map(Lineage::get),
            next_lineage: self.next.map(Lineage::get),
            behind: self.is_behind,
        };
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).owner_only();
        let mut file = file.open(root.join(name))?;
        file.write_all(&serde_json::to_vec(&text)?)?;
        file.write_all(b"\n")?;
        file.sync_all()
    }
}

/// The mark of an adoption, which lies aside until the store has its new identity.
impl Mark {
    /// Writes the mark aside, durably, or leaves nothing.
    pub(super) fn prepare(&self, root: &Path, _lock: &MarkLock) -> Result<(), StoreError> {
        let written = self.write_named(root, ADOPTED).and_then(|()| sync_folder(root));
        written.map_err(|error| {
            Mark::drop_prepared(root);
            super::fault(error)
        })
    }

    /// The mark that lies aside, if there is one that can be read.
    pub(super) fn prepared(root: &Path) -> Option<Self> {
        Mark::read_named(root, ADOPTED).ok().flatten()
    }

    /// Puts the mark that lies aside in its place, durably.
    pub(super) fn put_prepared(root: &Path, _lock: &MarkLock) -> Result<(), StoreError> {
        put(root, ADOPTED).map_err(super::fault)
    }

    /// Removes the mark that lies aside. One that stays is that of no store.
    pub(super) fn drop_prepared(root: &Path) {
        let _ = fs::remove_file(root.join(ADOPTED));
    }
}

/// Puts a mark that was written aside in its place, durably.
fn put(root: &Path, name: &str) -> io::Result<()> {
    fs::rename(root.join(name), root.join(MARK))?;
    sync_folder(root)
}

/// The lock under which a mark is looked at and changed. Ends when it is dropped.
#[derive(Debug)]
pub(super) struct MarkLock(#[expect(dead_code, reason = "held, not read")] File);

impl MarkLock {
    /// Waits for the lock of a folder that is there.
    pub(super) fn take(root: &Path) -> Result<Self, StoreError> {
        let locked = || -> io::Result<MarkLock> {
            let mut options = OpenOptions::new();
            let file = options.write(true).create(true).truncate(false).owner_only();
            let file = file.open(root.join(LOCK))?;
            file.lock()?;
            Ok(MarkLock(file))
        };
        locked().map_err(super::fault)
    }

    /// Makes the folder if it is not there, and waits for its lock.
    pub(super) fn take_making(root: &Path) -> Result<Self, StoreError> {
        make_in(root.parent().unwrap_or(root), root).map_err(super::fault)?;
        MarkLock::take(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> Mark {
        let identity = StoreIdentity::from_bytes([7; 16]);
        let (lineage, next, is_behind, is_copied) = (None, None, false, false);
        Mark { identity, last_id: 3, events: u64::MAX, lineage, next, is_behind, is_copied }
    }

    #[test]
    fn place_2_a_mark_is_read_as_it_was_written() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(Mark::read(place.path()).unwrap(), None);
        assert_eq!(Mark::read(&place.path().join("no/such")).unwrap(), None);
        let lock = MarkLock::take(place.path()).unwrap();
        let [lineage, next] = [u64::MAX, 1].map(|number| Some(Lineage::new(number)));
        for mark in [
            mark(),
            Mark { is_behind: true, lineage, ..mark() },
            Mark { next, ..mark() },
            Mark { lineage, next, ..mark() },
        ] {
            mark.write(place.path(), &lock).unwrap();
            assert_eq!(Mark::read(place.path()).unwrap(), Some(mark));
        }
    }

    /// Values that another process of the store has written meanwhile are not taken back.
    #[test]
    fn place_2_a_mark_is_never_lowered_and_never_put_over_that_of_another_store() {
        let place = tempfile::tempdir().unwrap();
        let [lineage, next] = [7, 8].map(|number| Some(Lineage::new(number)));
        let there = Mark { last_id: 9, events: 5, lineage, next, is_behind: true, ..mark() };
        there.write(place.path(), &MarkLock::take(place.path()).unwrap()).unwrap();
        Mark { last_id: 8, events: 7, ..mark() }.put(place.path()).unwrap();
        let expected = Mark { events: 7, ..there };
        assert_eq!(Mark::read(place.path()).unwrap(), Some(expected));
        let other = Mark { identity: StoreIdentity::from_bytes([8; 16]), ..mark() };
        let refused = other.put(place.path()).unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::ForeignData);
        assert_eq!(Mark::read(place.path()).unwrap(), Some(expected));
    }

    #[test]
    fn place_2_a_mark_that_is_none_is_said_and_not_taken_for_a_missing_one() {
        let place = tempfile::tempdir().unwrap();
        for text in ["", "{", "{}", r#"{"store":"x","last_id":1,"events":1}"#] {
            fs::write(place.path().join(MARK), text).unwrap();
            let error = Mark::read(place.path()).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Damaged, "{text}");
        }
    }
}
