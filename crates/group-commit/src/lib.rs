//! Group commit for stores that serialise their writes.
//!
//! Writes are submitted with a completion and queue up. One thread takes whatever is in the queue,
//! has it committed as one transaction with one sync, and answers every write of the group; what
//! queued up meanwhile is the next group. A caller that blocks anyhow, and finds nothing at work,
//! commits its write on its own thread and saves two hand-offs, which cost about as much as a sync
//! of a fast disk does.
//!
//! A lone write waits for nothing. After a group of several the thread gives those whom it answered
//! a moment to come back, a fraction of what their commit took: without it the first of them would
//! be a group of its own, and all others would wait for two syncs.
//!
//! An adapter brings a [`Committer`]; [`GroupCommit`] brings the queue, its bound, the thread, the
//! order of answers and an orderly end.
#![forbid(unsafe_code)]

mod measure;
mod queue;

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use custom_models_core::{
    AccessChange, AccessOutcome, ArchiveChange, Completion, Outcome, Purge, Purged, StoreError,
    StoreErrorKind, Write,
};

use crate::queue::{Done, Group, Queue, Rest};

/// Makes groups of writes durable, one group at a time.
pub trait Committer: Send + 'static {
    /// Judges the writes in their order, each on the state that those before it leave, and makes
    /// those that are not refused durable together.
    ///
    /// Returns one answer a write, in order, once all of them hold even after a power cut. A
    /// refused write leaves no trace. `Err` speaks for every write of the group: none was made, or,
    /// with [`StoreErrorKind::OutcomeUnknown`], all of them were or none. After an error the next
    /// call begins from what is really stored.
    fn commit(&mut self, jobs: &[Job]) -> Result<Answers, StoreError>;
}

/// A write of any kind. All are in one queue, so that they share a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// Changes models.
    Model(Write),
    /// Changes who may use them, or how often.
    Access(AccessChange),
    /// Forgets what is old.
    Purge(Purge),
    /// Puts records, or erases those of an organisation.
    Archive(ArchiveChange),
}

/// What became of a [`Job`], of the same kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "the largest is the most frequent")]
pub enum Judged {
    /// A [`Job::Model`].
    Model(Outcome),
    /// A [`Job::Access`].
    Access(AccessOutcome),
    /// A [`Job::Purge`].
    Purged(Purged),
    /// A [`Job::Archive`]: how many records were put or erased.
    Archived(u64),
}

/// One answer a write, in the order of the writes. One of the wrong kind is none.
pub type Answers = Vec<Result<Judged, StoreError>>;

/// How many writes may wait for the next group; one more is [`StoreErrorKind::Busy`].
///
/// At 64 callers a group has about as many writes; the bound keeps a stalled disk from filling
/// memory with requests that nobody waits for any more (their texts are at most 4800 bytes each).
pub const QUEUE_LIMIT: usize = 4096;

/// A queue of writes and the thread that commits it in groups.
///
/// Dropping it commits what is queued, as [`GroupCommit::close`] does.
pub struct GroupCommit {
    queue: Arc<Queue>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl GroupCommit {
    /// Starts the thread, under a name that debuggers show.
    ///
    /// # Errors
    ///
    /// When the system starts no thread.
    pub fn start(thread_name: &str, committer: impl Committer) -> io::Result<Self> {
        measure::describe();
        let queue = Arc::new(Queue::new(Box::new(committer)));
        let writer_queue = Arc::clone(&queue);
        let writer = thread::Builder::new()
            .name(thread_name.to_owned())
            .spawn(move || write_groups(&writer_queue))?;
        Ok(GroupCommit { queue, writer: Mutex::new(Some(writer)) })
    }

    /// Puts a write into the next group. `done` is called once: from a thread that commits, when the
    /// group is committed, or at once when the queue is full or closed.
    pub fn submit(&self, write: Write, done: Completion) {
        self.push(Job::Model(write), Done::Model(done));
    }

    /// [`GroupCommit::submit`] for a change of access.
    pub fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        self.push(Job::Access(change), Done::Access(done));
    }

    /// Makes a write and returns its answer: on this thread if nothing is at work, with the next
    /// group if something is.
    ///
    /// # Errors
    ///
    /// What [`GroupCommit::submit`] answers.
    pub fn apply(&self, write: Write) -> Result<Outcome, StoreError> {
        match self.commit_here(Job::Model(write)) {
            Here::Answered(answer) => match answer? {
                Judged::Model(outcome) => Ok(outcome),
                _ => Err(StoreErrorKind::OutcomeUnknown.into()),
            },
            Here::Occupied(job) => wait(|done| self.push(job, Done::Model(done))),
        }
    }

    /// [`GroupCommit::apply`] for a change of access.
    ///
    /// # Errors
    ///
    /// What [`GroupCommit::submit_access`] answers.
    pub fn apply_access(&self, change: AccessChange) -> Result<AccessOutcome, StoreError> {
        match self.commit_here(Job::Access(change)) {
            Here::Answered(answer) => match answer? {
                Judged::Access(outcome) => Ok(outcome),
                _ => Err(StoreErrorKind::OutcomeUnknown.into()),
            },
            Here::Occupied(job) => wait(|done| self.push(job, Done::Access(done))),
        }
    }

    /// Forgets what is old, and returns when that is durable: on this thread if nothing is at work,
    /// with the next group if something is.
    ///
    /// # Errors
    ///
    /// What [`GroupCommit::submit`] answers.
    pub fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        match self.commit_here(Job::Purge(purge)) {
            Here::Answered(answer) => match answer? {
                Judged::Purged(purged) => Ok(purged),
                _ => Err(StoreErrorKind::OutcomeUnknown.into()),
            },
            Here::Occupied(job) => wait(|done| self.push(job, Done::Purge(done))),
        }
    }

    /// Puts records or erases them, and returns when that is durable: on this thread if nothing is at
    /// work, with the next group if something is.
    ///
    /// # Errors
    ///
    /// What [`GroupCommit::submit`] answers.
    pub fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        match self.commit_here(Job::Archive(change)) {
            Here::Answered(answer) => match answer? {
                Judged::Archived(count) => Ok(count),
                _ => Err(StoreErrorKind::OutcomeUnknown.into()),
            },
            Here::Occupied(job) => wait(|done| self.push(job, Done::Archive(done))),
        }
    }

    fn push(&self, job: Job, done: Done) {
        if let Err((done, refusal)) = self.queue.push(job, done) {
            done.call(Err(refusal.into()));
        }
    }

    /// Commits on this thread, if nothing is at work.
    fn commit_here(&self, job: Job) -> Here {
        let Some(mut committer) = self.queue.lend() else {
            return Here::Occupied(job);
        };
        let (answers, _) = commit(&mut *committer, slice::from_ref(&job));
        self.queue.give_back(committer, answers.is_none());
        // A committer that panicked has no answer, as one that forgot it.
        let answer = answers.and_then(|answers| answers.map(|mut it| it.pop()).transpose());
        let unknown = || Err(StoreErrorKind::OutcomeUnknown.into());
        Here::Answered(answer.unwrap_or_else(unknown).and_then(|answer| answer))
    }

    /// Takes no more writes, and waits until those that are queued are answered. Closing again only
    /// waits.
    pub fn close(&self) {
        self.queue.close();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // The last owner may be a completion, which runs on the writer's own thread: that one
        // finishes its queue by itself.
        let is_here = |handle: &JoinHandle<()>| handle.thread().id() == thread::current().id();
        if let Some(handle) = writer.take_if(|handle| !is_here(handle)) {
            // A writer that panicked has dropped its completions, which is their answer.
            let _ = handle.join();
        }
    }
}

/// What became of a job that was to be committed on its caller's thread.
enum Here {
    Answered(Result<Judged, StoreError>),
    /// Somebody is at work: the job is given back.
    Occupied(Job),
}

/// Sleeps until the answer is there.
fn wait<T: Send + 'static>(submit: impl FnOnce(Completion<T>)) -> Result<T, StoreError> {
    let (sender, answer) = mpsc::sync_channel(1);
    submit(Box::new(move |it| sender.send(it).unwrap_or_default()));
    answer.recv().unwrap_or_else(|_| Err(StoreErrorKind::OutcomeUnknown.into()))
}

impl fmt::Debug for GroupCommit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupCommit").finish_non_exhaustive()
    }
}

impl Drop for GroupCommit {
    fn drop(&mut self) {
        self.close();
    }
}

fn write_groups(queue: &Queue) {
    let mut group = Group::default();
    let mut rest = None;
    while let Some(mut committer) = queue.next_group(&mut group, rest.take()) {
        let (answers, took) = commit(&mut *committer, &group.jobs);
        let answered = group.jobs.len();
        group.jobs.clear();
        match answers {
            Some(answers) => answer(answers, group.completions.drain(..)),
            None => {
                // Dropped unanswered, a completion says that the outcome is unknown.
                group.completions.clear();
                return queue.give_back(committer, true);
            }
        }
        rest = Some(Rest { committer, answered, took });
    }
}

/// Commits, and says how long it took; `None` if the committer panicked, after which nobody knows what
/// it does next.
fn commit(
    committer: &mut dyn Committer,
    jobs: &[Job],
) -> (Option<Result<Answers, StoreError>>, Duration) {
    let begun = Instant::now();
    // What it panicked with was printed by the panic hook; nobody here has a use for it.
    let answers = catch_unwind(AssertUnwindSafe(|| committer.commit(jobs))).ok();
    let took = begun.elapsed();
    // A recorder is a host's code, and the committer has to come back from here.
    let _ = catch_unwind(|| measure::group(jobs.len(), took));
    (answers, took)
}

fn answer(answers: Result<Answers, StoreError>, completions: impl Iterator<Item = Done>) {
    match answers {
        Ok(answers) => {
            // A completion without an answer is dropped, and its caller hears that the outcome is
            // unknown.
            completions.zip(answers).for_each(|(done, answer)| done.call(answer));
        }
        Err(fault) => completions.for_each(|done| done.call(Err(fault.clone()))),
    }
}

#[cfg(test)]
mod tests;
