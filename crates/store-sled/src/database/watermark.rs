//! The watermark: a small file beside sled's log that records the least that the database must
//! have.
//!
//! Sled cannot distinguish damage at the end of its log from a crash. So after the sync of a group
//! its number is written to this file, in the background, at most [`WRITE_INTERVAL`] later. The
//! file never claims more than is durable, so it is synced only when the store is closed.
//!
//! The file is created under the name [`STAGED`], and renamed once it is complete and synced. From
//! then on it is written in place. It has two slots, [`SLOT_DISTANCE`] bytes apart, written
//! alternately, so an interrupted write leaves the other slot intact. A slot, numbers big-endian:
//! [`MAGIC`], its sequence number (8 bytes), the identity of the store (16), then 8 bytes each for
//! the generation, the last id, models, events, and the end of the log, which is 0 while the store
//! is open; last a CRC-32 of all that.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use custom_models_core::store::{StoreError, StoreErrorKind, StoreIdentity};

use crate::database::files::{set_private_mode, sync_names};
use crate::rows::totals::Totals;

/// The name of the file.
pub(crate) const WATERMARK: &str = "custom-models-watermark";

/// The name of the file while it is created.
const STAGED: &str = "custom-models-watermark.new";

/// The shortest time between two writes of the file.
const WRITE_INTERVAL: Duration = Duration::from_millis(500);

const MAGIC: &[u8; 8] = b"cm-water";

const SLOT_DISTANCE: u64 = 4096;

const LENGTH: usize = 76;

/// The identity and the totals of a database. In the watermark they are the least that it must
/// have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) identity: StoreIdentity,
    pub(crate) totals: Totals,
    pub(crate) last_id: u64,
    /// The end of sled's log when the store was closed; 0 if it was not closed.
    pub(crate) log_end: u64,
}

/// The watermark of a folder, as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Nothing,
    /// Neither slot is intact.
    Damaged,
    Mark {
        mark: Mark,
        sequence: u64,
        /// True if both slots are intact.
        is_whole: bool,
    },
}

impl Mark {
    /// Compares the watermark with the mark of a database. Refuses a database that has lost groups.
    pub(crate) fn check(&self, found: &Mark) -> Result<(), StoreError> {
        if self.identity != found.identity {
            let cause = format!(
                "`{WATERMARK}` belongs to another store than the database: {} and {}",
                self.identity, found.identity
            );
            return Err(StoreError::new(StoreErrorKind::Damaged, cause));
        }
        let (seen, there) = (self.totals, found.totals);
        let is_behind = there.generation < seen.generation
            || found.last_id < self.last_id
            || there.events < seen.events
            || (there.generation == seen.generation && there.models != seen.models);
        if !is_behind {
            return Ok(());
        }
        let cause =
            format!("the database has lost something: it shows {found}, but had {self}; {ADVICE}");
        Err(StoreError::new(StoreErrorKind::Damaged, cause))
    }

    fn to_bytes(self, sequence: u64) -> Vec<u8> {
        let Totals { generation, models, events } = self.totals;
        let numbers = [generation, self.last_id, models, events, self.log_end];
        let numbers = numbers.map(u64::to_be_bytes).concat();
        let mut bytes =
            [MAGIC, &sequence.to_be_bytes(), &self.identity.as_bytes()[..], &numbers].concat();
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<(u64, Self)> {
        let (text, checksum) = bytes.split_last_chunk()?;
        if crc32fast::hash(text) != u32::from_be_bytes(*checksum) {
            return None;
        }
        let (sequence, text) = text.strip_prefix(MAGIC)?.split_first_chunk()?;
        let (identity, numbers) = text.split_first_chunk()?;
        let (numbers, rest) = numbers.as_chunks::<8>();
        let [generation, last_id, models, events, log_end] =
            <[[u8; 8]; 5]>::try_from(numbers).ok()?.map(u64::from_be_bytes);
        let totals = Totals { generation, models, events };
        let identity = StoreIdentity::from_bytes(*identity);
        let mark = Mark { identity, totals, last_id, log_end };
        rest.is_empty().then_some((u64::from_be_bytes(*sequence), mark))
    }
}

/// The advice in the error of a refused store.
pub(crate) const ADVICE: &str = "nothing was overwritten: restore a copy of the folder, or remove the file \
     `custom-models-watermark` from it to go on with what can be read";

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Totals { generation, models, events } = self.totals;
        let last_id = self.last_id;
        write!(f, "{generation} groups, {models} models, {events} events and the last id {last_id}")
    }
}

/// Reads the watermark of a folder.
pub(crate) fn find(folder: &Path) -> io::Result<Stored> {
    let mut file = match File::open(folder.join(WATERMARK)) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Stored::Nothing),
        opened => opened?,
    };
    let mut slots = Vec::new();
    for slot in [0, SLOT_DISTANCE] {
        file.seek(SeekFrom::Start(slot))?;
        let mut bytes = Vec::with_capacity(LENGTH);
        (&file).take(LENGTH as u64).read_to_end(&mut bytes)?;
        slots.extend(Mark::from_bytes(&bytes));
    }
    let is_whole = slots.len() == 2;
    let newest = slots.into_iter().max_by_key(|(sequence, _)| *sequence);
    Ok(newest.map_or(Stored::Damaged, |(sequence, mark)| Stored::Mark { mark, sequence, is_whole }))
}

/// Creates the file of a folder, durably, and returns it with its sequence number. It gets its name
/// last, since an incomplete file would be taken for a damaged one.
fn make(folder: &Path, mark: Mark) -> io::Result<(File, u64)> {
    let aside = folder.join(STAGED);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    set_private_mode(&mut options);
    let file = options.open(&aside)?;
    let mut state = State { file, sequence: 0, mark, is_written: false, is_stopped: false };
    state.write()?;
    state.write()?;
    state.file.sync_all()?;
    fs::rename(aside, folder.join(WATERMARK))?;
    sync_names(folder)?;
    Ok((state.file, state.sequence))
}

/// The watermark of an open store.
pub(crate) struct Watermark {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    file: File,
    sequence: u64,
    mark: Mark,
    is_written: bool,
    is_stopped: bool,
}

impl Watermark {
    /// Opens the file of a folder, or creates it. `mark` must be durable in the database.
    pub(crate) fn start(folder: &Path, mark: Mark) -> Result<Self, StoreError> {
        Watermark::open(folder, mark).map_err(crate::error::io_error)
    }

    fn open(folder: &Path, mark: Mark) -> io::Result<Self> {
        let (file, sequence) = match find(folder)? {
            Stored::Mark { sequence, .. } => {
                (OpenOptions::new().write(true).open(folder.join(WATERMARK))?, sequence)
            }
            Stored::Nothing | Stored::Damaged => make(folder, mark)?,
        };
        let state = State { file, sequence, mark, is_written: false, is_stopped: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let writing = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("sled-watermark".to_owned())
            .spawn(move || writing.write_all())?;
        Ok(Watermark { shared, thread: Some(thread) })
    }

    /// The newest mark, written or not.
    pub(crate) fn mark(&self) -> Mark {
        self.shared.lock().mark
    }

    /// Raises the mark after a group became durable. Does not wait for the file.
    pub(crate) fn raise(&self, totals: Totals, last_id: Option<u64>) {
        let mut state = self.shared.lock();
        state.mark.totals = totals;
        state.mark.last_id = last_id.map_or(state.mark.last_id, |id| id.max(state.mark.last_id));
        state.mark.log_end = 0;
        state.is_written = false;
        drop(state);
        self.shared.changed.notify_one();
    }

    /// Writes the last mark to both slots, with the end of the log if it is known, and syncs the
    /// file.
    pub(crate) fn finish(&mut self, log_end: Option<u64>) {
        self.stop();
        let mut state = self.shared.lock();
        state.mark.log_end = log_end.unwrap_or(0);
        // After a failure the file claims less than it could, and nothing wrong.
        let _ = state.write().and_then(|()| state.write()).and_then(|()| state.file.sync_all());
    }

    fn stop(&mut self) {
        self.shared.lock().is_stopped = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Watermark {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes marks as they come, with a pause after each.
    fn write_all(&self) {
        let mut state = self.lock();
        while !state.is_stopped {
            if state.is_written {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            // A failed write is repeated with the next mark.
            let _ = state.write();
            state.is_written = true;
            let is_stopped = |state: &mut State| !state.is_stopped;
            let waited = self.changed.wait_timeout_while(state, WRITE_INTERVAL, is_stopped);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    /// Writes the mark to the older slot.
    fn write(&mut self) -> io::Result<()> {
        let sequence = self.sequence.saturating_add(1);
        self.file.seek(SeekFrom::Start(sequence % 2 * SLOT_DISTANCE))?;
        self.file.write_all(&self.mark.to_bytes(sequence))?;
        self.sequence = sequence;
        Ok(())
    }
}
