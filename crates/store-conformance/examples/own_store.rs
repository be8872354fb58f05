//! A whole durable store over one file, from the public contract alone. The documentation of
//! `custom_models_core::store` explains the contract; `tests/own_store.rs` runs the whole suite on this store.
//!
//! `cargo run -p custom-models-store-conformance --example own_store`
//!
//! The file is a log with a line for each committed group: a checksum, then the changes of rows as JSON. The core's
//! `Tables` judge, and a `MemoryStore` answers reads. It gets the changes of a group once the log is synced, so
//! that nobody sees a change that a power cut could take back.
//!
//! Left out: compaction (export, then import into a new file), `OpenMode` and migration.

use std::error::Error;
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use custom_models_core::access::{KeyDigest, KeyRecord, RateLimit, Window};
use custom_models_core::memory::{MemoryStore, RowChange, Tables};
use custom_models_core::model::{DataPair, EventPage};
use custom_models_core::store::*;
use custom_models_core::time::UnixMillis;
use custom_models_core::{Caller, CreateModel, CustomModel, Engine, ModelId, Organisation, Plan};
use custom_models_group_commit::{Answers, Committer, GroupCommit, Unanswered};

type Result<T> = std::result::Result<T, StoreError>;

/// The store: a queue of writes, and what readers see.
pub(crate) struct FileStore {
    queue: GroupCommit<Log>,
    shown: MemoryStore,
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
        let shown = MemoryStore::from(draft.clone());
        let mut log = Log { file, length, draft, shown: shown.clone(), is_broken: false };
        if length == 0 {
            log.start()?;
        }
        let queue = GroupCommit::start("own-store", log).map_err(failed)?;
        Ok(FileStore { queue, shown })
    }
}

/// The log, and all that the thread needs that commits a group.
struct Log {
    file: File,
    /// The length of the file up to the last committed group.
    length: u64,
    draft: Tables,
    shown: MemoryStore,
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
        self.draft = Tables::with_identity(StoreIdentity::from_bytes(identity));
        self.append()
    }

    /// Appends the changes of the draft and syncs them, then shows them to readers.
    fn append(&mut self) -> Result<()> {
        let changes = self.draft.take_changes();
        if changes.is_empty() {
            return Ok(());
        }
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
        self.shown.replay(changes);
        Ok(())
    }
}

impl Committer for Log {
    type Job = Job;
    type Answer = JobOutcome;
    type Error = StoreError;

    /// Judges each job by the draft that the jobs before it leave. A job that fails has changed nothing.
    fn commit(&mut self, jobs: &[Job]) -> Result<Answers<Self>> {
        if self.is_broken {
            return Err(StoreErrorKind::Failed.into());
        }
        let answers = jobs.iter().map(|job| self.draft.judge(job)).collect();
        // Refusals wait for the sync too: they may rest on a change of the same group.
        if let Err(error) = self.append() {
            self.draft = Tables::clone(&self.shown.tables());
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

/// Returns the tables of a log, and the length of its whole lines.
fn replay(bytes: &[u8]) -> Result<(Tables, u64)> {
    let mut tables = Tables::default();
    if FIRST_LINE.starts_with(bytes) {
        // A new file, or one whose process died before it was a store.
        return Ok((tables, 0));
    }
    let mut rest = bytes.strip_prefix(FIRST_LINE).ok_or(StoreErrorKind::NotOurs)?;
    while let Some((json, after)) = whole_line(rest) {
        let changes: Vec<RowChange> = serde_json::from_str(json)
            .map_err(|cause| StoreError::new(StoreErrorKind::Damaged, cause))?;
        changes.into_iter().for_each(|change| tables.replay(change));
        rest = after;
    }
    // Only the last line can be half written. A whole line behind it means damage, which nothing may hide.
    let mut later = rest.split(|byte| *byte == b'\n').skip(1).map(|line| [line, b"\n"].concat());
    if later.any(|line| whole_line(&line).is_some()) {
        return Err(StoreErrorKind::Damaged.into());
    }
    Ok((tables, (bytes.len() - rest.len()) as u64))
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
        self.shown.get(of, id)
    }

    fn list(&self, of: &Organisation, selection: &Selection) -> Result<Listing> {
        self.shown.list(of, selection)
    }

    fn events(&self, of: &Organisation, after: u64, limit: u32) -> Result<EventPage> {
        self.shown.events(of, after, limit)
    }

    fn claimable(
        &self,
        of: Option<&Organisation>,
        at: UnixMillis,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>> {
        self.shown.claimable(of, at, limit)
    }

    fn data(
        &self,
        of: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>> {
        self.shown.data(of, model, after, limit)
    }

    fn idempotency_record(
        &self,
        of: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>> {
        self.shown.idempotency_record(of, key)
    }

    fn purge(&self, purge: Purge) -> Result<Purged> {
        self.queue.apply(Job::Purge(purge))?.purged()
    }

    /// Commits what is queued. The writer then drops the file, and its lock with it.
    fn close(&self) -> Result<()> {
        self.queue.close();
        self.shown.close()
    }
}

impl AccessStore for FileStore {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        self.queue.submit(Job::Access(change), |it| done(it.and_then(JobOutcome::access)));
    }

    fn registration(&self, of: &Organisation) -> Result<Option<Registration>> {
        self.shown.registration(of)
    }

    fn registrations(&self) -> Result<Vec<Registration>> {
        self.shown.registrations()
    }

    fn key(&self, digest: &KeyDigest) -> Result<Option<Grant>> {
        self.shown.key(digest)
    }

    fn keys(&self, of: &Organisation) -> Result<Vec<KeyRecord>> {
        self.shown.keys(of)
    }

    fn keeps_windows(&self) -> bool {
        true
    }

    fn window(&self, window: &Window, limit: RateLimit, now: UnixMillis) -> Result<WindowState> {
        self.shown.window(window, limit, now)
    }
}

impl ArchiveStore for FileStore {
    fn export(&self, each: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
        self.shown.export(each)
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64> {
        self.queue.apply(Job::Archive(change))?.archived()
    }

    fn summary(&self) -> Result<StoreSummary> {
        self.shown.summary()
    }

    /// Opening has read every line and compared its checksum.
    fn verify(&self) -> Result<Vec<String>> {
        self.shown.verify()
    }
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("models.log");
    let engine = Engine::new(Arc::new(FileStore::open(&path)?), SystemTime::now);
    let caller = Caller::new("acme".parse()?, Plan::gold());
    let request = CreateModel::from_json(br#"{"name":"Mine","language":"en"}"#)?;
    let model = engine.create(&caller, request)?;
    drop(engine);
    let found = FileStore::open(&path)?.get(caller.organisation(), model.id)?;
    writeln!(io::stdout(), "found again: {}", found == Some(model))?;
    Ok(())
}
