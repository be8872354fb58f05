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
//! A store brings a [`Committer`]; [`GroupCommit`] brings the queue, its bound, the thread, the order of
//! answers and an orderly end.
//!
//! ```
//! use std::fs::{self, File};
//! use std::io::{self, Write};
//!
//! use custom_models_group_commit::{Answers, Committer, GroupCommit, Unanswered};
//!
//! /// Appends lines to a file.
//! struct Log(File);
//!
//! impl Committer for Log {
//!     type Job = String;
//!     type Answer = usize;
//!     type Error = io::ErrorKind;
//!
//!     fn commit(&mut self, lines: &[String]) -> Result<Answers<Self>, io::ErrorKind> {
//!         let bytes: String = lines.iter().map(|line| format!("{line}\n")).collect();
//!         let written = self.0.write_all(bytes.as_bytes()).and_then(|()| self.0.sync_data());
//!         written.map_err(|error| error.kind())?;
//!         Ok(lines.iter().map(|line| Ok(line.len())).collect())
//!     }
//!
//!     fn unanswered(why: Unanswered) -> io::ErrorKind {
//!         match why {
//!             Unanswered::Busy => io::ErrorKind::WouldBlock,
//!             Unanswered::Closed => io::ErrorKind::BrokenPipe,
//!             Unanswered::Unknown => io::ErrorKind::Other,
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = std::env::temp_dir().join(format!("group-commit-{}", std::process::id()));
//! let commits = GroupCommit::start("log-writer", Log(File::create_new(&path)?))?;
//! commits.submit("first".to_owned(), |answer| assert_eq!(answer, Ok(5)));
//! assert_eq!(commits.apply("second".to_owned()), Ok(6));
//! commits.close();
//! assert_eq!(fs::read_to_string(&path)?, "first\nsecond\n");
//! # Ok(fs::remove_file(&path)?)
//! # }
//! ```
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

use crate::queue::{Callback, FinishedGroup, Group, Queue};

/// Makes groups of jobs durable, one group at a time.
pub trait Committer: Send + Sized + 'static {
    /// A write, of whatever kind: all kinds are in one queue, so that they share a sync.
    type Job: Send + 'static;
    /// The outcome of a job that was judged.
    type Answer: Send + 'static;
    /// The reason why a job has no outcome. A fault of a whole group is cloned for each of its jobs.
    type Error: Clone + Send + 'static;

    /// Judges the jobs in their order, each on the state that those before it leave, and makes
    /// those that are not refused durable together.
    ///
    /// Returns one answer a job, in order, once all of them hold even after a power cut. A refused
    /// job leaves no trace. `Err` speaks for every job of the group: none was made, or, if it is an
    /// error that says so, all of them were or none. After an error the next call begins from what is
    /// really stored.
    fn commit(&mut self, jobs: &[Self::Job]) -> Result<Answers<Self>, Self::Error>;

    /// The error for a job that [`Committer::commit`] has not answered.
    fn unanswered(why: Unanswered) -> Self::Error;
}

/// One answer a job, in the order of the jobs.
pub type Answers<C> = Vec<Result<<C as Committer>::Answer, <C as Committer>::Error>>;

/// The reason why a committer has not answered a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// [`QUEUE_LIMIT`] jobs wait already. The job was not begun, and trying again is right.
    Busy,
    /// The queue is closed, or its committer has panicked. The job was not begun.
    Closed,
    /// The committer panicked over the job or returned too few answers: the job was made, whole, or
    /// was not made.
    Unknown,
}

/// The number of jobs that may wait for the next group; one more is [`Unanswered::Busy`].
///
/// At 64 callers a group has about as many jobs; the bound keeps a stalled disk from filling memory
/// with requests that nobody waits for any more (their texts are at most 4800 bytes each).
pub const QUEUE_LIMIT: usize = 4096;

/// A queue of jobs and the thread that commits it in groups.
///
/// Dropping it commits what is queued, as [`GroupCommit::close`] does.
pub struct GroupCommit<C: Committer> {
    queue: Arc<Queue<C>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl<C: Committer> GroupCommit<C> {
    /// Starts the thread, under a name that debuggers show.
    ///
    /// # Errors
    ///
    /// When the system starts no thread.
    pub fn start(thread_name: &str, committer: C) -> io::Result<Self> {
        measure::describe();
        let queue = Arc::new(Queue::new(committer));
        let writer_queue = Arc::clone(&queue);
        let writer = thread::Builder::new()
            .name(thread_name.to_owned())
            .spawn(move || write_groups(&writer_queue))?;
        Ok(GroupCommit { queue, writer: Mutex::new(Some(writer)) })
    }

    /// Puts a job into the next group. `done` is called once: from a thread that commits, when the
    /// group is committed, or at once when the queue is full or closed. It is short, and does not
    /// wait for another job. One that panics is the only one that suffers.
    pub fn submit(
        &self,
        job: C::Job,
        done: impl FnOnce(Result<C::Answer, C::Error>) + Send + 'static,
    ) {
        if let Err((done, why)) = self.queue.push(job, Callback::new(done)) {
            done.call(Err(C::unanswered(why)));
        }
    }

    /// Commits a job and returns its answer: on this thread if nothing is at work, with the next
    /// group if something is.
    ///
    /// # Errors
    ///
    /// What [`GroupCommit::submit`] answers.
    pub fn apply(&self, job: C::Job) -> Result<C::Answer, C::Error> {
        let unknown = || Err(C::unanswered(Unanswered::Unknown));
        let Some(mut committer) = self.queue.lend() else {
            let (sender, answer) = mpsc::sync_channel(1);
            self.submit(job, move |it| sender.send(it).unwrap_or_default());
            return answer.recv().unwrap_or_else(|_| unknown());
        };
        let Committed { answers, is_broken, .. } = commit(&mut committer, slice::from_ref(&job));
        self.queue.give_back(committer, is_broken);
        answers?.pop().unwrap_or_else(unknown)
    }

    /// Takes no more jobs, and waits until those that are queued are answered. Closing again only
    /// waits.
    pub fn close(&self) {
        self.queue.close();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // The last owner may be a completion, which runs on the writer's own thread: that one
        // finishes its queue by itself.
        let is_here = |handle: &JoinHandle<()>| handle.thread().id() == thread::current().id();
        if let Some(handle) = writer.take_if(|handle| !is_here(handle)) {
            // What it panicked with was printed by the panic hook.
            let _ = handle.join();
        }
    }
}

impl<C: Committer> fmt::Debug for GroupCommit<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupCommit").finish_non_exhaustive()
    }
}

impl<C: Committer> Drop for GroupCommit<C> {
    fn drop(&mut self) {
        self.close();
    }
}

fn write_groups<C: Committer>(queue: &Queue<C>) {
    let mut group = Group::default();
    let mut rest = None;
    while let Some(mut committer) = queue.next_group(&mut group, rest.take()) {
        let Committed { answers, is_broken, took } = commit(&mut committer, &group.jobs);
        let answered = group.jobs.len();
        group.jobs.clear();
        answer::<C>(answers, group.completions.drain(..));
        if is_broken {
            return queue.give_back(committer, true);
        }
        rest = Some(FinishedGroup { committer, answered, took });
    }
}

/// A group that a committer had in its hands.
struct Committed<C: Committer> {
    answers: Result<Answers<C>, C::Error>,
    /// The committer panicked, and nobody knows what it does next.
    is_broken: bool,
    took: Duration,
}

fn commit<C: Committer>(committer: &mut C, jobs: &[C::Job]) -> Committed<C> {
    let begun = Instant::now();
    // What it panicked with was printed by the panic hook; nobody here has a use for it.
    let answers = catch_unwind(AssertUnwindSafe(|| committer.commit(jobs)));
    let (took, count) = (begun.elapsed(), jobs.len());
    // A recorder is a host's code, and the committer has to come back from here.
    let _ = catch_unwind(|| measure::group(count, took));
    let is_broken = answers.is_err();
    let answers = answers.unwrap_or_else(|_| Err(C::unanswered(Unanswered::Unknown)));
    Committed { answers, is_broken, took }
}

/// Calls every completion. The outcome of a job without an answer is unknown.
fn answer<C: Committer>(
    answers: Result<Answers<C>, C::Error>,
    completions: impl Iterator<Item = Callback<C>>,
) {
    match answers {
        Ok(answers) => {
            let mut answers = answers.into_iter();
            let unknown = || Err(C::unanswered(Unanswered::Unknown));
            completions.for_each(|done| done.call(answers.next().unwrap_or_else(unknown)));
        }
        Err(fault) => completions.for_each(|done| done.call(Err(fault.clone()))),
    }
}

#[cfg(test)]
mod tests;
