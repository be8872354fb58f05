//! A whole durable store over one file, from the public contract alone. The documentation of
//! `custom_models_core::store` explains the contract; `tests/own_store.rs` runs the whole suite on this store.
//!
//! `cargo run -p custom-models-store-conformance --example own_store`
//!
//! The file is a log with a line for each committed group: a checksum, then the changed rows as JSON. The rows
//! are in memory twice: in a draft, by which the committing thread judges, and in the table that readers see.
//! That table gets the changes of a group once the log is synced, so that nobody sees a change that a power cut
//! could take back.
//!
//! Left out: compaction (export, then import into a new file), `OpenMode` and migration, search by time among
//! the admissions of a window.

mod judge;
mod table;

use std::error::Error;
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::SystemTime;

use custom_models_core::access::{KeyDigest, KeyRecord, RateLimit, Window};
use custom_models_core::model::{DataPair, EventPage};
use custom_models_core::store::*;
use custom_models_core::time::UnixMillis;
use custom_models_core::{Caller, CreateModel, CustomModel, Engine, ModelId, Organisation, Plan};
use custom_models_group_commit::{Answers, Committer, GroupCommit, Unanswered};

use self::judge::Windows;
use self::table::{Row, Table};

type Result<T> = std::result::Result<T, StoreError>;

/// The store: a queue of writes, and the table that readers see.
pub(crate) struct FileStore {
    queue: GroupCommit<Log>,
    shown: Arc<RwLock<Arc<Table>>>,
    is_closed: AtomicBool,
}

impl FileStore {
    /// Opens the store in a file, or creates it. Of two openings at a time the second one fails with
    /// [`StoreErrorKind::Locked`], in whichever process it is.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut options = File::options();
        let mut file = options.read(true).append(true).create(true).open(path).map_err(failed)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreErrorKind::Locked.into(),
            TryLockError::Error(cause) => failed(cause),
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let (draft, length) = replay(&bytes)?;
        // Cuts off the line that was half written when the process died, and syncs the last whole one: it may
        // have died before the sync, and readers must see nothing that a power cut could take back.
        file.set_len(length).and_then(|()| file.sync_all()).map_err(failed)?;
        // The name of a new file is durable once its folder is synced.
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = File::open(folder.unwrap_or(Path::new("."))).map_err(failed)?;
        folder.sync_all().map_err(failed)?;
        let is_new = draft.is_new();
        let shown = Arc::new(RwLock::new(Arc::new(draft.clone())));
        let mut log = Log { file, length, draft, shown: Arc::clone(&shown), is_broken: false };
        if is_new {
            log.start()?;
        }
        let queue = GroupCommit::start("own-store", log).map_err(failed)?;
        Ok(FileStore { queue, shown, is_closed: AtomicBool::new(false) })
    }

    /// Returns the table, for a short read: the writer waits for it before it shows the next group.
    fn table(&self) -> Result<RwLockReadGuard<'_, Arc<Table>>> {
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(StoreErrorKind::Closed.into());
        }
        Ok(self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The log, and all that the thread needs that commits a group.
struct Log {
    file: File,
    /// The length of the file up to the last committed group.
    length: u64,
    draft: Table,
    shown: Arc<RwLock<Arc<Table>>>,
    /// A sync has failed: nobody knows what is on the disk until the file is opened anew.
    is_broken: bool,
}

impl Log {
    /// Writes the beginning of a new store.
    fn start(&mut self) -> Result<()> {
        let mut identity = [0; 16];
        getrandom::fill(&mut identity).map_err(io::Error::from).map_err(failed)?;
        self.file.set_len(0).and_then(|()| self.file.write_all(FIRST_LINE)).map_err(failed)?;
        self.length = FIRST_LINE.len() as u64;
        self.draft.begin(identity);
        self.append()
    }

    /// Appends the changes of the draft and syncs them, then shows them to readers.
    fn append(&mut self) -> Result<()> {
        if self.draft.changes.is_empty() {
            return Ok(());
        }
        let changes: Vec<_> =
            self.draft.changes.iter().map(|(key, row)| (key, row.as_deref())).collect();
        let json = serde_json::to_string(&changes).map_err(io::Error::from).map_err(failed)?;
        let line = format!("{} {json}\n", checksum(&json));
        if let Err(cause) = self.file.write_all(line.as_bytes()) {
            // Part of a line may be in the file. It must not stay before the next one.
            self.is_broken = self.file.set_len(self.length).is_err();
            return Err(failed(cause));
        }
        if let Err(cause) = self.file.sync_data() {
            self.is_broken = true;
            return Err(StoreError::new(StoreErrorKind::OutcomeUnknown, cause));
        }
        self.length += line.len() as u64;
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        // Copies the table only while an export reads it.
        let table = Arc::make_mut(&mut shown);
        self.draft.changes.drain(..).for_each(|(key, row)| table.change(key, row));
        Ok(())
    }
}

impl Committer for Log {
    type Job = Job;
    type Answer = JobOutcome;
    type Error = StoreError;

    /// Judges each job by the draft that the jobs before it leave. A job that fails has changed nothing: `apply`
    /// judges before it writes, and no write of a `Table` fails.
    fn commit(&mut self, jobs: &[Job]) -> Result<Answers<Self>> {
        if self.is_broken {
            return Err(StoreErrorKind::Failed.into());
        }
        let answers = jobs.iter().map(|job| self.draft.judge(job)).collect();
        // Refusals wait for the sync too: they may rest on a change of the same group.
        if let Err(error) = self.append() {
            let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
            self.draft = Table::clone(&shown);
            return Err(error);
        }
        Ok(answers)
    }

    fn unanswered(why: Unanswered) -> StoreError {
        match why {
            Unanswered::Busy => StoreErrorKind::Busy.into(),
            Unanswered::Closed => StoreErrorKind::Closed.into(),
            Unanswered::Unknown => StoreErrorKind::OutcomeUnknown.into(),
        }
    }
}

/// By its first line a file is known as a store, and its format as this one.
const FIRST_LINE: &[u8] = b"custom models in a log of one file, format 1\n";

/// Returns the rows of a log, and the length of its whole lines.
fn replay(bytes: &[u8]) -> Result<(Table, u64)> {
    let mut table = Table::default();
    if FIRST_LINE.starts_with(bytes) {
        // A new file, or one whose process died before it was a store.
        return Ok((table, 0));
    }
    let mut rest = bytes.strip_prefix(FIRST_LINE).ok_or(StoreErrorKind::NotOurs)?;
    while let Some((json, after)) = whole_line(rest) {
        let changes: Vec<(String, Option<Row>)> = serde_json::from_str(json)
            .map_err(|cause| StoreError::new(StoreErrorKind::Damaged, cause))?;
        changes.into_iter().for_each(|(key, row)| table.change(key, row.map(Arc::new)));
        rest = after;
    }
    // Only the last line can be half written. A whole line behind it means damage, which nothing may hide.
    let mut later = rest.split(|byte| *byte == b'\n').skip(1).map(|line| [line, b"\n"].concat());
    if later.any(|line| whole_line(&line).is_some()) {
        return Err(StoreErrorKind::Damaged.into());
    }
    Ok((table, (bytes.len() - rest.len()) as u64))
}

/// Returns the first line without its checksum, and the bytes after it, if the line is as it was written.
fn whole_line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (sum, json) = str::from_utf8(bytes.get(..end)?).ok()?.split_once(' ')?;
    (sum == checksum(json)).then_some((json, bytes.get(end + 1..)?))
}

fn checksum(json: &str) -> String {
    format!("{:08x}", crc32fast::hash(json.as_bytes()))
}

fn failed(cause: io::Error) -> StoreError {
    let kind = match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreErrorKind::Full,
        ErrorKind::NotFound | ErrorKind::PermissionDenied => StoreErrorKind::Unavailable,
        _ => StoreErrorKind::Failed,
    };
    StoreError::new(kind, cause)
}

impl ModelStore for FileStore {
    fn submit(&self, write: Write, done: Completion) {
        // The queue calls `done` after the commit, on its own thread; a full or closed queue calls it here.
        self.queue.submit(Job::Model(write), |it| done(it.and_then(JobOutcome::model)));
    }

    fn get(&self, of: &Organisation, id: ModelId) -> Result<Option<CustomModel>> {
        Ok(self.table()?.find_model(of, id))
    }

    fn list(&self, of: &Organisation, selection: &Selection) -> Result<Listing> {
        let table = self.table()?;
        let Selection { filter, after, skip, limit } = selection;
        let matches = |model: &CustomModel| filter.matches(model);
        let total = if filter.is_empty() {
            table.counts(of).0.models
        } else {
            table.models(of, 0).filter(matches).count() as u64
        };
        let models = table.models(of, after.map_or(0, |id| id.get() + 1)).filter(matches);
        let models = models.skip(size(*skip)).take(size(u64::from(*limit))).collect();
        Ok(Listing { models, total })
    }

    fn events(&self, of: &Organisation, after: u64, limit: u32) -> Result<EventPage> {
        let table = self.table()?;
        let (counters, first) = table.counts(of);
        let events = table.events(of, after.saturating_add(1)).take(size(u64::from(limit)));
        Ok(EventPage { events: events.collect(), last: counters.events, first })
    }

    fn claimable(
        &self,
        of: Option<&Organisation>,
        at: UnixMillis,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>> {
        let table = self.table()?;
        let found = table.claimable(at).filter(|(owner, _)| of.is_none_or(|of| of == owner));
        Ok(found.take(size(u64::from(limit))).collect())
    }

    fn data(
        &self,
        of: &Organisation,
        id: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>> {
        let table = self.table()?;
        Ok(table.pairs(of, id, u64::from(after) + 1).take(size(u64::from(limit))).collect())
    }

    fn idempotency_record(
        &self,
        of: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>> {
        Ok(self.table()?.find_answer(of, key))
    }

    fn purge(&self, purge: Purge) -> Result<Purged> {
        self.queue.apply(Job::Purge(purge))?.purged()
    }

    /// Commits what is queued. The writer then drops the file, and its lock with it.
    fn close(&self) -> Result<()> {
        self.queue.close();
        self.is_closed.store(true, Ordering::SeqCst);
        Ok(())
    }
}

impl AccessStore for FileStore {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        self.queue.submit(Job::Access(change), |it| done(it.and_then(JobOutcome::access)));
    }

    fn registration(&self, of: &Organisation) -> Result<Option<Registration>> {
        Ok(self.table()?.find_registration(of))
    }

    fn registrations(&self) -> Result<Vec<Registration>> {
        Ok(self.table()?.registrations().collect())
    }

    fn key(&self, digest: &KeyDigest) -> Result<Option<Grant>> {
        Ok(self.table()?.grant(digest))
    }

    fn keys(&self, of: &Organisation) -> Result<Vec<KeyRecord>> {
        Ok(self.table()?.keys(of).collect())
    }

    fn keeps_windows(&self) -> bool {
        true
    }

    fn window(&self, window: &Window, limit: RateLimit, now: UnixMillis) -> Result<WindowState> {
        window_state(&mut Windows(&**self.table()?), window, limit, now)
    }
}

impl ArchiveStore for FileStore {
    fn export(&self, each: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
        // The one read that takes long: it keeps a view of its own, and lets go of the lock.
        let table = Arc::clone(&*self.table()?);
        table.export().try_for_each(each)
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64> {
        self.queue.apply(Job::Archive(change))?.archived()
    }

    fn summary(&self) -> Result<StoreSummary> {
        self.table()?.summary()
    }

    /// Opening has read every line and compared its checksum.
    fn verify(&self) -> Result<Vec<String>> {
        self.table().map(|_| Vec::new())
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("models.log");
    let engine = Engine::new(Arc::new(FileStore::open(&path)?), SystemTime::now);
    let caller = Caller::new("acme".parse()?, Plan::gold());
    let model =
        engine.create(&caller, CreateModel::from_json(br#"{"name":"Mine","language":"en"}"#)?)?;
    drop(engine);
    let found = FileStore::open(&path)?.get(caller.organisation(), model.id)?;
    writeln!(
        io::stdout(),
        "{} is found again: {}",
        model.model_key(),
        found == Some(model.clone())
    )?;
    Ok(())
}
